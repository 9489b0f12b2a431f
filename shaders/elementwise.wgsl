// The functions of src/ops/elementwise/arithmetic.ts that are not built into WGSL, for one element each. Comparisons
// return 1 or 0.

fn add(a: f32, b: f32) -> f32 {
    return a + b;
}

fn subtract(a: f32, b: f32) -> f32 {
    return a - b;
}

fn multiply(a: f32, b: f32) -> f32 {
    return a * b;
}

fn divide(a: f32, b: f32) -> f32 {
    return a / b;
}

fn subtract_from_itself(x: f32) -> f32 {
    return select(0.0, nan_of(x), is_non_finite(x));
}

fn divide_by_itself(x: f32) -> f32 {
    return select(1.0, nan_of(x), is_non_finite(x) || x == 0.0);
}

fn negate(x: f32) -> f32 {
    return -x;
}

fn square(x: f32) -> f32 {
    return x * x;
}

// WGSL's pow is exp2(y log2(x)). log2 is undefined for anything but finite numbers above 0, so those cases are handled
// here.
fn power(x: f32, exponent: f32) -> f32 {
    let size = abs(x);
    let at_zero = select(0.0, 1.0 / size, exponent < 0.0);
    let at_infinity = select(size, 1.0 / size, exponent < 0.0);
    let finite = select(pow(x, exponent), nan_of(x), x < 0.0);
    return select(select(finite, at_infinity, is_non_finite(x)), at_zero, x == 0.0 && !is_nan(x));
}

fn integer_power(x: f32, exponent: f32) -> f32 {
    var factor = x;
    var result = 1.0;
    for (var left = u32(abs(exponent)); left > 0u; left >>= 1u) {
        if ((left & 1u) == 1u) {
            result *= factor;
        }
        factor *= factor;
    }
    return select(result, 1.0 / result, exponent < 0.0);
}

// -1, 0 or 1; 0 for NaN.
fn sign_of(x: f32) -> f32 {
    return select(sign(x), 0.0, is_nan(x));
}

fn less(a: f32, b: f32) -> f32 {
    return select(0.0, 1.0, a < b && are_ordered(a, b));
}

fn less_equal(a: f32, b: f32) -> f32 {
    return select(0.0, 1.0, a <= b && are_ordered(a, b));
}

fn greater(a: f32, b: f32) -> f32 {
    return select(0.0, 1.0, a > b && are_ordered(a, b));
}

fn greater_equal(a: f32, b: f32) -> f32 {
    return select(0.0, 1.0, a >= b && are_ordered(a, b));
}

fn equal(a: f32, b: f32) -> f32 {
    return select(0.0, 1.0, a == b && are_ordered(a, b));
}

fn not_equal(a: f32, b: f32) -> f32 {
    return select(1.0, 0.0, a == b && are_ordered(a, b));
}

fn equal_index(a: u32, b: u32) -> f32 {
    return select(0.0, 1.0, a == b);
}

fn is_not_finite(x: f32) -> f32 {
    return select(0.0, 1.0, is_non_finite(x));
}

fn choose(condition: f32, a: f32, b: f32) -> f32 {
    return select(a, b, condition == 0.0 && !is_nan(condition));
}
