import { describe } from "vitest";
import { input } from "../../src/graph/leaves.ts";
import { clip } from "../../src/ops/elementwise/index.ts";
import { transpose } from "../../src/ops/layout/index.ts";
import {
  averagePool2d,
  conv1d,
  conv2d,
  convTranspose2d,
  globalAveragePool2d,
  maxPool2d,
} from "../../src/ops/convolution/index.ts";
import {
  concat,
  flip,
  oneHot,
  pad,
  slice,
  sortOrder,
  split,
  stack,
  take,
  takeAlong,
  tile,
} from "../../src/ops/indexing/index.ts";
import {
  hinge,
  huber,
  meanSquaredError,
  negativeLogLikelihood,
  softmaxCrossEntropy,
  sigmoidBinaryCrossEntropy,
} from "../../src/ops/losses/index.ts";
import { randomUniform } from "../../src/ops/random/index.ts";
import { max, variance } from "../../src/ops/reduce/index.ts";
import { refuses } from "./refusals.ts";

const x = (...shape: number[]) => input("x", shape);
const y = (...shape: number[]) => input("y", shape);
const labels = (...shape: number[]) => input("labels", shape, "uint32");

describe("moving elements", () => {
  refuses([
    [
      "transpose of two axes, as in PyTorch",
      () => transpose(x(2, 3), 0 as never),
      "transpose: 0 is not a list of axes. Give the order of all axes, such as [1, 0].",
    ],
    [
      "stack of two tensors that are not in a list",
      () => stack(x(3) as never, y(3) as never),
      "stack: x float32[3] is not a list of tensors. Give a list, and then the axis: stack([a, b], 0).",
    ],
    [
      "concat of numbers",
      () => concat([[1, 2]] as never),
      "concat: an array of length 2 is not a tensor. Give a tensor that input, parameter or an op returned.",
    ],
    [
      "clip without a bound",
      () => clip(x(3), 0, undefined as never),
      "minimum: takes float32 but was given undefined. Give a tensor, such as constant([1, 2]).",
    ],
    [
      "slice with more ranges than axes",
      () => slice(x(3), [{}, {}]),
      "slice: 2 ranges for x float32[3]. Give at most 1, one for each axis.",
    ],
    [
      "slice with a step of 0",
      () => slice(x(3), [{ step: 0 }]),
      'slice: range {"step":0} of axis 0 of x float32[3]. Give whole numbers, and a step other than 0.',
    ],
    [
      "slice of nothing",
      () => slice(x(3), [{ start: 2, end: 2 }]),
      'slice: range {"start":2,"end":2} takes no element of axis 0 of x float32[3]. A tensor has at least one element.',
    ],
    [
      "flip of an axis that is not there",
      () => flip(x(3), 1),
      "flip: x float32[3] has no axis 1. Name one between -1 and 0.",
    ],
    [
      "pad by reflection beyond the axis",
      () => pad(x(3), [[3, 0]], { mode: "reflect" }),
      "pad: widths [[3,0]] do not fit x float32[3]. Give [before, after] for each axis, whole numbers of at least 0 and below its size.",
    ],
    [
      "tile with too few counts",
      () => tile(x(2, 3), [2]),
      "tile: counts [2] do not fit x float32[2, 3]. Give a whole number of at least 1 for each axis.",
    ],
    [
      "concat of other sizes",
      () => concat([x(2, 3), y(2, 4)]),
      "concat: y float32[2, 4] does not fit x float32[2, 3] along axis 0. Types, and sizes along all other axes, must be equal.",
    ],
    ["concat of nothing", () => concat([]), "concat: there are no tensors. Give at least one."],
    [
      "stack at an axis that the result does not have",
      () => stack([x(2), y(2)], 2),
      "stack: the result has no axis 2. Name one between -2 and 1.",
    ],
    [
      "split into unequal parts",
      () => split(x(7), 2),
      "split: 2 equal parts of axis 0 of x float32[7]. Give whole sizes of at least 1 that add up to 7.",
    ],
    [
      "oneHot of floats",
      () => oneHot(x(3), 4),
      "oneHot: takes uint32 but was given x float32[3]. Declare it with the required type: floats are not converted to integers.",
    ],
    [
      "oneHot of no class",
      () => oneHot(labels(3), 0),
      "oneHot: 0 classes for labels uint32[3]. Give a whole number of at least 1.",
    ],
    [
      "take by floats",
      () => take(x(3, 2), y(2)),
      "take indices: takes uint32 but was given y float32[2]. Declare it with the required type: floats are not converted to integers.",
    ],
    [
      "takeAlong of other axes",
      () => takeAlong(x(3, 2), labels(2, 2), { axis: 1 }),
      "takeAlong: indices labels uint32[2, 2] do not fit x float32[3, 2]. Sizes must be equal along all axes but axis 1.",
    ],
    [
      "sortOrder of a matrix",
      () => sortOrder(labels(2, 2)),
      "sortOrder: labels uint32[2, 2] is not a vector. Reshape it to one axis first.",
    ],
    [
      "random numbers by two keys",
      () => randomUniform([3], labels(2)),
      "randomUniform: the key labels uint32[2] is not a scalar. Give a uint32 scalar.",
    ],
  ]);
});

