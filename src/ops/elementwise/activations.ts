import type { Tensor } from "../../graph/tensor.ts";
import { multiply, select } from "./arithmetic.ts";
import { erfc } from "./erf.ts";
import { elementwise, type Operand } from "./function.ts";

/** An activation: a function of one number and its derivative, each in JavaScript and in WGSL. */
export interface ActivationRow {
  readonly name: string;
  /** The function in JavaScript (float64). Parameters follow the argument. */
  readonly cpu: (x: number, ...parameters: number[]) => number;
  /** The name of the WGSL function: one in `source`, or a built-in one. */
  readonly wgsl: string;
  readonly derivative: {
    /** The derivative in JavaScript. */
    readonly cpu: (x: number, ...parameters: number[]) => number;
    /** The name of its WGSL function. */
    readonly wgsl: string;
    /** Whether the derivative is computed from the output, so that the input need not be kept. */
    readonly ofOutput?: boolean;
    /**
     * Whether the derivative is 0 or 1. Where it is 0, the gradient is 0 even if the upstream gradient is not finite.
     */
    readonly isGate?: boolean;
    /** Whether the derivative is constant almost everywhere, so that second derivatives are 0. Implied by `isGate`. */
    readonly isPiecewiseConstant?: boolean;
  };
  /** WGSL source of both functions, unless they are built-in: `fn NAME(x: f32, …) -> f32 { … }`. */
  readonly source?: string;
  /** Floating-point operations, where a transcendental function counts as 8; 1 by default. */
  readonly flops?: number;
}

/** Makes an activation function, from a tensor and parameters to a tensor. */
/* @__NO_SIDE_EFFECTS__ */
export function makeActivation(row: ActivationRow): (x: Operand, ...parameters: number[]) => Tensor {
  const { name, source, flops, derivative } = row;
  const derivativeOp = elementwise({
    name: `${name}Derivative`,
    arity: 1,
    cpu: derivative.cpu as (...values: number[]) => number,
    wgsl: derivative.wgsl,
    source,
    flops,
    // Otherwise second derivatives would be computed as 0.
    ...(!derivative.isGate && !derivative.isPiecewiseConstant && { gradient: "unknown" }),
  });
  const op = elementwise({
    name,
    arity: 1,
    cpu: row.cpu as (...values: number[]) => number,
    wgsl: row.wgsl,
    source,
    flops,
    gradient: (upstream, [x], output, parameters) => {
      const slope = derivativeOp([derivative.ofOutput ? output : x!], ...parameters);
      return [derivative.isGate ? select(slope, upstream, 0) : multiply(upstream, slope)];
    },
  });
  return (x, ...parameters) => op([x], ...parameters);
}

const sigmoidOf = (x: number) => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x)));
const sigmoidSlope = (x: number) => sigmoidOf(x) * sigmoidOf(-x);
const normalDensity = (x: number) => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
const normalBelow = (x: number) => erfc(-x / Math.SQRT2) / 2;
const geluInner = (x: number) => Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3);
const geluInnerSlope = (x: number) => Math.sqrt(2 / Math.PI) * (1 + 3 * 0.044715 * x * x);
// 1 − tanh(v)², without cancellation near |tanh| = 1.
const tanhSlope = (x: number) => 4 * sigmoidSlope(2 * x);

/** x itself. */
export const identity = makeActivation({
  name: "identity",
  cpu: (x) => x,
  wgsl: "identity",
  derivative: { cpu: () => 1, wgsl: "identity_derivative", ofOutput: true, isPiecewiseConstant: true },
  flops: 0,
});

/** The Heaviside step function: 1 for x ≥ 0, else 0 (McCulloch and Pitts 1943). Its derivative is 0. */
export const step = makeActivation({
  name: "step",
  cpu: (x) => Number(x >= 0),
  wgsl: "heaviside",
  derivative: { cpu: () => 0, wgsl: "heaviside_derivative", ofOutput: true, isGate: true },
  flops: 1,
});

/** 1 / (1 + e⁻ˣ). */
export const sigmoid = makeActivation({
  name: "sigmoid",
  cpu: sigmoidOf,
  wgsl: "sigmoid",
  derivative: { cpu: sigmoidSlope, wgsl: "sigmoid_derivative" },
  flops: 10,
});

/** The hyperbolic tangent. */
export const tanh = makeActivation({
  name: "tanh",
  cpu: Math.tanh,
  wgsl: "hyperbolic_tangent",
  derivative: { cpu: tanhSlope, wgsl: "hyperbolic_tangent_derivative" },
  flops: 12,
});

/** max(0, x). Its derivative at 0 is 0. */
export const relu = makeActivation({
  name: "relu",
  cpu: (x) => Math.max(0, x),
  wgsl: "relu",
  derivative: { cpu: (x) => (x <= 0 ? 0 : 1), wgsl: "relu_derivative", ofOutput: true, isGate: true },
  flops: 1,
});

const leakyReluRow = makeActivation({
  name: "leakyRelu",
  cpu: (x, slope) => (x > 0 ? x : slope! * x),
  wgsl: "leaky_relu",
  derivative: { cpu: (x, slope) => (x > 0 ? 1 : slope!), wgsl: "leaky_relu_derivative", isPiecewiseConstant: true },
  flops: 2,
});

/** x for x > 0, else slope · x (Maas, Hannun and Ng 2013); slope 0.01 by default. */
export const leakyRelu = (x: Operand, slope = 0.01): Tensor => leakyReluRow(x, slope);

const eluRow = makeActivation({
  name: "elu",
  cpu: (x, alpha) => (x > 0 ? x : alpha! * Math.expm1(x)),
  wgsl: "elu",
  derivative: { cpu: (x, alpha) => (x <= 0 ? alpha! * Math.exp(x) : 1), wgsl: "elu_derivative" },
  flops: 10,
});

/** x for x > 0, else α (eˣ − 1) (Clevert, Unterthiner and Hochreiter 2016, equation 15); α = 1 by default. */
export const elu = (x: Operand, alpha = 1): Tensor => eluRow(x, alpha);

/** ln(1 + eˣ). */
export const softplus = makeActivation({
  name: "softplus",
  cpu: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  wgsl: "softplus",
  derivative: { cpu: sigmoidOf, wgsl: "sigmoid" },
  flops: 20,
});

/** x · ½ (1 + tanh(√(2/π) (x + 0.044715 x³))) (Hendrycks and Gimpel 2016, section 2). */
export const geluTanh = makeActivation({
  name: "geluTanh",
  cpu: (x) => x * sigmoidOf(2 * geluInner(x)),
  wgsl: "gelu_tanh",
  derivative: {
    cpu: (x) => sigmoidOf(2 * geluInner(x)) + 0.5 * x * tanhSlope(geluInner(x)) * geluInnerSlope(x),
    wgsl: "gelu_tanh_derivative",
  },
  flops: 20,
});

/** x · Φ(x), where Φ is the normal distribution function (Hendrycks and Gimpel 2016, equation 1). */
export const gelu = makeActivation({
  name: "gelu",
  cpu: (x) => x * normalBelow(x),
  wgsl: "gelu",
  derivative: { cpu: (x) => normalBelow(x) + x * normalDensity(x), wgsl: "gelu_derivative" },
  flops: 24,
});

/** x · sigmoid(x) (Elfwing, Uchibe and Doya 2018). */
export const silu = makeActivation({
  name: "silu",
  cpu: (x) => x * sigmoidOf(x),
  wgsl: "silu",
  derivative: { cpu: (x) => sigmoidOf(x) * (1 + x * sigmoidOf(-x)), wgsl: "silu_derivative" },
  flops: 12,
});
