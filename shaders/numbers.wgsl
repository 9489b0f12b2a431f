// NaN, told by the bits. Prepended to every kernel.
// WGSL lets a compiler assume that there is no NaN: on lavapipe `x != x` is false and max(x, 0.0) of NaN is 0, on
// SwiftShader exp(x) of NaN is infinite and log(x) 89. Whatever chooses between values (minimum, maximum, comparisons) and
// what is computed by approximations (exp, log) therefore tests the bits of its operands.

fn is_nan(x: f32) -> bool {
    return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
}

// NaN or infinite.
fn is_non_finite(x: f32) -> bool {
    return (bitcast<u32>(x) & 0x7f800000u) == 0x7f800000u;
}

// NaN, made of a number that the compiler does not know.
fn nan_of(x: f32) -> f32 {
    return bitcast<f32>(bitcast<u32>(x) | 0x7fc00000u);
}

// Neither is NaN, so that the two can be compared.
fn are_ordered(a: f32, b: f32) -> bool {
    return !(is_nan(a) || is_nan(b));
}

// The smaller of two; NaN where one is NaN.
fn minimum(a: f32, b: f32) -> f32 {
    return select(select(min(a, b), b, is_nan(b)), a, is_nan(a));
}

// The larger of two; NaN where one is NaN.
fn maximum(a: f32, b: f32) -> f32 {
    return select(select(max(a, b), b, is_nan(b)), a, is_nan(a));
}

// Whether a maximum over a group stays at `best`, or moves on to `value`: NaN is larger than any number.
fn exceeds(value: f32, best: f32) -> bool {
    return !is_nan(best) && (is_nan(value) || value > best);
}

fn exponential(x: f32) -> f32 {
    return select(exp(x), x, is_nan(x));
}

// NaN below 0, where WGSL leaves it open.
fn logarithm(x: f32) -> f32 {
    return select(log(x), nan_of(x), is_nan(x) || x < 0.0);
}
