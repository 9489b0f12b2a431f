/*
 * Each op on inputs of about a million elements, or as much work, to measure its rate.
 */
import * as wgrad from "../../src/index.ts";
import { input } from "../../src/graph/leaves.ts";
import type { Tensor } from "../../src/graph/tensor.ts";

const x = input("x", [1024, 1024]);
const y = input("y", [1024, 1024]);
const key = input("key", [], "uint32");
const indices = input("indices", [1024], "uint32");
const labels = input("labels", [16_384], "uint32");
const images = input("images", [64, 32, 32, 16]);
const kernel = input("kernel", [3, 3, 16, 32]);
const sequences = input("sequences", [32, 4, 128, 64]);

/** Ops of one tensor without options. */
const unary = (
  "negate abs sign square sqrt rsqrt floor round exp expm1 log log1p sin cos isNotFinite step sigmoid tanh relu leakyRelu elu " +
  "softplus gelu geluTanh silu sum mean max min product variance argmax logSumExp cumulativeSum softmax logSoftmax toIndex " +
  "flip transpose"
).split(" ");

const binary = (
  "add subtract multiply divide remainder minimum maximum less lessEqual greater greaterEqual equal notEqual " +
  "sigmoidBinaryCrossEntropy meanSquaredError halfSumOfSquares meanAbsoluteError huber hinge klDivergence"
).split(" ");

type Build = () => Tensor;
type OfTensors = Readonly<Record<string, (...tensors: Tensor[]) => Tensor>>;

const named = (names: readonly string[], ...inputs: Tensor[]): [string, Build][] =>
  names.map((name) => [name, () => (wgrad as unknown as OfTensors)[name]!(...inputs)]);

const logits = (classes: number) => input("logits", [16_384, classes]);
const recurrent = (gates: number) => ({
  weight: input("weight", [64, gates * 64]),
  recurrentWeight: input("recurrentWeight", [64, gates * 64]),
});

const others: Readonly<Record<string, Build>> = {
  power: () => wgrad.power(x, 1.5),
  clip: () => wgrad.clip(x, 0.25, 0.75),
  select: () => wgrad.select(x, y, 0),
  matmul: () => wgrad.matmul(input("left", [512, 512]), input("right", [512, 512])),
  batchNorm: () => wgrad.batchNorm(images).values,
  layerNorm: () => wgrad.layerNorm(x),
  softmaxCrossEntropy: () => wgrad.softmaxCrossEntropy(logits(64), labels),
  negativeLogLikelihood: () => wgrad.negativeLogLikelihood(logits(64), labels),
  broadcastTo: () => wgrad.broadcastTo(input("row", [1024]), [1024, 1024]),
  slice: () => wgrad.slice(x, [{ step: 2 }, { start: 1, step: 3 }]),
  pad: () => wgrad.pad(images, [0, 1, 1, 0]),
  tile: () => wgrad.tile(input("part", [512, 512]), [2, 2]),
  concat: () => wgrad.concat([x, y], 1),
  stack: () => wgrad.stack([x, y], 1),
  split: () => wgrad.split(x, 4, 1)[2]!,
  axisIndex: () => wgrad.axisIndex([1024, 1024], 1),
  take: () => wgrad.take(x, indices),
  takeAlong: () => wgrad.takeAlong(x, wgrad.broadcastTo(indices, [1024, 1024]), { axis: 1 }),
  oneHot: () => wgrad.oneHot(labels, 64),
  packFloat16: () => wgrad.packFloat16(x),
  unpackFloat16: () => wgrad.unpackFloat16(input("words", [512 * 1024], "uint32"), [1024, 1024]),
  takeBatch: () =>
    wgrad.takeBatch(input("bytes", [2048, 784], "uint8"), {
      order: indices,
      start: wgrad.constant(0, [], "uint32"),
      count: 1024,
      scale: 1 / 255,
    }),
  sortOrder: () => wgrad.sortOrder(labels),
  sumByIndex: () => {
    const order = wgrad.sortOrder(labels);
    return wgrad.sumByIndex(input("values", [1, 16_384, 64]), labels, order, 64);
  },
  toFloat: () => wgrad.toFloat(wgrad.toIndex(x)),
  conv2d: () => wgrad.conv2d(images, kernel, { padding: "same" }),
  conv1d: () => wgrad.conv1d(input("signals", [64, 1024, 16]), input("kernel", [3, 16, 32])),
  convTranspose2d: () => wgrad.convTranspose2d(images, input("kernel", [3, 3, 32, 16]), { stride: 2, padding: "same" }),
  maxPool2d: () => wgrad.maxPool2d(images, 2),
  averagePool2d: () => wgrad.averagePool2d(images, 2),
  globalMaxPool2d: () => wgrad.globalMaxPool2d(images),
  globalAveragePool2d: () => wgrad.globalAveragePool2d(images),
  upsampleNearest2d: () => wgrad.upsampleNearest2d(images, 2),
  resizeBilinear2d: () => wgrad.resizeBilinear2d(images, [48, 48]),
  sampleBilinear2d: () => wgrad.sampleBilinear2d(images, input("positions", [64, 32, 32, 2])),
  attention: () => wgrad.attention(sequences, sequences, sequences, { causal: true }),
  rotateByPosition: () => wgrad.rotateByPosition(sequences),
  gru: () => wgrad.gru(input("steps", [64, 32, 64]), recurrent(3)),
  lstm: () => wgrad.lstm(input("steps", [64, 32, 64]), recurrent(4)),
  drawWindows: () =>
    wgrad.drawWindows(input("text", [1, 2 ** 20], "uint8"), { key, first: key, count: 1024, length: 1024 }),
  randomUniform: () => wgrad.randomUniform([1024, 1024], key),
  randomNormal: () => wgrad.randomNormal([1024, 1024], key),
  dropoutMask: () => wgrad.dropoutMask([1024, 1024], 0.5, key),
  firstNonFinite: () => wgrad.firstNonFinite([x]),
};

/** What builds the output of each op, by the name of the op. Ops that only change shapes or scalars are absent. */
export const large: ReadonlyMap<string, Build> = new Map([
  ...named(unary, x),
  ...named(binary, x, y),
  ...Object.entries(others),
]);