describe("convolutions and pooling", () => {
  const WEIGHTS =
    "Give weights [height, width, channels / groups, outputs], and groups that divide channels and outputs.";
  const OF_LAYERS = "Give a tensor, or for a layer call the function in layers, such as layers.conv2d(8, 3).";
  const SIGNALS =
    "Give signals [examples, length, channels], weights [length, channels / groups, outputs], and groups that divide channels and outputs.";
  refuses([
    [
      "conv2d of other channels",
      () => conv2d(x(1, 5, 5, 3), y(3, 3, 2, 4)),
      `conv2d: images x float32[1, 5, 5, 3] and weights y float32[3, 3, 2, 4]. ${WEIGHTS}`,
    ],
    [
      "conv2d of groups that do not divide the outputs",
      () => conv2d(x(1, 5, 5, 4), y(3, 3, 2, 3), { groups: 2 }),
      `conv2d: images x float32[1, 5, 5, 4] and weights y float32[3, 3, 2, 3] in 2 groups. ${WEIGHTS}`,
    ],
    [
      "conv2d as if it were the layer",
      () => conv2d(8 as never, 3 as never),
      `conv2d: takes images but was given 8. ${OF_LAYERS}`,
    ],
    [
      "pooling as if it were the layer",
      () => maxPool2d(2 as never, {} as never),
      `maxPool2d: takes images but was given 2. ${OF_LAYERS}`,
    ],
    [
      "global pooling as if it were the layer",
      () => globalAveragePool2d(undefined as never),
      `globalAveragePool2d: takes images but was given undefined. ${OF_LAYERS}`,
    ],
    [
      "conv2d of a vector",
      () => conv2d(x(5), y(3, 3, 1, 1)),
      "conv2d: x float32[5] is not a batch of images. Give [examples, height, width, channels].",
    ],
    [
      "conv2d with a window larger than the images",
      () => conv2d(x(1, 2, 5, 1), y(3, 3, 1, 1)),
      "conv2d: a window of 3 × 3 does not fit images of 2 × 5. Take a smaller window or dilation, or more padding.",
    ],
    [
      "conv2d with a stride of 0",
      () => conv2d(x(1, 5, 5, 1), y(3, 3, 1, 1), { stride: 0 }),
      "conv2d: stride is 0. Give a whole number of at least 1, or one for each of height and width.",
    ],
    [
      "conv2d with a bias of another size",
      () => conv2d(x(1, 5, 5, 1), y(3, 3, 1, 4), { bias: x(3) }),
      "conv2d: bias x float32[3] for 4 outputs. Give float32 [4].",
    ],
    [
      "conv1d of images",
      () => conv1d(x(1, 5, 5, 1), y(3, 1, 1)),
      `conv1d: signals x float32[1, 5, 5, 1] and weights y float32[3, 1, 1]. ${SIGNALS}`,
    ],
    [
      "conv1d of other channels",
      () => conv1d(x(1, 5, 3), y(3, 2, 4)),
      `conv1d: signals x float32[1, 5, 3] and weights y float32[3, 2, 4]. ${SIGNALS}`,
    ],
    [
      "conv1d with a stride for two axes",
      () => conv1d(x(1, 5, 3), y(3, 3, 4), { stride: [1, 2] as never }),
      "conv1d: stride is [1,2]. Give a whole number of at least 1.",
    ],
    [
      "conv1d with a window longer than the signals",
      () => conv1d(x(1, 2, 1), y(3, 1, 1)),
      "conv1d: a window of 1 × 3 does not fit images of 1 × 2. Take a smaller window or dilation, or more padding.",
    ],
    [
      "convTranspose2d of groups that are no number",
      () => convTranspose2d(x(1, 2, 2, 4), y(2, 2, 1, 4), { groups: 0 }),
      "convTranspose2d: images x float32[1, 2, 2, 4] and weights y float32[2, 2, 1, 4] in 0 groups. Give weights [height, width, channels / groups, outputs], of as many outputs as the images have channels, and groups that divide them.",
    ],
    [
      "convTranspose2d to a size of other windows",
      () => convTranspose2d(x(1, 2, 2, 3), y(2, 2, 1, 3), { size: [5, 5] }),
      "convTranspose2d: images of 5 × 5 have 4 × 4 windows, and x float32[1, 2, 2, 3] has other sizes. Give a size whose windows are as many.",
    ],
    [
      "maxPool2d with a window of half an element",
      () => maxPool2d(x(1, 4, 4, 1), 0.5),
      "maxPool2d: the window is 0.5. Give a whole number of at least 1, or one for each of height and width.",
    ],
    [
      "conv2d with a bias that is no tensor",
      () => conv2d(x(1, 4, 4, 1), y(2, 2, 1, 3), { bias: true as never }),
      "conv2d bias: takes float32 but was given true. Give a tensor, such as constant([1, 2]).",
    ],
    [
      "averagePool2d of integers",
      () => averagePool2d(labels(1, 4, 4, 1), 2),
      "averagePool2d: takes float32 but was given labels uint32[1, 4, 4, 1]. Convert it with toFloat.",
    ],
  ]);
});

