import { describe } from "vitest";
import { input } from "../../src/graph/leaves.ts";
import { dropoutMask } from "../../src/ops/dropout/index.ts";
import * as elementwise from "../../src/ops/elementwise/index.ts";
import { takeBatch } from "../../src/ops/gather/index.ts";
import { broadcastTo, pack, reshape, transpose } from "../../src/ops/layout/index.ts";
import {
  halfSumOfSquares,
  meanSquaredError,
  sigmoidBinaryCrossEntropy,
  softmaxCrossEntropy,
} from "../../src/ops/losses/index.ts";
import { matmul } from "../../src/ops/matmul/index.ts";
import { argmax, max, mean, sum } from "../../src/ops/reduce/index.ts";
import { logSoftmax, softmax } from "../../src/ops/softmax/index.ts";
import { refuses, type Refusal } from "./refusals.ts";

const x = (...shape: number[]) => input("x", shape);
const y = (...shape: number[]) => input("y", shape);
const labels = (...shape: number[]) => input("labels", shape, "uint32");
const bytes = (...shape: number[]) => input("bytes", shape, "uint8");

const ALIGNED = "Aligned at the last axis, sizes must be equal or 1.";
const FLOATS = "Convert it with toFloat.";
const INTEGERS = "Declare it with the required type: floats are not converted to integers.";

describe("elementwise functions", () => {
  const { add, subtract, multiply, divide, minimum, maximum, less, equal, notEqual, select } = elementwise;
  const binary = { add, subtract, multiply, divide, minimum, maximum, less, equal, notEqual };
  refuses([
    ...Object.entries(binary).map(([name, f]): Refusal => [
      `${name} of shapes that do not broadcast`,
      () => f(x(2, 3), y(4)),
      `${name}: the shapes [2, 3] and [4] do not broadcast. ${ALIGNED}`,
    ]),
    [
      "select of shapes that do not broadcast",
      () => select(x(2, 3), y(3), y(2)),
      `select: the shapes [2, 3] and [3] and [2] do not broadcast. ${ALIGNED}`,
    ],
    ["add of integers", () => add(x(3), labels(3)), `add: takes float32 but was given labels uint32[3]. ${FLOATS}`],
    [
      "multiply of bytes",
      () => multiply(bytes(3), 2),
      "multiply: takes float32 but was given bytes uint8[3]. Read it with takeBatch first.",
    ],
    [
      "equal of integers and floats",
      () => equal(labels(3), x(3)),
      `equalIndex: takes uint32 but was given x float32[3]. ${INTEGERS}`,
    ],
    [
      "relu of integers",
      () => elementwise.relu(labels(3)),
      `relu: takes float32 but was given labels uint32[3]. ${FLOATS}`,
    ],
    [
      "power NaN",
      () => elementwise.power(x(3), NaN),
      "power: float32 cannot represent the number NaN. Use a finite number in the range of float32 (±3.4e38).",
    ],
    [
      "an infinite slope",
      () => elementwise.leakyRelu(x(3), Infinity),
      "leakyRelu: float32 cannot represent the number Infinity. Use a finite number in the range of float32 (±3.4e38).",
    ],
    [
      "a number that is not finite",
      () => add(x(3), NaN),
      "add: float32 cannot represent the number NaN. Use a finite number in the range of float32 (±3.4e38).",
    ],
  ]);
});

describe("layout", () => {
  const COUNT = "The sizes must multiply to the same number; at most one may be -1.";
  refuses([
    [
      "reshape to another size",
      () => reshape(x(2, 3), [4, 2]),
      `reshape: x float32[2, 3] has 6 elements and cannot become [4, 2]. ${COUNT}`,
    ],
    [
      "reshape with a remainder",
      () => reshape(x(2, 3), [4, -1]),
      `reshape: x float32[2, 3] has 6 elements and cannot become [4, -1]. ${COUNT}`,
    ],
    [
      "reshape with two inferred sizes",
      () => reshape(x(2, 3), [-1, -1]),
      `reshape: x float32[2, 3] has 6 elements and cannot become [-1, -1]. ${COUNT}`,
    ],
    [
      "reshape to an empty shape",
      () => reshape(x(2, 3), [0, -1]),
      `reshape: x float32[2, 3] has 6 elements and cannot become [0, -1]. ${COUNT}`,
    ],
    [
      "reshape of bytes",
      () => reshape(bytes(6), [2, 3]),
      "reshape: takes float32 or uint32 but was given bytes uint8[6]. Read it with takeBatch first.",
    ],
    [
      "transpose by too few axes",
      () => transpose(x(2, 3), [0]),
      "transpose: the order [0] is not a permutation of the axes of x float32[2, 3]. Give each of 0 … 1 once.",
    ],
    [
      "transpose by an axis twice",
      () => transpose(x(2, 3, 4), [0, 2, 2]),
      "transpose: the order [0, 2, 2] is not a permutation of the axes of x float32[2, 3, 4]. Give each of 0 … 2 once.",
    ],
    [
      "transpose of bytes",
      () => transpose(bytes(2, 3)),
      "transpose: takes float32 or uint32 but was given bytes uint8[2, 3]. Read it with takeBatch first.",
    ],
    [
      "broadcastTo another size",
      () => broadcastTo(x(2), [2, 3]),
      `broadcastTo: x float32[2] does not broadcast to [2, 3]. ${ALIGNED}`,
    ],
    [
      "broadcastTo fewer axes",
      () => broadcastTo(x(2, 1), [2]),
      `broadcastTo: x float32[2, 1] does not broadcast to [2]. ${ALIGNED}`,
    ],
    [
      "broadcastTo of bytes",
      () => broadcastTo(bytes(1), [3]),
      "broadcastTo: takes float32 or uint32 but was given bytes uint8[1]. Read it with takeBatch first.",
    ],
    [
      "pack of integers",
      () => pack([x(3), labels(3)]),
      `pack: takes float32 but was given labels uint32[3]. ${FLOATS}`,
    ],
  ]);
});

