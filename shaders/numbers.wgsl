// NaN, detected by its bits. Prepended to every kernel. WGSL lets a compiler assume that there is no NaN: on lavapipe
// `x != x` is false and max(x, 0.0) of NaN is 0, on SwiftShader exp(x) of NaN is infinite and log(x) is 89. So
// everything that selects values (minimum, maximum, comparisons) or uses approximations (exp, log) tests the bits of
// its operands.

fn is_nan(x: f32) -> bool {
    return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
}

// Whether x is NaN or infinite.
fn is_non_finite(x: f32) -> bool {
    return (bitcast<u32>(x) & 0x7f800000u) == 0x7f800000u;
}

// NaN, made from a number that the compiler does not know.
fn nan_of(x: f32) -> f32 {
    return bitcast<f32>(bitcast<u32>(x) | 0x7fc00000u);
}

// Whether neither is NaN, so that the two can be compared.
fn are_ordered(a: f32, b: f32) -> bool {
    return !(is_nan(a) || is_nan(b));
}

// The smaller of two; NaN if one is NaN.
fn minimum(a: f32, b: f32) -> f32 {
    return select(select(min(a, b), b, is_nan(b)), a, is_nan(a));
}

// The larger of two; NaN if one is NaN.
fn maximum(a: f32, b: f32) -> f32 {
    return select(select(max(a, b), b, is_nan(b)), a, is_nan(a));
}

// Whether `best` remains the maximum when compared with `value`. NaN counts as larger than any number.
fn exceeds(value: f32, best: f32) -> bool {
    return !is_nan(best) && (is_nan(value) || value > best);
}

fn exponential(x: f32) -> f32 {
    return select(exp(x), x, is_nan(x));
}

// NaN below 0, where WGSL leaves the result undefined.
fn logarithm(x: f32) -> f32 {
    return select(log(x), nan_of(x), is_nan(x) || x < 0.0);
}
