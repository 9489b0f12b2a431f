// The functions of src/ops/elementwise/functions.ts, one element each.

fn sin_of(x: f32) -> f32 {
    return select(sin(x), nan_of(x), is_non_finite(x));
}

fn cos_of(x: f32) -> f32 {
    return select(cos(x), nan_of(x), is_non_finite(x));
}

fn floor_of(x: f32) -> f32 {
    return select(floor(x), x, is_nan(x));
}

fn round_of(x: f32) -> f32 {
    return select(round(x), x, is_nan(x));
}

fn sign_or_nan(x: f32) -> f32 {
    return select(sign(x), x, is_nan(x));
}

// Near 0 the series of 2 artanh(s), s = x / (2 + x), whose next term is below 1e-8 of the value for |x| < 0.3.
fn logarithm_of_one_plus(x: f32) -> f32 {
    let s = x / (2.0 + x);
    let t = s * s;
    let near = 2.0 * s * (1.0 + t * (1.0 / 3.0 + t * (1.0 / 5.0 + t * (1.0 / 7.0 + t * (1.0 / 9.0)))));
    return select(logarithm(1.0 + x), near, abs(x) < 0.3 && !is_nan(x));
}

// Near 0 Taylor's series to x^7, whose next term is below 1e-8 of the value for |x| < 0.35.
fn exponential_minus_one(x: f32) -> f32 {
    let near = x * (1.0 + x * (0.5 + x * (1.0 / 6.0 + x * (1.0 / 24.0 + x * (1.0 / 120.0 + x * (1.0 / 720.0 + x * (1.0 / 5040.0)))))));
    return select(exponential(x) - 1.0, near, abs(x) < 0.35 && !is_nan(x));
}

fn inverse_root(x: f32) -> f32 {
    let finite = select(inverseSqrt(x), nan_of(x), x < 0.0);
    let at_end = select(x, select(nan_of(x), 0.0, x > 0.0), !is_nan(x));
    return select(select(finite, at_end, is_non_finite(x)), 1.0 / abs(x), x == 0.0 && !is_nan(x));
}

fn remainder_of(a: f32, b: f32) -> f32 {
    let rest = a - b * trunc(a / b);
    let kept = select(rest, rest + b, rest != 0.0 && (rest < 0.0) != (b < 0.0));
    return select(kept, nan_of(a + b), is_non_finite(a) || is_nan(b));
}
