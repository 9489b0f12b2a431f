import type { Tensor } from "../../../src/graph/tensor.ts";
import { layerNorm } from "../../../src/ops/layer-norm/index.ts";
import { matmul } from "../../../src/ops/matmul/index.ts";
import { batchNorm } from "../../../src/ops/normalization/index.ts";
import { argmax, max, mean, min, product, sum, variance } from "../../../src/ops/reduce/index.ts";
import { cumulativeSum } from "../../../src/ops/scan/index.ts";
import { logSoftmax, logSumExp, softmax } from "../../../src/ops/softmax/index.ts";
import { distinct } from "../cases.ts";
import { comparison, floats, type Comparison } from "./comparison.ts";

const x = floats(3, 4, 5);
const apart = { shape: [3, 4, 5], draw: distinct };

const of = (op: string, f: (x: Tensor) => Tensor, torch: string): Comparison =>
  comparison(op, { x }, (inputs) => f(inputs.x), torch);

const ofApart = (op: string, f: (x: Tensor) => Tensor, torch: string): Comparison =>
  comparison(op, { x: apart }, (inputs) => f(inputs.x), torch, op === "argmax" ? [] : ["x"]);

const reductions = [
  of("sum", (t) => sum(t, { axes: 1 }), "x.sum(1)"),
  of("sum", (t) => sum(t), "x.sum()"),
  of("mean", (t) => mean(t, { axes: [0, -1], keepAxes: true }), "x.mean((0, 2), keepdim=True)"),
  ofApart("max", (t) => max(t, { axes: [0, 2] }), "x.amax((0, 2))"),
  ofApart("min", (t) => min(t, { axes: -2 }), "x.amin(1)"),
  ofApart("argmax", (t) => argmax(t, { axes: 1 }), "x.argmax(1)"),
  ofApart("argmax", (t) => argmax(t), "x.argmax()"),
  of("product", (t) => product(t, { axes: 1 }), "x.prod(1)"),
  of("variance", (t) => variance(t, { axes: [0, 2] }), "x.var((0, 2), unbiased=False)"),
  of("variance", (t) => variance(t, { axes: 1, correction: 1 }), "x.var(1, unbiased=True)"),
  of("logSumExp", (t) => logSumExp(t, { axes: [0, 2] }), "x.logsumexp((0, 2))"),
  of("cumulativeSum", (t) => cumulativeSum(t, 1), "x.cumsum(1)"),
  of("softmax", (t) => softmax(t), "x.softmax(-1)"),
  of("softmax", (t) => softmax(t, { axis: 0 }), "x.softmax(0)"),
  of("logSoftmax", (t) => logSoftmax(t, { axis: 1 }), "x.log_softmax(1)"),
];

const products = [
  comparison("matmul", { a: floats(3, 4), b: floats(4, 2) }, ({ a, b }) => matmul(a, b), "a @ b"),
  comparison(
    "matmul",
    { a: floats(2, 4, 3), b: floats(5, 4) },
    ({ a, b }) => matmul(a, b, { transposeLeft: true, transposeRight: true }),
    "a.mT @ b.T",
  ),
  comparison("matmul", { a: floats(2, 1, 3, 4), b: floats(3, 4, 2) }, ({ a, b }) => matmul(a, b), "torch.matmul(a, b)"),
];

const normalizations = [
  comparison(
    "batchNorm",
    { x: floats(2, 3, 2, 4), weight: floats(4), bias: floats(4) },
    (inputs) => batchNorm(inputs.x, { affine: inputs }).values,
    "nhwc(F.batch_norm(nchw(x), None, None, weight, bias, training=True))",
  ),
  comparison(
    "batchNorm",
    { x: floats(7, 3) },
    (inputs) => batchNorm(inputs.x, { epsilon: 0.5 }).values,
    "F.batch_norm(x, None, None, training=True, eps=0.5)",
  ),
  comparison(
    "layerNorm",
    { x: floats(3, 2, 5), weight: floats(5), bias: floats(5) },
    (inputs) => layerNorm(inputs.x, { affine: inputs }),
    "F.layer_norm(x, [5], weight, bias)",
  ),
];

export const comparisons: readonly Comparison[] = [...reductions, ...products, ...normalizations];
