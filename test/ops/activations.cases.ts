import type { Tensor } from "../../src/graph/tensor.ts";
import {
  elu,
  gelu,
  geluTanh,
  identity,
  leakyRelu,
  relu,
  sigmoid,
  silu,
  softplus,
  step,
  tanh,
} from "../../src/ops/elementwise/index.ts";
import { divisionError, expError, SMALLEST_NORMAL, ulp } from "./accuracy.ts";
import { awayFromZero, opCase, uniform, type InputValues, type OpCase, type Tolerance } from "./cases.ts";

interface Activation {
  readonly name: string;
  readonly op: string;
  readonly f: (x: Tensor) => Tensor;
  readonly tolerance: Tolerance | "exact";
}

/** An error bound that depends on the argument. */
const of =
  (error: (x: number, reference: number) => number) =>
  (reference: number, element: number, { x }: InputValues): number =>
    error(x![element]!, reference);

/**
 * A result proportional to the sigmoid: the relative error of e^(−|x|), weighted by its effect, and of the division.
 */
function sigmoidError(x: number, reference: number): number {
  const share = 1 / (1 + Math.exp(x));
  return share * (3 + 2 * Math.abs(x)) * ulp(reference) + divisionError(reference);
}

/** (1 − e) / (1 + e) with e = exp(−2|x|) for |x| ≥ 0.25: the error of e times the derivative by e, and the division. */
function tanhError(x: number, reference: number): number {
  if (Math.abs(x) < 0.25) return 0;
  const e = Math.exp(-2 * Math.abs(x));
  return (2 / (1 + e) ** 2) * expError(-2 * Math.abs(x)) + divisionError(reference);
}

/** log(1 + e^(−|x|)), whose argument is in [1, 2]: log's 2⁻²¹, and the error of the exponential. */
const LOG_OF_SUM = 2 ** -21 + 3 * ulp(1);

const activations: Activation[] = [
  { name: "identity", op: "identity", f: identity, tolerance: "exact" },
  { name: "step", op: "step", f: step, tolerance: "exact" },
  { name: "relu", op: "relu", f: relu, tolerance: "exact" },
  { name: "leakyRelu", op: "leakyRelu", f: leakyRelu, tolerance: { c: 4, scale: "each" } },
  { name: "leakyRelu 0.3", op: "leakyRelu", f: (x) => leakyRelu(x, 0.3), tolerance: { c: 4, scale: "each" } },
  {
    name: "sigmoid",
    op: "sigmoid",
    f: sigmoid,
    tolerance: { c: 4, scale: "each", functionError: of(sigmoidError) },
  },
  {
    name: "tanh",
    op: "tanh",
    f: tanh,
    tolerance: { c: 8, scale: "each", functionError: of(tanhError) },
  },
  ...[1, 1.7].map((alpha): Activation => ({
    name: `elu ${alpha}`,
    op: "elu",
    f: (x) => elu(x, alpha),
    // e^x − 1 cancels near 0, so an error of e^x is absolute there.
    tolerance: { c: 4, scale: "each", functionError: of((x) => (x > 0 ? 0 : alpha * expError(x))) },
  })),
  {
    name: "softplus",
    op: "softplus",
    f: softplus,
    tolerance: { c: 4, scale: "each", functionError: () => LOG_OF_SUM },
  },
  {
    name: "geluTanh",
    op: "geluTanh",
    f: geluTanh,
    // The exponent is a polynomial with a few roundings. Their effect is largest near |x| = 1.
    tolerance: { c: 8, functionError: of((x) => Math.abs(x) * 3 * ulp(1)) },
  },
  {
    name: "gelu",
    op: "gelu",
    f: gelu,
    // Abramowitz and Stegun 7.1.26: an error of 1.5e-7 in erf, and half of that in the distribution function.
    tolerance: { c: 8, functionError: of((x) => Math.abs(x) * (0.75e-7 + 3 * ulp(0.5))) },
  },
  {
    name: "silu",
    op: "silu",
    f: silu,
    // Where the sigmoid is flushed to 0, so is x times it.
    tolerance: {
      c: 4,
      scale: "each",
      functionError: of((x, reference) => sigmoidError(x, reference) + Math.abs(x) * SMALLEST_NORMAL),
    },
  },
];

const ordinary = activations.map(({ name, op, f, tolerance }) =>
  opCase({
    name,
    covers: [op],
    inputs: { x: { shape: [3, 17], draw: awayFromZero(5) } },
    build: ({ x }) => f(x),
    differentiable: { x: 1 },
    tolerance,
  }),
);

const extreme = activations.map(({ name, op, f, tolerance }) =>
  opCase({
    name: `${name} of large arguments and 0`,
    covers: [op],
    inputs: {
      x: {
        shape: [65],
        draw: uniform(-30, 30),
        special: [0, 100, -100, 1e4, -1e4, 20, -20, 88.8, -88.8, 1e-3, -1e-3, 1e-20, -1e-20],
      },
    },
    build: ({ x }) => f(x),
    differentiable: { x: 1 },
    tolerance,
    parityOnly: true,
  }),
);

const large = opCase({
  name: "tanh of [129, 1000]",
  covers: ["tanh"],
  inputs: { x: { shape: [129, 1000], draw: uniform(-3, 3) } },
  build: ({ x }) => tanh(x),
  tolerance: { c: 8, scale: "each", functionError: of(tanhError) },
  parityOnly: true,
});

export const cases: readonly OpCase[] = [...ordinary, ...extreme, large];
