import type { Tensor } from "../../graph/tensor.ts";
import { elementwise, type Operand } from "./function.ts";

const addOp = elementwise({
  name: "add",
  arity: 2,
  cpu: (a, b) => a! + b!,
  wgsl: "add",
  gradient: (upstream) => [upstream, upstream],
});

const subtractOp = elementwise({
  name: "subtract",
  arity: 2,
  cpu: (a, b) => a! - b!,
  wgsl: "subtract",
  gradient: (upstream) => [upstream, negate(upstream)],
});

const multiplyOp = elementwise({
  name: "multiply",
  arity: 2,
  cpu: (a, b) => a! * b!,
  wgsl: "multiply",
  gradient: (upstream, [a, b]) => [multiply(upstream, b!), multiply(upstream, a!)],
});

const divideOp = elementwise({
  name: "divide",
  arity: 2,
  cpu: (a, b) => a! / b!,
  wgsl: "divide",
  gradient: (upstream, [, b], quotient) => [divide(upstream, b!), negate(divide(multiply(upstream, quotient), b!))],
});

const negateOp = elementwise({
  name: "negate",
  arity: 1,
  cpu: (x) => -x!,
  wgsl: "negate",
  gradient: (upstream) => [negate(upstream)],
});

const expOp = elementwise({
  name: "exp",
  arity: 1,
  cpu: Math.exp,
  wgsl: "exponential",
  flops: 8,
  gradient: (upstream, _, output) => [multiply(upstream, output)],
});

const logOp = elementwise({
  name: "log",
  arity: 1,
  cpu: Math.log,
  wgsl: "logarithm",
  flops: 8,
  gradient: (upstream, [x]) => [divide(upstream, x!)],
});

const sqrtOp = elementwise({
  name: "sqrt",
  arity: 1,
  cpu: Math.sqrt,
  wgsl: "sqrt",
  flops: 8,
  gradient: (upstream, _, root) => [divide(multiply(upstream, 0.5), root)],
});

const squareOp = elementwise({
  name: "square",
  arity: 1,
  cpu: (x) => x! * x!,
  wgsl: "square",
  gradient: (upstream, [x]) => [multiply(upstream, multiply(x!, 2))],
});

const powerOp = elementwise({
  name: "power",
  arity: 1,
  cpu: (x, exponent) => Math.pow(x!, exponent!),
  wgsl: "power",
  flops: 16,
  gradient: (upstream, [x], _, [exponent]) => [multiply(upstream, multiply(power(x!, exponent! - 1), exponent!))],
});

const integerPowerOp = elementwise({
  name: "integerPower",
  arity: 1,
  cpu: (x, exponent) => Math.pow(x!, exponent!),
  wgsl: "integer_power",
  flops: 8,
  gradient: (upstream, [x], _, [exponent]) => [
    exponent === 0 ? undefined : multiply(upstream, multiply(power(x!, exponent! - 1), exponent!)),
  ],
});

const absOp = elementwise({
  name: "abs",
  arity: 1,
  cpu: Math.abs,
  wgsl: "abs",
  gradient: (upstream, [x]) => [multiply(upstream, signOp([x!]))],
});

const signOp = elementwise({ name: "sign", arity: 1, cpu: (x) => Math.sign(x!) || 0, wgsl: "sign_of" });

const minimumOp = elementwise({
  name: "minimum",
  arity: 2,
  cpu: Math.min,
  wgsl: "minimum",
  gradient: (upstream, [a, b]) => [select(greater(a!, b!), 0, upstream), select(lessEqual(a!, b!), 0, upstream)],
});

const maximumOp = elementwise({
  name: "maximum",
  arity: 2,
  cpu: Math.max,
  wgsl: "maximum",
  gradient: (upstream, [a, b]) => [select(less(a!, b!), 0, upstream), select(greaterEqual(a!, b!), 0, upstream)],
});

const lessOp = elementwise({ name: "less", arity: 2, cpu: (a, b) => Number(a! < b!), wgsl: "less" });
const lessEqualOp = elementwise({ name: "lessEqual", arity: 2, cpu: (a, b) => Number(a! <= b!), wgsl: "less_equal" });
const greaterOp = elementwise({ name: "greater", arity: 2, cpu: (a, b) => Number(a! > b!), wgsl: "greater" });
const greaterEqualOp = elementwise({
  name: "greaterEqual",
  arity: 2,
  cpu: (a, b) => Number(a! >= b!),
  wgsl: "greater_equal",
});
const equalOp = elementwise({ name: "equal", arity: 2, cpu: (a, b) => Number(a === b), wgsl: "equal" });
const notEqualOp = elementwise({ name: "notEqual", arity: 2, cpu: (a, b) => Number(a !== b), wgsl: "not_equal" });

