/*
 * Functions of one number beyond arithmetic: their WGSL is in shaders/functions.wgsl, which only kernels that call them hold.
 */
import type { Tensor } from "../../graph/tensor.ts";
import { add, divide, exp, maximum, minimum, multiply, negate } from "./arithmetic.ts";
import { elementwise, type Operand } from "./function.ts";

const sinOp = elementwise({
  name: "sin",
  arity: 1,
  cpu: Math.sin,
  wgsl: "sin_of",
  flops: 8,
  gradient: (upstream, [x]) => [multiply(upstream, cos(x!))],
});

const cosOp = elementwise({
  name: "cos",
  arity: 1,
  cpu: Math.cos,
  wgsl: "cos_of",
  flops: 8,
  gradient: (upstream, [x]) => [negate(multiply(upstream, sin(x!)))],
});

const floorOp = elementwise({ name: "floor", arity: 1, cpu: Math.floor, wgsl: "floor_of" });

const roundOp = elementwise({ name: "round", arity: 1, cpu: roundHalfToEven, wgsl: "round_of" });

const signOp = elementwise({ name: "sign", arity: 1, cpu: Math.sign, wgsl: "sign_or_nan" });

const log1pOp = elementwise({
  name: "log1p",
  arity: 1,
  cpu: Math.log1p,
  wgsl: "logarithm_of_one_plus",
  flops: 16,
  gradient: (upstream, [x]) => [divide(upstream, add(x!, 1))],
});

const expm1Op = elementwise({
  name: "expm1",
  arity: 1,
  cpu: Math.expm1,
  wgsl: "exponential_minus_one",
  flops: 16,
  gradient: (upstream, [x]) => [multiply(upstream, exp(x!))],
});

const rsqrtOp = elementwise({
  name: "rsqrt",
  arity: 1,
  cpu: (x) => 1 / Math.sqrt(x!),
  wgsl: "inverse_root",
  flops: 8,
  gradient: (upstream, [x], root) => [multiply(upstream, divide(multiply(root, -0.5), x!))],
});

const remainderOp = elementwise({
  name: "remainder",
  arity: 2,
  cpu: (a, b) => remainderOf(a!, b!),
  wgsl: "remainder_of",
  flops: 8,
  gradient: (upstream, [a, b]) => [upstream, negate(multiply(upstream, floor(divide(a!, b!))))],
});

function roundHalfToEven(x: number): number {
  const below = Math.floor(x);
  const distance = x - below;
  if (distance !== 0.5) return distance < 0.5 ? below : below + 1;
  return below % 2 === 0 ? below : below + 1;
}

function remainderOf(a: number, b: number): number {
  const rest = a % b;
  return rest !== 0 && rest < 0 !== b < 0 ? rest + b : rest;
}

/** The sine of an angle in radians. Drivers may be 2⁻¹¹ off for |x| ≤ π, and more beyond. */
export const sin = (x: Operand): Tensor => sinOp([x]);

/** The cosine of an angle in radians. Drivers may be 2⁻¹¹ off for |x| ≤ π, and more beyond. */
export const cos = (x: Operand): Tensor => cosOp([x]);

/** The largest whole number that is not above x. No gradient flows. */
export const floor = (x: Operand): Tensor => floorOp([x]);

/** The nearest whole number, the even one of two. No gradient flows. */
export const round = (x: Operand): Tensor => roundOp([x]);

/** −1, 0 or 1, or NaN. No gradient flows. */
export const sign = (x: Operand): Tensor => signOp([x]);

/** x, but not below `low` or above `high`, NaN where it is; the gradient flows where x is kept. */
export const clip = (x: Operand, low: Operand, high: Operand): Tensor => minimum(maximum(x, low), high);

/** ln(1 + x), also for x near 0; −infinity at −1, NaN below. */
export const log1p = (x: Operand): Tensor => log1pOp([x]);

/** eˣ − 1, also for x near 0. */
export const expm1 = (x: Operand): Tensor => expm1Op([x]);

/** 1 / √x; infinity at 0, NaN below. */
export const rsqrt = (x: Operand): Tensor => rsqrtOp([x]);

/** The rest of a / b, with the sign of b, as in Python and PyTorch. */
export const remainder = (a: Operand, b: Operand): Tensor => remainderOp([a, b]);
