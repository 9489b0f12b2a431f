import { multiply } from "../../src/ops/elementwise/index.ts";
import { stopGradient } from "../../src/ops/layout/index.ts";
import { randomNormal, randomUniform } from "../../src/ops/random/index.ts";
import { min, product, variance } from "../../src/ops/reduce/index.ts";
import { cumulativeSum } from "../../src/ops/scan/index.ts";
import { logSoftmax, logSumExp, softmax } from "../../src/ops/softmax/index.ts";
import { ulp } from "./accuracy.ts";
import { distinct, exactly, opCase, uniform, type OpCase } from "./cases.ts";

const x = (shape: readonly number[]) => ({ shape, draw: uniform(-2, 2) });
/** Exponentials of up to e⁴, a sum and a logarithm. */
const EXPONENTIALS = { c: 16, joined: 17, functionError: () => 2 ** -20 + 16 * ulp(1) } as const;

const reductions: OpCase[] = [
  opCase({
    name: "min over the last axis",
    covers: ["min"],
    inputs: { x: { shape: [5, 17], draw: distinct } },
    build: (inputs) => min(inputs.x, { axes: -1 }),
    differentiable: { x: 1 },
    tolerance: "exact",
  }),
  opCase({
    name: "product over the middle axis",
    covers: ["product"],
    inputs: { x: { shape: [3, 9, 2], draw: uniform(0.5, 1.5) } },
    build: (inputs) => product(inputs.x, { axes: 1 }),
    differentiable: { x: 9 },
    tolerance: { c: 16 },
  }),
  opCase({
    name: "product of factors, one of them 0",
    covers: ["product"],
    inputs: { x: { shape: [2, 4], draw: exactly(1.5, 0, -2, 0.5, 3, 1.25, -1, 2) } },
    build: (inputs) => product(inputs.x, { axes: 1, keepAxes: true }),
    differentiable: { x: 4 },
    tolerance: { c: 8 },
  }),
  opCase({
    name: "product of 1,000 factors",
    covers: ["product"],
    inputs: { x: { shape: [1000, 3], draw: uniform(0.99, 1.01) } },
    build: (inputs) => product(inputs.x, { axes: 0 }),
    tolerance: { c: 4, joined: 1000 },
  }),
  opCase({
    name: "variance over two axes",
    covers: ["variance"],
    inputs: { x: x([3, 5, 4]) },
    build: (inputs) => variance(inputs.x, { axes: [0, 2], correction: 1 }),
    differentiable: { x: 12 },
    tolerance: { c: 8, joined: 12 },
  }),
  opCase({
    name: "variance of equal elements far from 0",
    covers: ["variance"],
    inputs: { x: { shape: [2, 64], draw: (_, size) => Array.from({ length: size }, () => 1e6) } },
    build: (inputs) => variance(inputs.x, { axes: 1 }),
    tolerance: "exact",
  }),
  opCase({
    name: "cumulativeSum along the middle axis",
    covers: ["cumulativeSum"],
    inputs: { x: x([3, 17, 2]) },
    build: (inputs) => cumulativeSum(inputs.x, 1),
    differentiable: { x: 17 },
    tolerance: { c: 4, joined: 17, term: 1 },
  }),
  opCase({
    name: "cumulativeSum along axes of equal size",
    covers: ["cumulativeSum"],
    inputs: { x: x([4, 1, 4]) },
    build: (inputs) => cumulativeSum(inputs.x, -1),
    differentiable: { x: 4 },
    tolerance: { c: 4, joined: 4, term: 1 },
  }),
];

const exponentials: OpCase[] = [
  opCase({
    name: "logSumExp over the last axis",
    covers: ["logSumExp"],
    inputs: { x: { shape: [5, 17], draw: uniform(-2, 2), special: [80, -90] } },
    build: (inputs) => logSumExp(inputs.x, { axes: -1 }),
    differentiable: { x: 17 },
    tolerance: EXPONENTIALS,
    gradientTolerance: { functionError: () => 2 ** -18 },
  }),
  opCase({
    name: "logSumExp over all axes, kept",
    covers: ["logSumExp"],
    inputs: { x: x([3, 5]) },
    build: (inputs) => logSumExp(inputs.x, { keepAxes: true }),
    differentiable: { x: 15 },
    tolerance: EXPONENTIALS,
    gradientTolerance: { functionError: () => 2 ** -18 },
  }),
  opCase({
    name: "softmax over the first axis",
    covers: ["softmax"],
    inputs: { x: x([7, 3, 2]) },
    build: (inputs) => softmax(inputs.x, { axis: 0 }),
    differentiable: { x: 7 },
    tolerance: EXPONENTIALS,
    gradientTolerance: { functionError: () => 2 ** -18 },
  }),
  opCase({
    name: "logSoftmax over the middle axis",
    covers: ["logSoftmax"],
    inputs: { x: x([2, 7, 3]) },
    build: (inputs) => logSoftmax(inputs.x, { axis: 1 }),
    differentiable: { x: 7 },
    tolerance: EXPONENTIALS,
    gradientTolerance: { functionError: () => 2 ** -18 },
  }),
];

const key = { shape: [], dtype: "uint32", draw: exactly(0x9e3779b9) } as const;

const drawn: OpCase[] = [
  opCase({
    name: "randomUniform",
    covers: ["randomUniform"],
    inputs: { key },
    build: (inputs) => randomUniform([65, 17], inputs.key),
    tolerance: "exact",
  }),
  opCase({
    name: "randomNormal",
    covers: ["randomNormal"],
    inputs: { key },
    build: (inputs) => randomNormal([1000], inputs.key),
    // A logarithm and 1 − x of a rounded x; both polynomials have slopes below 1.
    tolerance: { c: 16, functionError: () => 2 ** -19 },
  }),
];

const stopped = opCase({
  name: "stopGradient of one of two factors",
  covers: ["stopGradient"],
  inputs: { x: x([17]), y: x([17]) },
  build: (inputs) => multiply(stopGradient(inputs.x), inputs.y),
  differentiable: { y: 1 },
  tolerance: { c: 2, scale: "each" },
});

export const cases: readonly OpCase[] = [...reductions, ...exponentials, ...drawn, stopped];
