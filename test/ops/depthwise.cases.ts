import type { Shape } from "../../src/graph/tensor.ts";
import { depthwise, depthwiseWeights } from "../../src/ops/convolution/depthwise.ts";
import { conv2d, convTranspose2d, type ConvolutionOptions } from "../../src/ops/convolution/index.ts";
import { windowsOf, type Pair } from "../../src/ops/convolution/windows.ts";
import { opCase, uniform, type OpCase } from "./cases.ts";

const drawn = (shape: Shape) => ({ shape, draw: uniform(-1, 1) });

/** Kernels compute four channels at a time, or sixteen. */
const convolutions: readonly [Shape, Pair, ConvolutionOptions][] = [
  [[2, 6, 9, 4], [3, 3], { padding: "same", stride: 2 }],
  [
    [1, 5, 8, 17],
    [2, 3],
    {
      padding: [
        [1, 0],
        [0, 2],
      ],
    },
  ],
  [[1, 9, 8, 3], [3, 2], { stride: [1, 3], dilation: [2, 3], padding: [2, 3] }],
  [[3, 1, 1, 65], [1, 1], {}],
];

const forward = convolutions.flatMap(([images, kernel, options]): OpCase[] => {
  const channels = images[3]!;
  const [places, examples] = [kernel[0] * kernel[1], images[0]!];
  const written = `[${images.join(", ")}] by [${kernel.join(", ")}] ${JSON.stringify(options)}`;
  const windows = windowsOf("cases", images, kernel, options);
  const joined = examples * windows.count[0] * windows.count[1];
  return [
    opCase({
      name: `depthwise conv2d ${written}`,
      covers: ["conv2d"],
      inputs: { images: drawn(images), weights: drawn([...kernel, 1, channels]), bias: drawn([channels]) },
      build: ({ images: x, weights, bias }) => conv2d(x, weights, { ...options, groups: channels, bias }),
      differentiable: { images: places, weights: joined, bias: joined },
      tolerance: { c: 4, joined: places + 1, term: 1 / 3 },
    }),
    opCase({
      name: `weights' gradient of depthwise conv2d ${written}`,
      covers: [],
      inputs: { images: drawn(images), values: drawn([examples, ...windows.count, channels]) },
      build: ({ images: x, values }) => depthwiseWeights(x, values, windows),
      differentiable: { images: places, values: places },
      tolerance: { c: 4, joined, term: 1 / 3 },
    }),
  ];
});

const transposed = opCase({
  name: "depthwise convTranspose2d",
  covers: ["convTranspose2d"],
  inputs: { images: drawn([2, 3, 4, 5]), weights: drawn([3, 3, 1, 5]) },
  build: ({ images, weights }) => convTranspose2d(images, weights, { stride: [2, 3], groups: 5 }),
  differentiable: { images: 9, weights: 24 },
  tolerance: { c: 4, joined: 9, term: 1 / 3 },
});

const multiplied = opCase({
  name: "convTranspose2d of several channels per group",
  covers: ["convTranspose2d"],
  inputs: { images: drawn([1, 3, 2, 3]), weights: drawn([2, 2, 2, 3]) },
  build: ({ images, weights }) => convTranspose2d(images, weights, { stride: 2, groups: 3 }),
  differentiable: { images: 8, weights: 6 },
  tolerance: { c: 4, joined: 4, term: 1 / 3 },
});

/** The gradients of the op itself, which those of a transposed convolution read. */
const flipped = opCase({
  name: "depthwise with flipped weights",
  covers: [],
  inputs: { images: drawn([1, 4, 5, 6]), weights: drawn([2, 3, 1, 6]) },
  build: ({ images, weights }) =>
    depthwise(images, weights, windowsOf("cases", images.shape, [2, 3], { padding: 1 }), { flipped: true }),
  differentiable: { images: 6, weights: 25 },
  tolerance: { c: 4, joined: 6, term: 1 / 3 },
});

export const cases: readonly OpCase[] = [...forward, transposed, multiplied, flipped];