describe("reductions", () => {
  const reductions = { sum, mean, max, argmax };
  refuses([
    ...Object.entries(reductions).flatMap(([name, f]): Refusal[] => [
      [
        `${name} over an axis that is not there`,
        () => f(x(2, 3), { axes: 2 }),
        `${name}: the axes [2] do not fit x float32[2, 3]. Give different axes between -2 and 1.`,
      ],
      [`${name} of integers`, () => f(labels(3)), `${name}: takes float32 but was given labels uint32[3]. ${FLOATS}`],
    ]),
    [
      "sum over a duplicate axis",
      () => sum(x(2, 3), { axes: [1, -1] }),
      "sum: the axes [1, -1] do not fit x float32[2, 3]. Give different axes between -2 and 1.",
    ],
    [
      "sum over a fractional axis",
      () => sum(x(2, 3), { axes: 0.5 }),
      "sum: the axes [0.5] do not fit x float32[2, 3]. Give different axes between -2 and 1.",
    ],
    [
      "argmax over several axes but not all",
      () => argmax(x(2, 3, 4), { axes: [0, 1] }),
      "argmax: an index over several axes of x float32[2, 3, 4] is not supported. Give one axis, or none for all axes.",
    ],
  ]);
});

describe("matrix product", () => {
  const INNER = "The inner sizes must be equal.";
  refuses([
    [
      "with different inner sizes",
      () => matmul(x(2, 3), y(4, 5)),
      `matmul: x float32[2, 3] has 3 columns but y float32[4, 5] has 4 rows. ${INNER}`,
    ],
    [
      "with the left side transposed",
      () => matmul(x(2, 3), y(3, 5), { transposeLeft: true }),
      `matmul: x float32[2, 3] transposed has 2 columns but y float32[3, 5] has 3 rows. ${INNER}`,
    ],
    [
      "with both sides transposed",
      () => matmul(x(2, 3), y(3, 5), { transposeLeft: true, transposeRight: true }),
      `matmul: x float32[2, 3] transposed has 2 columns but y float32[3, 5] transposed has 5 rows. ${INNER}`,
    ],
    ["of a vector", () => matmul(x(2, 3), y(3)), "matmul: y float32[3] is not a matrix. Reshape it to two axes first."],
    [
      "of batches that do not broadcast",
      () => matmul(x(2, 3, 4), y(3, 4, 5)),
      `matmul: the shapes [2] and [3] do not broadcast. ${ALIGNED}`,
    ],
    [
      "of bytes",
      () => matmul(bytes(2, 3), y(3, 4)),
      "matmul: takes float32 but was given bytes uint8[2, 3]. Read it with takeBatch first.",
    ],
  ]);
});

