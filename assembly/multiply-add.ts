/**
 * a · b + sum. The kernels are compiled twice: with relaxed SIMD, an engine may round the product and the sum once
 * instead of twice, if the processor has such an instruction.
 */
export function multiplyAdd(a: v128, b: v128, sum: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, sum);
  return f32x4.add(sum, f32x4.mul(a, b));
}
