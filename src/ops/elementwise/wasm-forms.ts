/*
 * The functions of shaders/elementwise.wgsl, functions.wgsl and activations.wgsl on four lanes, under the same names.
 */
import { bits, float, instruction, math, type Vector } from "../wasm/vectors.ts";

/** Makes the result vector from the vectors of the inputs and the numeric parameters of the node. */
type VectorForm = (inputs: readonly Vector[], parameters: readonly number[]) => Vector;

type Value = Vector | number;

const add = (a: Value, b: Value) => instruction("f32x4.add", a, b);
const subtract = (a: Value, b: Value) => instruction("f32x4.sub", a, b);
const multiply = (a: Value, b: Value) => instruction("f32x4.mul", a, b);
const divide = (a: Value, b: Value) => instruction("f32x4.div", a, b);
const negate = (x: Value) => instruction("f32x4.neg", x);
const abs = (x: Value) => instruction("f32x4.abs", x);
/** NaN if either value is NaN. */
const minimum = (a: Value, b: Value) => instruction("f32x4.min", a, b);
const maximum = (a: Value, b: Value) => instruction("f32x4.max", a, b);
const exp = (x: Value) => math("exp4", x);
const log = (x: Value) => math("log4", x);

/** Comparisons return masks. Comparisons with NaN are false. */
const less = (a: Value, b: Value) => instruction("f32x4.lt", a, b);
const lessEqual = (a: Value, b: Value) => instruction("f32x4.le", a, b);
const equal = (a: Value, b: Value) => instruction("f32x4.eq", a, b);

const choose = (mask: Vector, a: Value, b: Value) => instruction("v128.bitselect", a, b, mask);
/** The value if the mask is set, otherwise 0. */
const where = (mask: Vector, value: Value) => instruction("v128.and", value, mask);
/** The value if the mask is not set, otherwise 0. */
const unless = (mask: Vector, value: Value) => instruction("v128.andnot", value, mask);

const INFINITY = bits(0x7f800000);
const NOT_A_NUMBER = bits(0x7fc00000);
const isFinite = (x: Value) => less(abs(x), INFINITY);

/** An integer power by repeated squaring. */
function integerPower(x: Vector, exponent: number): Vector {
  let factor = x;
  let result: Vector | undefined;
  for (let left = Math.abs(exponent); left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) result = result ? multiply(result, factor) : factor;
    factor = multiply(factor, factor);
  }
  if (!result) return float(1);
  return exponent < 0 ? divide(1, result) : result;
}

/** e^−|x|, at most 1. */
const decay = (x: Vector) => exp(negate(abs(x)));

function sigmoid(x: Vector): Vector {
  const e = decay(x);
  return divide(choose(less(x, 0), e, 1), add(1, e));
}

function sigmoidDerivative(x: Vector): Vector {
  const e = decay(x);
  const sum = add(1, e);
  return divide(e, multiply(sum, sum));
}

const tanhDerivative = (x: Vector) => multiply(4, sigmoidDerivative(multiply(2, x)));
const relu = (x: Vector) => unless(lessEqual(x, 0), x);
const logOfSum = (x: Vector) => log(add(1, decay(x)));

/** Beyond |x| = 20 the slopes of the sigmoids are constant in float32, and x · 0 · x² could multiply infinity by 0. */
const clamped = (x: Vector) => maximum(minimum(x, 20), -20);
const ofFinite = (x: Vector, value: Vector) => choose(isFinite(x), value, NOT_A_NUMBER);

const geluInner = (x: Vector) => multiply(0.7978845608, add(x, multiply(multiply(multiply(0.044715, x), x), x)));

function geluTanhDerivative(x: Vector): Vector {
  const y = clamped(x);
  const innerSlope = multiply(0.7978845608, add(1, multiply(multiply(0.134145, y), y)));
  const inner = geluInner(y);
  const bend = multiply(multiply(multiply(0.5, y), tanhDerivative(inner)), innerSlope);
  return ofFinite(x, add(sigmoid(multiply(2, inner)), bend));
}

function geluDerivative(x: Vector): Vector {
  const y = clamped(x);
  const density = exp(multiply(multiply(-0.5, y), y));
  // The same value as in `gelu`, so that a chain that computes both computes it once.
  return ofFinite(x, add(math("normalBelow4", x), multiply(multiply(y, 0.3989422804), density)));
}

/** The logarithm of the rounded sum plus a correction for the rounding. The error is below 1.5 ulp. */
function logOfOnePlus(x: Vector): Vector {
  const sum = add(1, x);
  const rest = divide(subtract(x, subtract(sum, 1)), sum);
  const isOrdinary = instruction("v128.and", less(0, sum), isFinite(sum));
  return add(log(sum), where(isOrdinary, rest));
}

