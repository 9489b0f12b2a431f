/*
 * What is varied, one size at a time: the rest is that of 784-128-10 at batch size 64, of the convolutional network at batch size
 * 16, or of a GPT of 2 blocks of width 128 at batch size 2. The values leave time for all runtimes within `--minutes`.
 */
import { networkNamed } from "../networks.mjs";

const powers = (first, last, factor = 2) => {
  const values = [];
  for (let value = first; value <= last; value *= factor) values.push(value);
  return values;
};

const CONVOLUTIONAL_BATCH = 16;

/** The GPT is that of bench/peers/gpt with fewer blocks. */
export const GPT = "gpt";
const [GPT_BATCH, GPT_LAYERS, GPT_WIDTH, VOCABULARY] = [2, 2, 128, 65];

/** @typedef {{ network: string, batch: number, context?: number, layers?: number }} Case */

/**
 * @typedef {object} Axis
 * @property {string} label
 * @property {readonly number[]} values
 * @property {readonly number[]} quick fewer of them
 * @property {(value: number) => Case} caseOf
 */

/** @type {Readonly<Record<string, Axis>>} */
export const axes = {
  batch: {
    label: "batch size (784-128-10)",
    values: powers(1, 4096, 8).concat(8192),
    quick: [1, 64, 512],
    caseOf: (batch) => ({ network: "dense 128×1", batch }),
  },
  width: {
    label: "width (784-width-10, batch 64)",
    values: powers(16, 4096, 4),
    quick: [16, 256, 1024],
    caseOf: (width) => ({ network: `dense ${width}×1`, batch: 64 }),
  },
  depth: {
    label: "hidden layers of 128 (batch 64)",
    values: [1, 4, 16, 40],
    quick: [1, 4, 16],
    caseOf: (depth) => ({ network: `dense 128×${depth}`, batch: 64 }),
  },
  image: {
    label: "image size (convolutional, batch 16)",
    values: [8, 16, 32, 64, 128],
    quick: [8, 32, 64],
    caseOf: (size) => ({ network: `convolutional ${size}`, batch: CONVOLUTIONAL_BATCH }),
  },
  context: {
    label: "context (GPT, 2 blocks of 128, batch 2)",
    values: powers(16, 512),
    quick: [16, 64, 256],
    caseOf: (context) => ({ network: GPT, batch: GPT_BATCH, context, layers: GPT_LAYERS }),
  },
};

/** Multiply-adds of a step: the forward pass, and twice as many backward except for the gradient of the input. */
export function workOf({ network, batch, context }) {
  if (network === GPT) {
    // In each block 12 products with matrices of width², and two with the keys, half of which are masked.
    const block = 12 * GPT_WIDTH ** 2 + context * GPT_WIDTH;
    return 3 * batch * context * (GPT_LAYERS * block + VOCABULARY * GPT_WIDTH);
  }
  const { shapes, size } = networkNamed(network);
  const products = shapes
    .filter((shape) => shape.length > 1)
    .map((shape, layer) => {
      // The first two convolutions see the whole image, the others a quarter of it.
      const places = shape.length === 4 ? (size / (layer < 2 ? 1 : 2)) ** 2 : 1;
      return places * shape.reduce((all, one) => all * one, 1);
    });
  return batch * (3 * products.reduce((sum, product) => sum + product, 0) - products[0]);
}

/**
 * How fast a cost grows: the exponent p of cost ~ value^p, by least squares on the logarithms of the upper half of the values.
 * @param {readonly { value: number, cost: number }[]} points by ascending value
 * @returns {number | undefined} undefined for fewer than two points
 */
export function slopeOf(points) {
  const upper = points.slice(points.length > 2 ? Math.floor((points.length - 1) / 2) : 0);
  if (upper.length < 2) return undefined;
  const logs = upper.map(({ value, cost }) => [Math.log(value), Math.log(cost)]);
  const mean = (position) => logs.reduce((sum, log) => sum + log[position], 0) / logs.length;
  const [x, y] = [mean(0), mean(1)];
  const product = logs.reduce((sum, [a, b]) => sum + (a - x) * (b - y), 0);
  return product / logs.reduce((sum, [a]) => sum + (a - x) ** 2, 0);
}
