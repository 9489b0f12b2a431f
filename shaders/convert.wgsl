// x rounded down to an integer in 0 ... 2^32 - 1; 0 for NaN.
fn index_of(x: f32) -> u32 {
    if (is_nan(x) || x < 1.0) {
        return 0u;
    }
    return select(u32(x), 0xffffffffu, x >= 4294967296.0);
}