describe("softmax and losses", () => {
  const LABELS = "Give logits [examples, classes] and integer labels [examples].";
  const SAME = "Both must be [examples, …] of the same shape.";
  const cross = (logits: string, given: string) =>
    `softmaxCrossEntropy: logits ${logits} and labels ${given} do not fit. ${LABELS}`;
  const losses = { meanSquaredError, halfSumOfSquares, sigmoidBinaryCrossEntropy };
  refuses([
    [
      "softmax of a scalar",
      () => softmax(x()),
      "softmax: x float32[] has no axis of classes. Give logits with at least one axis.",
    ],
    [
      "logSoftmax of a scalar",
      () => logSoftmax(x()),
      "logSoftmax: x float32[] has no axis of classes. Give logits with at least one axis.",
    ],
    [
      "softmax of integers",
      () => softmax(labels(3)),
      `softmax: takes float32 but was given labels uint32[3]. ${FLOATS}`,
    ],
    [
      "cross-entropy with another number of labels",
      () => softmaxCrossEntropy(x(4, 3), labels(5)),
      cross("x float32[4, 3]", "labels uint32[5]"),
    ],
    [
      "cross-entropy of one-hot labels",
      () => softmaxCrossEntropy(x(4, 3), labels(4, 3)),
      cross("x float32[4, 3]", "labels uint32[4, 3]"),
    ],
    [
      "cross-entropy of a vector",
      () => softmaxCrossEntropy(x(4), labels(4)),
      cross("x float32[4]", "labels uint32[4]"),
    ],
    [
      "cross-entropy with float labels",
      () => softmaxCrossEntropy(x(4, 3), y(4)),
      "softmaxCrossEntropy: logits x float32[4, 3] and labels y float32[4] do not fit. Give logits [examples, classes] and integer labels [examples], or probabilities [examples, classes].",
    ],
    ...Object.entries(losses).flatMap(([name, loss]): Refusal[] => [
      [
        `${name} of other targets`,
        () => loss(x(4, 3), y(4)),
        `${name}: outputs x float32[4, 3] and targets y float32[4] do not fit. ${SAME}`,
      ],
      [
        `${name} of scalars`,
        () => loss(x(), y()),
        `${name}: outputs x float32[] and targets y float32[] do not fit. ${SAME}`,
      ],
    ]),
  ]);
});

describe("taking a batch", () => {
  const start = () => input("start", [], "uint32");
  const FIT =
    "Give data [examples, …], an order [positions], a scalar start, and a count of at most the number of positions.";
  refuses([
    [
      "with more rows than the data has",
      () => takeBatch(bytes(5, 7), { start: start(), count: 6 }),
      `takeBatch: 6 rows of bytes uint8[5, 7] from start start uint32[]. ${FIT}`,
    ],
    [
      "with more rows than the order has",
      () => takeBatch(bytes(5, 7), { start: start(), count: 4, order: labels(3) }),
      `takeBatch: 4 rows of bytes uint8[5, 7] by order labels uint32[3] from start start uint32[]. ${FIT}`,
    ],
    [
      "with an order of two axes",
      () => takeBatch(bytes(5, 7), { start: start(), count: 4, order: labels(5, 1) }),
      `takeBatch: 4 rows of bytes uint8[5, 7] by order labels uint32[5, 1] from start start uint32[]. ${FIT}`,
    ],
    [
      "of a scalar",
      () => takeBatch(x(), { start: start(), count: 1 }),
      `takeBatch: 1 rows of x float32[] from start start uint32[]. ${FIT}`,
    ],
    [
      "with several starts",
      () => takeBatch(x(5), { start: labels(2), count: 1 }),
      `takeBatch: 1 rows of x float32[5] from start labels uint32[2]. ${FIT}`,
    ],
    [
      "with a float start",
      () => takeBatch(x(5), { start: y(), count: 1 }),
      `takeBatch start: takes uint32 but was given y float32[]. ${INTEGERS}`,
    ],
    [
      "with an order of floats",
      () => takeBatch(x(5), { start: start(), count: 1, order: y(5) }),
      `takeBatch order: takes uint32 but was given y float32[5]. ${INTEGERS}`,
    ],
    [
      "with no rows",
      () => takeBatch(x(5, 2), { start: start(), count: 0 }),
      "takeBatch: shape [0, 2] has an axis of size 0. Every axis must be a whole number of at least 1.",
    ],
  ]);
});

describe("dropout", () => {
  const key = () => input("key", [], "uint32");
  const RATE = "Give the fraction of elements to drop.";
  refuses([
    ["with rate 1", () => dropoutMask([3], 1, key()), `dropout: the rate 1 is outside [0, 1). ${RATE}`],
    ["with a negative rate", () => dropoutMask([3], -0.1, key()), `dropout: the rate -0.1 is outside [0, 1). ${RATE}`],
    ["with rate NaN", () => dropoutMask([3], NaN, key()), `dropout: the rate NaN is outside [0, 1). ${RATE}`],
    [
      "with a float key",
      () => dropoutMask([3], 0.5, x()),
      `dropout key: takes uint32 but was given x float32[]. ${INTEGERS}`,
    ],
    [
      "with several keys",
      () => dropoutMask([3], 0.5, labels(2)),
      "dropout: the key labels uint32[2] is not a scalar. Give a uint32 scalar.",
    ],
  ]);
});
