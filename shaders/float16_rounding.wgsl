// Rounds to float16 like toFloat16 in src/ops/matmul/precision.ts: to 11 binary digits, ties to even; clipped to ±65504;
// flushed to 0 below 2⁻¹⁴; infinities and NaN are kept. It uses integers, since WGSL does not specify how f16() and
// pack2x16float() round, and a compiler may remove f32(f16(x)) (Mesa does).

const LARGEST_FLOAT16 = 0x477fe000u;
const SMALLEST_NORMAL_FLOAT16 = 0x38800000u;
const INFINITE = 0x7f800000u;

// The magnitude of a float16, as the bits of a float32.
fn float16_magnitude(magnitude: u32) -> u32 {
    // A carry out of the digits continues into the exponent, as it should.
    let rounded = (magnitude + 0xfffu + ((magnitude >> 13u) & 1u)) & 0xffffe000u;
    let finite = select(min(rounded, LARGEST_FLOAT16), 0u, rounded < SMALLEST_NORMAL_FLOAT16);
    return select(finite, magnitude, magnitude >= INFINITE);
}
