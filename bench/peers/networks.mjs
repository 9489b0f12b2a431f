/*
 * The two networks that every runtime trains. Both end in ten logits, whose softmax cross-entropy is the loss.
 */

/**
 * @typedef {"dense" | "convolutional"} NetworkName
 * @typedef {{ title: string, shapes: readonly (readonly number[])[], checkedSteps: Readonly<Record<number, number>> }} Network
 *   `shapes` are those of weights and biases in turn. Kernels of convolutions are [height, width, channels, filters], and the
 *   last weights read images that were flattened as [height, width, channels]. `checkedSteps` says, by batch size, how many
 *   of the first steps are compared with the reference.
 */

/** @type {Readonly<Record<NetworkName, Network>>} */
export const networks = {
  dense: {
    title: "784-128-10, relu",
    shapes: [[784, 128], [128], [128, 10], [10]],
    // After 20 steps rounding errors have grown to 1e-5; soon after, they push a hidden unit over relu's kink for one
    // example, which Adam amplifies to 1e-3.
    checkedSteps: { 1: 20, 64: 20, 512: 10 },
  },
  convolutional: {
    title: "conv 16-16-pool-32-32-pool-dense 10, 3×3, same, relu",
    shapes: [[3, 3, 1, 16], [16], [3, 3, 16, 16], [16], [3, 3, 16, 32], [32], [3, 3, 32, 32], [32], [1568, 10], [10]],
    // The reference takes two seconds for a step.
    checkedSteps: { 64: 5 },
  },
};

const sizeOf = (shape) => shape.reduce((all, one) => all * one, 1);

/**
 * He uniform weights and zero biases.
 * @param {NetworkName} network
 * @param {() => number} draw returns numbers in [−1, 1)
 * @returns {Float32Array[]}
 */
export function initialParameters(network, draw) {
  return networks[network].shapes.map((shape) => {
    const isBias = shape.length === 1;
    const scale = isBias ? 0 : Math.sqrt(6 / sizeOf(shape.slice(0, -1)));
    return Float32Array.from({ length: sizeOf(shape) }, () => scale * draw());
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
 * The parameters of the convolutional network for a library with the order [batch, channels, height, width]: kernels are
 * [filters, channels, height, width], and the last weights read images that were flattened in that order.
 * @param {readonly Float32Array[]} parameters
 * @returns {{ values: Float32Array, shape: readonly number[] }[]}
 */
export function channelsFirst(parameters) {
  return parameters.map((values, index) => {
    const shape = networks.convolutional.shapes[index];
    if (shape.length === 4) return permuted(values, shape, [3, 2, 0, 1]);
    if (shape.length === 1) return { values, shape };
    const [inputs, outputs] = shape;
    return { values: permuted(values, [7, 7, inputs / 49, outputs], [2, 0, 1, 3]).values, shape };
  });
}
