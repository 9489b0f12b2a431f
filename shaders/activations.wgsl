// The activations of src/ops/elementwise/activations.ts and their derivatives, for one element each. Arguments of exp
// are never positive, so nothing overflows for any |x|.

// Whether a rectifier is off. NaN passes, with the slope of a positive number.
fn is_off(x: f32) -> bool {
    return x <= 0.0 && !is_nan(x);
}

fn identity(x: f32) -> f32 {
    return x;
}

fn identity_derivative(x: f32) -> f32 {
    return 1.0;
}

fn heaviside(x: f32) -> f32 {
    return select(0.0, 1.0, x >= 0.0 && !is_nan(x));
}

fn heaviside_derivative(x: f32) -> f32 {
    return 0.0;
}

fn sigmoid(x: f32) -> f32 {
    let e = exponential(-abs(x));
    return select(e, 1.0, x >= 0.0) / (1.0 + e);
}

fn sigmoid_derivative(x: f32) -> f32 {
    let e = exponential(-abs(x));
    return e / ((1.0 + e) * (1.0 + e));
}

// WGSL allows its tanh an absolute error of 1e-5. Near 0 the quotient would cancel, so Taylor's series up to x^9 is
// used there; its next term is below 1e-8 of the value.
fn hyperbolic_tangent(x: f32) -> f32 {
    let e = exponential(-2.0 * abs(x));
    let far = sign(x) * (1.0 - e) / (1.0 + e);
    let s = min(x * x, 0.0625);
    let near = x * (1.0 + s * (-1.0 / 3.0 + s * (2.0 / 15.0 + s * (-17.0 / 315.0 + s * (62.0 / 2835.0)))));
    return select(far, near, abs(x) < 0.25);
}

fn hyperbolic_tangent_derivative(x: f32) -> f32 {
    return 4.0 * sigmoid_derivative(2.0 * x);
}

fn relu(x: f32) -> f32 {
    return select(x, 0.0, is_off(x));
}

fn relu_derivative(x: f32) -> f32 {
    return select(1.0, 0.0, is_off(x));
}

fn leaky_relu(x: f32, slope: f32) -> f32 {
    return select(slope * x, x, x > 0.0);
}

fn leaky_relu_derivative(x: f32, slope: f32) -> f32 {
    return select(slope, 1.0, x > 0.0 && !is_nan(x));
}

fn elu(x: f32, alpha: f32) -> f32 {
    return select(x, alpha * (exponential(min(x, 0.0)) - 1.0), is_off(x));
}

fn elu_derivative(x: f32, alpha: f32) -> f32 {
    return select(1.0, alpha * exponential(min(x, 0.0)), is_off(x));
}

fn softplus(x: f32) -> f32 {
    return relu(x) + logarithm(1.0 + exponential(-abs(x)));
}

// A derivative evaluated at a finite x. It is NaN where x is not finite, because x times a slope of 0 is undefined
// there.
fn of_finite(x: f32, value: f32) -> f32 {
    return select(value, nan_of(x), is_non_finite(x));
}

fn gelu_tanh_inner(x: f32) -> f32 {
    return 0.7978845608 * (x + 0.044715 * x * x * x);
}

fn gelu_tanh(x: f32) -> f32 {
    return x * sigmoid(2.0 * gelu_tanh_inner(x));
}

// Beyond |x| = 20 the slope of tanh is 0 in float32, and x * 0 * x^2 would become infinity times 0.
fn gelu_tanh_derivative(x: f32) -> f32 {
    let y = clamp(x, -20.0, 20.0);
    let inner_slope = 0.7978845608 * (1.0 + 0.134145 * y * y);
    let inner = gelu_tanh_inner(y);
    return of_finite(x, sigmoid(2.0 * inner) + 0.5 * y * hyperbolic_tangent_derivative(inner) * inner_slope);
}

// Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26: absolute error at most 1.5e-7. The probability
// that a normal variable is below x: erfc(-x / sqrt(2)) / 2.
fn normal_below(x: f32) -> f32 {
    let size = abs(x) * 0.7071067812;
    let t = 1.0 / (1.0 + 0.3275911 * size);
    let series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
    let tail = 0.5 * series * exponential(-size * size);
    return select(tail, 1.0 - tail, x >= 0.0);
}

fn gelu(x: f32) -> f32 {
    return x * normal_below(x);
}

fn gelu_derivative(x: f32) -> f32 {
    let y = clamp(x, -20.0, 20.0);
    return of_finite(x, normal_below(y) + y * 0.3989422804 * exponential(-0.5 * y * y));
}

fn silu(x: f32) -> f32 {
    return x * sigmoid(x);
}

fn silu_derivative(x: f32) -> f32 {
    return sigmoid(x) * (1.0 + x * sigmoid(-x));
}

// The binary cross-entropy of sigmoid(z) with a target, from the logit z.
fn sigmoid_cross_entropy(z: f32, target_value: f32) -> f32 {
    return (1.0 - target_value) * z - minimum(z, 0.0) + logarithm(1.0 + exponential(-abs(z)));
}