describe("losses and reductions", () => {
  refuses([
    [
      "weights of other examples",
      () => meanSquaredError(x(3, 2), y(3, 2), { weights: y(2) }),
      "meanSquaredError: weights y float32[2] for 3 examples. Give float32 [3].",
    ],
    [
      "weights of other outputs",
      () => hinge(x(3, 2), y(3, 2), { classWeights: y(3) }),
      "hinge: classWeights y float32[3] for 2 classes or outputs. Give float32 [2].",
    ],
    [
      "weights of the positives of other outputs",
      () => sigmoidBinaryCrossEntropy(x(3, 2, 2), y(3, 2, 2), { positiveWeights: y(2) }),
      "sigmoidBinaryCrossEntropy: positiveWeights y float32[2] for 4 classes or outputs. Give float32 [4].",
    ],
    [
      "class weights as a list",
      () => softmaxCrossEntropy(x(3, 2), labels(3), { classWeights: [1, 2] as never }),
      "softmaxCrossEntropy classWeights: takes float32 but was given 1,2. Give a tensor, such as constant([1, 2]).",
    ],
    [
      "weights of positions as a list",
      () => softmaxCrossEntropy(x(3, 4, 2), labels(3, 4), { weights: [1, 2, 3] as never }),
      "softmaxCrossEntropy weights: takes float32 but was given 1,2,3. Give a tensor, such as constant([1, 2]).",
    ],
    [
      "labels as a list",
      () => softmaxCrossEntropy(x(3, 2), [0, 1, 1] as never),
      "softmaxCrossEntropy: an array of length 3 is not a tensor. Give a tensor that input, parameter or an op returned.",
    ],
    [
      "targets as a list",
      () => meanSquaredError(x(3), [0, 1, 1] as never),
      "meanSquaredError: an array of length 3 is not a tensor. Give a tensor that input, parameter or an op returned.",
    ],
    [
      "the larger of two tensors",
      () => max(x(3), y(3) as never),
      "max: it reduces a tensor, and was also given y float32[3]. For two tensors, use maximum, minimum, add or multiply.",
    ],
    [
      "label smoothing of 1",
      () => softmaxCrossEntropy(x(3, 2), labels(3), { labelSmoothing: 1 }),
      "softmaxCrossEntropy: label smoothing is 1. Give a number in [0, 1).",
    ],
    ["huber with a delta of 0", () => huber(x(3), y(3), { delta: 0 }), "huber: delta is 0. Give a number above 0."],
    [
      "negativeLogLikelihood of a vector",
      () => negativeLogLikelihood(x(3), labels(3)),
      "negativeLogLikelihood: logarithms x float32[3] and labels labels uint32[3] do not fit. Give logarithms of probabilities [examples, classes] and integer labels [examples].",
    ],
    [
      "a reduction that does not exist",
      () => meanSquaredError(x(3), y(3), "median" as "mean"),
      'meanSquaredError: there is no reduction "median". Choose one of mean, sum, none.',
    ],
    [
      "the variance of a sample of one",
      () => variance(x(1), { correction: 1 }),
      "variance: 1 elements of x float32[1] with a correction of 1. Take more elements, or a correction below their number.",
    ],
  ]);
});
