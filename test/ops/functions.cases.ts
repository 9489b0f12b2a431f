import { clip, cos, expm1, floor, log1p, remainder, round, rsqrt, sign, sin } from "../../src/ops/elementwise/index.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import { expError, logError, ulp } from "./accuracy.ts";
import { awayFromZero, exactly, GAP, opCase, uniform, type Draw, type OpCase, type Tolerance } from "./cases.ts";

/** WGSL: sin and cos have an absolute error of 2⁻¹¹ for |x| ≤ π. */
const ANGLE: Tolerance = { c: 0, functionError: () => 2 ** -11 };

/** Numbers at least GAP from the places where floor and round jump. */
const between: Draw = (random, size) =>
  Array.from({ length: size }, () => random.below(9) - 4 + random.uniform(GAP, 0.5 - GAP) + random.below(2) / 2);

/** Constant almost everywhere. */
const STEPS = new Set(["floor", "round", "sign"]);

interface Unary {
  readonly op: string;
  readonly f: (x: Tensor) => Tensor;
  readonly draw: Draw;
  readonly special?: readonly number[];
  readonly tolerance: Tolerance | "exact";
  readonly gradientTolerance?: Partial<Tolerance>;
}

const unary: readonly Unary[] = [
  {
    op: "sin",
    f: sin,
    draw: uniform(-3, 3),
    special: [0],
    tolerance: ANGLE,
    gradientTolerance: { functionError: () => 2 ** -10 },
  },
  {
    op: "cos",
    f: cos,
    draw: uniform(-3, 3),
    special: [0],
    tolerance: ANGLE,
    gradientTolerance: { functionError: () => 2 ** -10 },
  },
  { op: "floor", f: floor, draw: between, special: [0, -1, 3, 1e9], tolerance: "exact" },
  { op: "round", f: round, draw: between, special: [0.5, 1.5, -0.5, -2.5, 3, 1e9], tolerance: "exact" },
  { op: "sign", f: sign, draw: awayFromZero(2), special: [0], tolerance: "exact" },
  {
    op: "log1p",
    f: log1p,
    draw: uniform(-0.9, 4),
    special: [0, 1e-6, -1e-6, 1e6, 0.3, -0.3],
    tolerance: {
      c: 8,
      scale: "each",
      functionError: (_, element, { x }) =>
        Math.abs(x![element]!) < Math.fround(0.3) ? 0 : logError(1 + x![element]!) + 2 ** -22,
    },
  },
  {
    op: "expm1",
    f: expm1,
    draw: uniform(-3, 3),
    special: [0, 1e-6, -1e-6, 0.35, -0.35],
    tolerance: {
      c: 8,
      scale: "each",
      functionError: (_, element, { x }) =>
        Math.abs(x![element]!) < Math.fround(0.35) ? 0 : expError(x![element]!) + ulp(1),
    },
    gradientTolerance: { functionError: (_, element, { x }) => 1.5 * expError(x![element]!) },
  },
  {
    op: "rsqrt",
    f: rsqrt,
    draw: uniform(0.3, 4),
    special: [1e-6, 1e6],
    tolerance: { c: 0, functionError: (root) => 4.5 * ulp(root) },
    gradientTolerance: { functionError: (value) => 12 * ulp(value) },
  },
];

const single = unary.map(({ op, f, draw, special, tolerance, gradientTolerance }) =>
  opCase({
    name: op,
    covers: [op],
    inputs: { x: { shape: [5, 13], draw, ...(special && { special }) } },
    build: ({ x }) => f(x),
    ...(!STEPS.has(op) && { differentiable: { x: 1 } }),
    tolerance,
    ...(gradientTolerance && { gradientTolerance }),
  }),
);

const others: OpCase[] = [
  opCase({
    name: "clip by numbers",
    covers: ["clip"],
    inputs: { x: { shape: [3, 17], draw: between, special: [-1.5, 2] } },
    build: ({ x }) => clip(x, -1.5, 2),
    differentiable: { x: 1 },
    tolerance: "exact",
  }),
  opCase({
    name: "clip by tensors that are broadcast",
    covers: ["clip"],
    inputs: {
      x: { shape: [4, 7], draw: uniform(-3, 3) },
      low: { shape: [4, 1], draw: exactly(-1.5, -0.5, 0.25, -2) },
      high: { shape: [7], draw: exactly(0.5, 1, 1.5, 2, 0.75, 2.5, 1.25) },
    },
    build: ({ x, low, high }) => clip(x, low, high),
    differentiable: { x: 1, low: 7, high: 4 },
    tolerance: "exact",
  }),
  opCase({
    name: "remainder, with the sign of the divisor",
    covers: ["remainder"],
    // Quotients stay away from whole numbers, where the rest jumps.
    inputs: { a: { shape: [4, 9], draw: between }, b: { shape: [4, 1], draw: () => [1, -1, 2, -0.5] } },
    build: ({ a, b }) => remainder(a, b),
    differentiable: { a: 1 },
    tolerance: { c: 8 },
  }),
  opCase({
    name: "remainder by a divisor of its own, whose gradient is the quotient rounded down",
    covers: ["remainder"],
    // Quotients are n + 0.2 to n + 0.8, so that no difference crosses a jump.
    inputs: {
      a: { shape: [2, 5], draw: exactly(2.5, -1.4, 7.1, 0.6, -3.3, 5.5, 1.3, -0.5, 4.4, 2.6) },
      b: { shape: [5], draw: exactly(1, -2, 1.5, 0.8, 2) },
    },
    build: ({ a, b }) => remainder(a, b),
    differentiable: { a: 1, b: 2 },
    tolerance: { c: 8 },
  }),
];

export const cases: readonly OpCase[] = [...single, ...others];
