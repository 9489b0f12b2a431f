/*
 * The networks that every runtime trains. They end in ten logits, whose softmax cross-entropy is the loss.
 */
import { drawn } from "./random.mjs";

/**
 * @typedef {string} NetworkName "dense" and "convolutional", or a network of another size: "dense WIDTH×DEPTH" for hidden layers
 *   of that width, "convolutional SIZE" for images of SIZE×SIZE pixels
 * @typedef {{ kind: "dense" | "convolutional", title: string, size: number, shapes: readonly (readonly number[])[],
 *   checkedSteps: Readonly<Record<number, number>> }} Network
 *   `size` is the height and width of the images. `shapes` are those of weights and biases in turn. Kernels of convolutions are
 *   [height, width, channels, filters], and the last weights read images that were flattened as [height, width, channels].
 *   `checkedSteps` says, by batch size, how many of the first steps are compared with the reference.
 */

function denseNetwork(hidden, checkedSteps) {
  const widths = [784, ...hidden, 10];
  const shapes = widths.slice(1).flatMap((width, layer) => [[widths[layer], width], [width]]);
  return { kind: "dense", title: `${widths.join("-")}, relu`, size: 28, shapes, checkedSteps };
}

function convolutionalNetwork(size, checkedSteps) {
  const kernels = [[3, 3, 1, 16], [16], [3, 3, 16, 16], [16], [3, 3, 16, 32], [32], [3, 3, 32, 32], [32]];
  const shapes = [...kernels, [(size / 4) ** 2 * 32, 10], [10]];
  const title = "conv 16-16-pool-32-32-pool-dense 10, 3×3, same, relu";
  return { kind: "convolutional", title, size, shapes, checkedSteps };
}

/** @type {Readonly<Record<"dense" | "convolutional", Network>>} */
export const networks = {
  // After 20 steps rounding errors have grown to 1e-5; soon after, they push a hidden unit over relu's kink for one
  // example, which Adam amplifies to 1e-3.
  dense: denseNetwork([128], { 1: 20, 64: 20, 512: 10 }),
  // The reference takes two seconds for a step.
  convolutional: convolutionalNetwork(28, { 64: 5 }),
};

/** @param {NetworkName} name @returns {Network} */
export function networkNamed(name) {
  const [kind, sizes = ""] = name.split(" ");
  const [width, depth] = sizes.split("×").map(Number);
  if (sizes === "" && Object.hasOwn(networks, kind)) return networks[kind];
  if (kind === "dense" && width >= 1 && depth >= 1) return denseNetwork(new Array(depth).fill(width), {});
  if (kind === "convolutional" && width % 4 === 0) return convolutionalNetwork(width, {});
  throw new Error(`there is no network "${name}"`);
}

const sizeOf = (shape) => shape.reduce((all, one) => all * one, 1);

/**
 * He uniform weights and zero biases.
 * @param {NetworkName} network
 * @param {() => number} draw returns numbers in [−1, 1)
 * @returns {Float32Array[]}
 */
export function initialParameters(network, draw) {
  return networkNamed(network).shapes.map((shape) => {
    const isBias = shape.length === 1;
    const scale = isBias ? 0 : Math.sqrt(6 / sizeOf(shape.slice(0, -1)));
    return drawn(sizeOf(shape), draw, scale);
  });
}

/**
 * Moves the axes of a row-major array, for libraries with other orders.
 * @param {Float32Array} values
 * @param {readonly number[]} shape
 * @param {readonly number[]} order for each axis of the result, the axis of the values that it is
 * @returns {{ values: Float32Array, shape: number[] }}
 */
export function permuted(values, shape, order) {
  const strides = shape.map((_, axis) => sizeOf(shape.slice(axis + 1)));
  const newShape = order.map((axis) => shape[axis]);
  const result = new Float32Array(values.length);
  for (let index = 0; index < result.length; index++) {
    let rest = index;
    let from = 0;
    for (let axis = order.length - 1; axis >= 0; axis--) {
      from += (rest % newShape[axis]) * strides[order[axis]];
      rest = Math.floor(rest / newShape[axis]);
    }
    result[index] = values[from];
  }
  return { values: result, shape: newShape };
}

/**
 * The parameters of a convolutional network for a library with the order [batch, channels, height, width]: kernels are
 * [filters, channels, height, width], and the last weights read images that were flattened in that order.
 * @param {readonly Float32Array[]} parameters
 * @param {Network} network
 * @returns {{ values: Float32Array, shape: readonly number[] }[]}
 */
export function channelsFirst(parameters, { shapes, size } = networks.convolutional) {
  const side = size / 4;
  return parameters.map((values, index) => {
    const shape = shapes[index];
    if (shape.length === 4) return permuted(values, shape, [3, 2, 0, 1]);
    if (shape.length === 1) return { values, shape };
    const [inputs, outputs] = shape;
    const moved = permuted(values, [side, side, inputs / side ** 2, outputs], [2, 0, 1, 3]);
    return { values: moved.values, shape };
  });
}

/** The parameters of a network in the order of a library with the channels first. */
export function withChannelsFirst(parameters, network) {
  if (network.kind === "convolutional") return channelsFirst(parameters, network);
  return parameters.map((values, index) => ({ values, shape: network.shapes[index] }));
}
