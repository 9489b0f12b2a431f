import { add, multiply, square } from "../../src/ops/elementwise/index.ts";
import { batchNorm } from "../../src/ops/normalization/index.ts";
import { opCase, uniform, type OpCase } from "./cases.ts";

const x = (shape: readonly number[]) => ({ shape, draw: uniform(-2, 2) });

export const cases: readonly OpCase[] = [
  opCase({
    name: "batchNorm of images, with factors",
    covers: ["batchNorm"],
    inputs: { x: x([3, 2, 5, 4]), weight: x([4]), bias: x([4]) },
    build: ({ x: images, weight, bias }) => batchNorm(images, { affine: { weight, bias } }).values,
    differentiable: { x: 30, weight: 30, bias: 30 },
    tolerance: { c: 16, joined: 30 },
  }),
  opCase({
    name: "batchNorm of rows, without factors, with a large epsilon",
    covers: ["batchNorm"],
    inputs: { x: x([17, 3]) },
    build: (inputs) => batchNorm(inputs.x, { epsilon: 0.5 }).values,
    differentiable: { x: 17 },
    tolerance: { c: 16, joined: 17 },
  }),
  opCase({
    name: "batchNorm of many rows, summed in parts",
    covers: ["batchNorm"],
    inputs: { x: x([8, 64, 3]), weight: x([3]), bias: x([3]) },
    build: ({ x: signals, weight, bias }) => batchNorm(signals, { affine: { weight, bias } }).values,
    tolerance: { c: 16, joined: 512 },
  }),
  opCase({
    name: "the moments of batchNorm",
    covers: ["batchNorm"],
    inputs: { x: x([6, 3, 2]) },
    build(inputs) {
      const { mean, variance } = batchNorm(inputs.x);
      return add(multiply(mean, 3), square(variance));
    },
    differentiable: { x: 18 },
    tolerance: { c: 16, joined: 18 },
  }),
];
