// An operand of a product in float16, rounded as by toFloat16 in src/ops/matmul/precision.ts: to 11 binary digits, ties
// to even; beyond ±65504 to that, below 2⁻¹⁴ to 0; infinities and NaN stay. By integers, since WGSL leaves it open
// which way f16() rounds, and a compiler may leave out f32(f16(x)) (Mesa does).

alias Operand = f16;

const LARGEST_FLOAT16 = 0x477fe000u;
const SMALLEST_NORMAL_FLOAT16 = 0x38800000u;
const INFINITE = 0x7f800000u;

fn operand_of(value: f32) -> Operand {
    let bits = bitcast<u32>(value);
    let magnitude = bits & 0x7fffffffu;
    // A carry out of the digits goes on into the exponent, as it should.
    let rounded = (magnitude + 0xfffu + ((magnitude >> 13u) & 1u)) & 0xffffe000u;
    let finite = select(min(rounded, LARGEST_FLOAT16), 0u, rounded < SMALLEST_NORMAL_FLOAT16);
    let result = select(finite, magnitude, magnitude >= INFINITE);
    return Operand(bitcast<f32>((bits & 0x80000000u) | result));
}