/** Coefficients of x⁷ to x. The relative error of the sum is below 1e-8 for |x| < 0.35. */
const TAYLOR = [1 / 5040, 1 / 720, 1 / 120, 1 / 24, 1 / 6, 1 / 2, 1];

/** The error is below 4 ulp. */
function expMinusOne(x: Vector): Vector {
  const series = TAYLOR.reduce<Value>((sum, coefficient) => add(multiply(sum, x), coefficient), 0);
  return choose(less(abs(x), 0.35), multiply(series, x), subtract(exp(x), 1));
}

const sign = (x: Vector) => subtract(where(less(0, x), 1), where(less(x, 0), 1));

const unary =
  (form: (x: Vector) => Vector): VectorForm =>
  ([x]) =>
    form(x!);
const binary =
  (form: (a: Vector, b: Vector) => Vector): VectorForm =>
  ([a, b]) =>
    form(a!, b!);
const comparison = (form: (a: Vector, b: Vector) => Vector) => binary((a, b) => where(form(a, b), 1));

/** The vector forms by the name of the WGSL function. */
export const vectorForms: Readonly<Record<string, VectorForm>> = {
  add: binary(add),
  subtract: binary(subtract),
  multiply: binary(multiply),
  divide: binary(divide),
  negate: unary(negate),
  square: unary((x) => multiply(x, x)),
  abs: unary(abs),
  sqrt: unary((x) => instruction("f32x4.sqrt", x)),
  exponential: unary(exp),
  logarithm: unary(log),
  power: ([x], [exponent]) => math("pow4", x!, exponent!),
  integer_power: ([x], [exponent]) => integerPower(x!, exponent!),
  sign_of: unary(sign),
  minimum: binary(minimum),
  maximum: binary(maximum),
  less: comparison(less),
  less_equal: comparison(lessEqual),
  greater: comparison((a, b) => less(b, a)),
  greater_equal: comparison((a, b) => lessEqual(b, a)),
  equal: comparison(equal),
  not_equal: binary((a, b) => unless(equal(a, b), 1)),
  equal_index: comparison((a, b) => instruction("i32x4.eq", a, b)),
  f32: unary((x) => instruction("f32x4.convert_i32x4_u", x)),
  is_not_finite: unary((x) => unless(isFinite(x), 1)),
  choose: ([condition, a, b]) => choose(equal(condition!, 0), b!, a!),

  sin_of: unary((x) => math("sin4", x)),
  cos_of: unary((x) => math("cos4", x)),
  floor_of: unary((x) => instruction("f32x4.floor", x)),
  round_of: unary((x) => instruction("f32x4.nearest", x)),
  sign_or_nan: unary((x) => choose(equal(x, x), sign(x), x)),
  logarithm_of_one_plus: unary(logOfOnePlus),
  exponential_minus_one: unary(expMinusOne),
  inverse_root: unary((x) => divide(1, instruction("f32x4.sqrt", x))),
  remainder_of: binary((a, b) => math("remainder4", a, b)),

  identity: unary((x) => x),
  identity_derivative: () => float(1),
  heaviside: unary((x) => where(lessEqual(0, x), 1)),
  heaviside_derivative: () => float(0),
  sigmoid: unary(sigmoid),
  sigmoid_derivative: unary(sigmoidDerivative),
  hyperbolic_tangent: unary((x) => math("tanh4", x)),
  hyperbolic_tangent_derivative: unary(tanhDerivative),
  relu: unary(relu),
  relu_derivative: unary((x) => unless(lessEqual(x, 0), 1)),
  leaky_relu: ([x], [slope]) => choose(less(0, x!), x!, multiply(slope!, x!)),
  leaky_relu_derivative: ([x], [slope]) => choose(less(0, x!), 1, slope!),
  elu: ([x], [alpha]) => choose(lessEqual(x!, 0), multiply(alpha!, subtract(exp(minimum(x!, 0)), 1)), x!),
  elu_derivative: ([x], [alpha]) => choose(lessEqual(x!, 0), multiply(alpha!, exp(minimum(x!, 0))), 1),
  softplus: unary((x) => add(relu(x), logOfSum(x))),
  gelu_tanh: unary((x) => multiply(x, sigmoid(multiply(2, geluInner(x))))),
  gelu_tanh_derivative: unary(geluTanhDerivative),
  gelu: unary((x) => multiply(x, math("normalBelow4", x))),
  gelu_derivative: unary(geluDerivative),
  silu: unary((x) => multiply(x, sigmoid(x))),
  silu_derivative: unary((x) => multiply(sigmoid(x), add(1, multiply(x, sigmoid(negate(x)))))),
  sigmoid_cross_entropy: binary((z, target) =>
    add(subtract(multiply(subtract(1, target), z), minimum(z, 0)), logOfSum(z)),
  ),
};
