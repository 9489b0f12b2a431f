// Two float16 numbers in a word: the first one in the lower 16 bits. Before it: float16_rounding.wgsl.

// The exponent of a float32 is 112 larger than that of the same float16.
const EXPONENT_DIFFERENCE = 0x38000000u;

fn float16_bits(value: f32) -> u32 {
    let bits = bitcast<u32>(value);
    let magnitude = float16_magnitude(bits & 0x7fffffffu);
    let finite = select((magnitude - EXPONENT_DIFFERENCE) >> 13u, 0u, magnitude == 0u);
    let special = select(0x7c00u, 0x7e00u, magnitude > INFINITE);
    return ((bits >> 16u) & 0x8000u) | select(finite, special, magnitude >= INFINITE);
}

fn pack_float16(first: f32, second: f32) -> u32 {
    return float16_bits(first) | (float16_bits(second) << 16u);
}
