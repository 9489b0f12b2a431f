/** In what the operands of a product are multiplied; sums are float32 either way. */
export const precisions = ["float32", "float16"] as const;

export type Precision = (typeof precisions)[number];

/** The largest number of float16, and the smallest that keeps all of its 11 digits. */
const LARGEST = 65_504;
const SMALLEST_NORMAL = 2 ** -14;

/** Adding and taking it away again rounds a float64 below it to a whole number, ties to even. */
const WHOLE = 2 ** 52;

/**
 * A number as an operand in float16 (IEEE 754 binary16): rounded to 11 binary digits, ties to even. What is then beyond
 * ±65,504 becomes that, so that no finite number becomes infinite; what is below 2⁻¹⁴ becomes 0, since WGSL lets a
 * device flush float16's subnormal numbers, and so all devices agree. Infinities and NaN stay.
 */
export function toFloat16(value: number): number {
  const magnitude = Math.abs(value);
  if (magnitude === 0 || !(magnitude < Infinity)) return value;
  const unit = 2 ** (Math.floor(Math.log2(magnitude)) - 10);
  const rounded = (magnitude / unit + WHOLE - WHOLE) * unit;
  return Math.sign(value) * (rounded < SMALLEST_NORMAL ? 0 : Math.min(rounded, LARGEST));
}
