// A float16 operand of a product, rounded like toFloat16 in src/ops/matmul/precision.ts: to 11 binary digits, ties to
// even; clipped to ±65504; flushed to 0 below 2⁻¹⁴; infinities and NaN are kept. It uses integers, since WGSL does not
// specify how f16() rounds, and a compiler may remove f32(f16(x)) (Mesa does).

alias Operand = f16;

const LARGEST_FLOAT16 = 0x477fe000u;
const SMALLEST_NORMAL_FLOAT16 = 0x38800000u;
const INFINITE = 0x7f800000u;

fn operand_of(value: f32) -> Operand {
    let bits = bitcast<u32>(value);
    let magnitude = bits & 0x7fffffffu;
    // A carry out of the digits continues into the exponent, as it should.
    let rounded = (magnitude + 0xfffu + ((magnitude >> 13u) & 1u)) & 0xffffe000u;
    let finite = select(min(rounded, LARGEST_FLOAT16), 0u, rounded < SMALLEST_NORMAL_FLOAT16);
    let result = select(finite, magnitude, magnitude >= INFINITE);
    return Operand(bitcast<f32>((bits & 0x80000000u) | result));
}