const equalIndexOp = elementwise({
  name: "equalIndex",
  arity: 2,
  cpu: (a, b) => Number(a === b),
  wgsl: "equal_index",
  takes: "uint32",
});

const toFloatOp = elementwise({
  name: "toFloat",
  arity: 1,
  cpu: (x) => x!,
  wgsl: "f32",
  takes: "uint32",
  rearranges: true,
});

const isNotFiniteOp = elementwise({
  name: "isNotFinite",
  arity: 1,
  cpu: (x) => Number(!Number.isFinite(x!)),
  wgsl: "is_not_finite",
});

const selectOp = elementwise({
  name: "select",
  arity: 3,
  cpu: (condition, a, b) => (condition === 0 ? b! : a!),
  wgsl: "choose",
  gradient: (upstream, [condition]) => [undefined, select(condition!, upstream, 0), select(condition!, 0, upstream)],
});

/** a + b, elementwise with broadcasting. */
export const add = (a: Operand, b: Operand): Tensor => addOp([a, b]);

/** a − b, elementwise with broadcasting. */
export const subtract = (a: Operand, b: Operand): Tensor => subtractOp([a, b]);

/** a · b, elementwise with broadcasting. */
export const multiply = (a: Operand, b: Operand): Tensor => multiplyOp([a, b]);

/** a / b, elementwise with broadcasting. */
export const divide = (a: Operand, b: Operand): Tensor => divideOp([a, b]);

/** −x. */
export const negate = (x: Operand): Tensor => negateOp([x]);

/** eˣ; overflows to infinity above 88.7. */
export const exp = (x: Operand): Tensor => expOp([x]);

/** The natural logarithm; −infinity at 0, NaN below. */
export const log = (x: Operand): Tensor => logOp([x]);

/** The square root; NaN below 0. */
export const sqrt = (x: Operand): Tensor => sqrtOp([x]);

/** x². */
export const square = (x: Operand): Tensor => squareOp([x]);

/**
 * x to a constant power. Whole exponents up to 64 are computed by multiplication, so x may be negative. Other exponents
 * need x ≥ 0, since WGSL's `pow` returns NaN otherwise.
 */
export const power = (x: Operand, exponent: number): Tensor =>
  (Number.isInteger(exponent) && Math.abs(exponent) <= 64 ? integerPowerOp : powerOp)([x], exponent);

/** |x|. Its derivative at 0 is 0. */
export const abs = (x: Operand): Tensor => absOp([x]);

/**
 * The smaller of two numbers; NaN if one is NaN. If both are equal, the gradient flows to the first; if one is NaN, to
 * both.
 */
export const minimum = (a: Operand, b: Operand): Tensor => minimumOp([a, b]);

/**
 * The larger of two numbers; NaN if one is NaN. If both are equal, the gradient flows to the first; if one is NaN, to
 * both.
 */
export const maximum = (a: Operand, b: Operand): Tensor => maximumOp([a, b]);

/** 1 where a < b, else 0. Comparisons have no gradient. */
export const less = (a: Operand, b: Operand): Tensor => lessOp([a, b]);

/** 1 where a ≤ b, else 0. */
export const lessEqual = (a: Operand, b: Operand): Tensor => lessEqualOp([a, b]);

/** 1 where a > b, else 0. */
export const greater = (a: Operand, b: Operand): Tensor => greaterOp([a, b]);

/** 1 where a ≥ b, else 0. */
export const greaterEqual = (a: Operand, b: Operand): Tensor => greaterEqualOp([a, b]);

/** 1 where a = b, else 0. Both operands are float32, or both uint32 (labels, results of argmax). */
export const equal = (a: Operand, b: Operand): Tensor =>
  [a, b].some((operand) => typeof operand !== "number" && operand.dtype === "uint32")
    ? equalIndexOp([a, b])
    : equalOp([a, b]);

/** 1 where a ≠ b, else 0. */
export const notEqual = (a: Operand, b: Operand): Tensor => notEqualOp([a, b]);

/**
 * 1 where x is NaN or infinite, else 0. On a GPU it tests the bits, since the compiler may assume that there is no NaN.
 */
export const isNotFinite = (x: Operand): Tensor => isNotFiniteOp([x]);

/** `a` where the condition is not 0, else `b`. The gradient flows to the chosen operand, and not to the condition. */
export const select = (condition: Operand, a: Operand, b: Operand): Tensor => selectOp([condition, a, b]);

/** Converts uint32 to float32; exact up to 2²⁴. A float32 tensor is returned as it is. */
export const toFloat = (x: Tensor): Tensor => (x.dtype === "float32" ? x : toFloatOp([x]));
