// The arithmetic functions of src/ops/elementwise/arithmetic.ts that WGSL has no builtin for.
// Each takes the value of one element and returns the value of one element; comparisons return 1 or 0.

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

fn negate(x: f32) -> f32 {
    return -x;
}

fn square(x: f32) -> f32 {
    return x * x;
}

// WGSL's pow is exp2(y log2(x)): NaN for x < 0, and log2(0) is left to the driver, so 0 is answered here.
fn power(x: f32, exponent: f32) -> f32 {
    let at_zero = select(0.0, 1.0 / abs(x), exponent < 0.0);
    return select(pow(x, exponent), at_zero, x == 0.0);
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

fn less(a: f32, b: f32) -> f32 {
    return select(0.0, 1.0, a < b);
}

fn less_equal(a: f32, b: f32) -> f32 {
    return select(0.0, 1.0, a <= b);
}

fn greater(a: f32, b: f32) -> f32 {
    return select(0.0, 1.0, a > b);
}

fn greater_equal(a: f32, b: f32) -> f32 {
    return select(0.0, 1.0, a >= b);
}

fn equal(a: f32, b: f32) -> f32 {
    return select(0.0, 1.0, a == b);
}

fn not_equal(a: f32, b: f32) -> f32 {
    return select(0.0, 1.0, a != b);
}

fn equal_index(a: u32, b: u32) -> f32 {
    return select(0.0, 1.0, a == b);
}

fn is_not_finite(x: f32) -> f32 {
    return select(0.0, 1.0, (bitcast<u32>(x) & 0x7f800000u) == 0x7f800000u);
}

fn choose(condition: f32, a: f32, b: f32) -> f32 {
    return select(a, b, condition == 0.0);
}
