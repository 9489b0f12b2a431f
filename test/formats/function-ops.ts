/*
 * A functional model with an output for each op that has a form in other formats.
 */
import * as wgrad from "../../src/index.ts";
import type { FunctionalModel, Tensor } from "../../src/index.ts";

const { constant, reshape } = wgrad;

/** Ops of x, y: float32 [batch, 3, 4], and indices: uint32 [batch, 3], below 7. */
const outputsOf = (x: Tensor, y: Tensor, indices: Tensor): Readonly<Record<string, Tensor>> => {
  const positive = wgrad.add(wgrad.abs(x), 0.5);
  const rows = wgrad.remainder(wgrad.toFloat(indices), 3);
  return {
    arithmetic: wgrad.divide(wgrad.multiply(wgrad.subtract(1, x), y), positive),
    ofConstants: wgrad.add(x, wgrad.exp(wgrad.multiply(2, constant(0.25)))),
    negate: wgrad.negate(x),
    abs: wgrad.abs(x),
    sign: wgrad.sign(x),
    square: wgrad.square(x),
    power: wgrad.power(positive, 1.5),
    cube: wgrad.power(x, 3),
    roots: wgrad.sqrt(wgrad.rsqrt(positive)),
    floor: wgrad.floor(wgrad.multiply(x, 3)),
    round: wgrad.round(wgrad.multiply(wgrad.floor(wgrad.multiply(x, 4)), 0.5)),
    remainder: wgrad.remainder(x, wgrad.subtract(y, 0.01)),
    exponential: wgrad.add(wgrad.exp(x), wgrad.expm1(y)),
    logarithm: wgrad.subtract(wgrad.log(positive), wgrad.log1p(positive)),
    waves: wgrad.multiply(wgrad.sin(x), wgrad.cos(y)),
    compared: wgrad.add(
      wgrad.add(wgrad.less(x, y), wgrad.multiply(2, wgrad.lessEqual(x, 0))),
      wgrad.add(wgrad.multiply(4, wgrad.greater(x, 0.5)), wgrad.multiply(8, wgrad.greaterEqual(y, x))),
    ),
    equality: wgrad.add(wgrad.equal(indices, 3), wgrad.multiply(2, wgrad.notEqual(rows, 1))),
    sameNumber: wgrad.equal(rows, 2),
    smallest: wgrad.minimum(wgrad.maximum(x, y), 0.25),
    clip: wgrad.clip(x, -0.5, 0.5),
    select: wgrad.select(wgrad.greater(x, y), wgrad.multiply(x, 2), 0),
    isNotFinite: wgrad.isNotFinite(wgrad.divide(1, wgrad.maximum(x, 0))),
    ...Object.fromEntries(Object.entries(wgrad.activations).map(([name, apply]) => [name, apply(x)])),
    steep: wgrad.add(wgrad.leakyRelu(x, 0.3), wgrad.elu(y, 0.5)),
    sum: wgrad.sum(x, { axes: [1, 2] }),
    mean: wgrad.mean(x, { axes: 1, keepAxes: true }),
    largest: wgrad.subtract(wgrad.max(x, { axes: 2 }), wgrad.min(y, { axes: 2 })),
    product: wgrad.product(x, { axes: [1, 2] }),
    variance: wgrad.variance(x, { axes: -1 }),
    argmax: wgrad.toFloat(wgrad.argmax(x, { axes: 1 })),
    centered: wgrad.subtract(x, wgrad.mean(x, { axes: 0 })),
    logSumExp: wgrad.logSumExp(x, { axes: 1 }),
    cumulativeSum: wgrad.cumulativeSum(x, 1),
    softmax: wgrad.softmax(x, { axis: 1 }),
    logSoftmax: wgrad.logSoftmax(x),
    products: wgrad.matmul(wgrad.matmul(x, y, { transposeRight: true }), x),
    gram: wgrad.matmul(x, y, { transposeLeft: true }),
    reshape: reshape(x, [-1, 2, 6]),
    transpose: wgrad.transpose(x, [0, 2, 1]),
    broadcast: wgrad.broadcastTo(wgrad.sum(x, { axes: 1, keepAxes: true }), x.shape),
    tile: wgrad.tile(x, [1, 2, 1]),
    slice: wgrad.slice(x, [undefined, { start: 1 }, { start: 3, step: -2 }]),
    strided: wgrad.slice(x, [undefined, { end: 2 }, { step: 3 }]),
    flip: wgrad.flip(x, [1, 2]),
    reversed: wgrad.slice(x, [undefined, undefined, { step: -1 }]),
    pad: wgrad.pad(x, [0, [1, 0], [0, 2]], { value: -3 }),
    edge: wgrad.pad(x, [0, 0, [2, 1]], { mode: "edge" }),
    reflect: wgrad.pad(x, [0, [1, 2], 1], { mode: "reflect" }),
    concat: wgrad.concat([x, y, x, y, x, y, x], 1),
    stack: wgrad.stack([x, y], 1),
    split: wgrad.split(x, [1, 3], 2)[1]!,
    stopGradient: wgrad.stopGradient(x),
    positions: wgrad.multiply(x, wgrad.toFloat(wgrad.axisIndex([3, 4], 1))),
    take: wgrad.take(constant([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14], [7, 2]), indices),
    takeInside: wgrad.take(x, constant([2, 0, 2, 1], [4], "uint32"), { axis: 1 }),
    takeAlong: wgrad.takeAlong(x, wgrad.argmax(y, { axes: 1, keepAxes: true }), { axis: 1 }),
    toIndex: wgrad.toFloat(wgrad.toIndex(wgrad.multiply(x, 3), { below: 3 })),
  };
};

/** The model; it has no layers. */
export const opModel = (): FunctionalModel =>
  wgrad.functionalModel(
    { inputs: { x: [3, 4], y: [3, 4], indices: { shape: [3], dtype: "uint32" } } },
    ({ x, y, indices }) => outputsOf(x, y, indices),
  );
