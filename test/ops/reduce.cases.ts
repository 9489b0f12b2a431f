import { divide, multiply, subtract } from "../../src/ops/elementwise/index.ts";
import { sizeOf, type Shape } from "../../src/graph/tensor.ts";
import { argmax, max, mean, sum, type ReduceOptions } from "../../src/ops/reduce/index.ts";
import { distinct, opCase, tied, uniform, type Draw, type OpCase } from "./cases.ts";

interface Reduction extends ReduceOptions {
  readonly shape: Shape;
}

/** For every reduction, since all read the same elements. */
const small: Reduction[] = [
  { shape: [] },
  { shape: [65] },
  { shape: [3, 17], axes: 0 },
  { shape: [3, 17], axes: -1, keepAxes: true },
  { shape: [3, 5, 4], axes: 1 },
  { shape: [2, 3, 4, 5], axes: [-1, 0, 2] },
  { shape: [2, 3, 4, 5], keepAxes: true },
];

/** For the sum, whose kernel is shared by the mean and the maximum. */
const otherSmall: Reduction[] = [
  { shape: [1] },
  { shape: [17, 1], axes: 1 },
  { shape: [3, 5, 4], axes: [0, 1] },
  { shape: [3, 5, 4], axes: [2, 0], keepAxes: true },
  { shape: [3, 5, 4], axes: [], keepAxes: true },
  { shape: [2, 3, 4, 5], axes: [1, 2] },
];

const large: Reduction[] = [
  { shape: [100_003] },
  { shape: [317, 331], axes: 0 },
  { shape: [317, 331], axes: 1 },
  { shape: [17, 129, 65], axes: 1 },
];

const otherLarge: Reduction[] = [
  { shape: [2, 50_001], axes: 1, keepAxes: true },
  { shape: [50_001, 2], axes: 0 },
  { shape: [33_001, 17], axes: 0 },
  { shape: [7, 65, 3, 129], axes: [0, 2] },
];

function describe(op: string, { shape, axes, keepAxes }: Reduction): string {
  const over = axes === undefined ? "" : ` over ${String(axes) || "no axis"}`;
  return `${op} of [${shape.join(", ")}]${over}${keepAxes ? ", kept" : ""}`;
}

/** The number of elements in one result. */
function joinedBy({ shape, axes }: Reduction): number {
  const named = axes === undefined ? shape.map((_, axis) => axis) : [axes].flat();
  return sizeOf(named.map((axis) => shape.at(axis)!));
}

function summing(op: "sum" | "mean", reduction: Reduction, parityOnly: boolean): OpCase {
  const joined = joinedBy(reduction);
  return opCase({
    name: describe(op, reduction),
    covers: [op],
    inputs: { x: { shape: reduction.shape, draw: uniform(-2, 2) } },
    build: ({ x }) => (op === "sum" ? sum : mean)(x, reduction),
    differentiable: parityOnly ? {} : { x: 1 },
    tolerance: { c: 4, joined, term: op === "sum" ? 1 : 1 / joined },
    parityOnly,
  });
}

const maxima = (reduction: Reduction, draw: Draw, suffix: string, parityOnly: boolean): OpCase =>
  opCase({
    name: describe("max", reduction) + suffix,
    covers: ["max"],
    inputs: { x: { shape: reduction.shape, draw } },
    build: ({ x }) => max(x, reduction),
    differentiable: sizeOf(reduction.shape) > 1000 ? {} : { x: 1 },
    tolerance: "exact",
    parityOnly,
  });

const indices = (reduction: Reduction, draw: Draw, suffix: string): OpCase =>
  opCase({
    name: describe("argmax", reduction) + suffix,
    covers: ["argmax"],
    inputs: { x: { shape: reduction.shape, draw } },
    build: ({ x }) => argmax(x, reduction),
    tolerance: "exact",
  });

/** Argmax supports one axis or all. */
const hasIndex = ({ shape, axes }: Reduction) => {
  const count = axes === undefined ? shape.length : [axes].flat().length;
  return count <= 1 || count === shape.length;
};

const composite = opCase({
  name: "normalised by mean and sum",
  covers: ["mean", "sum"],
  inputs: { x: { shape: [5, 7], draw: uniform(0.5, 2) } },
  build: ({ x }) => divide(subtract(x, mean(x, { axes: 0 })), sum(multiply(x, x), { axes: 1, keepAxes: true })),
  differentiable: { x: 7 },
  tolerance: { c: 16, joined: 7 },
});

const withIndex = [...small, ...large].filter(hasIndex);

export const cases: readonly OpCase[] = [
  ...[...small, ...otherSmall].map((reduction) => summing("sum", reduction, false)),
  ...[...large, ...otherLarge].map((reduction) => summing("sum", reduction, true)),
  ...small.map((reduction) => summing("mean", reduction, false)),
  ...large.map((reduction) => summing("mean", reduction, true)),
  ...small.map((reduction) => maxima(reduction, distinct, "", false)),
  ...[...small, ...large].map((reduction) => maxima(reduction, tied, ", tied", true)),
  ...large.map((reduction) => maxima(reduction, uniform(-2, 2), "", true)),
  ...withIndex.map((reduction) => indices(reduction, distinct, "")),
  ...withIndex.map((reduction) => indices(reduction, tied, ", tied")),
  composite,
];
