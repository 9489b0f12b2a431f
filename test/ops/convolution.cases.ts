import type { Shape } from "../../src/graph/tensor.ts";
import {
  averagePool2d,
  conv1d,
  conv2d,
  convTranspose2d,
  globalAveragePool2d,
  globalMaxPool2d,
  maxPool2d,
  type ConvolutionOptions,
  type TransposedConvolutionOptions,
  type WindowOptions,
} from "../../src/ops/convolution/index.ts";
import { sumOfParts } from "../../src/ops/parts/index.ts";
import { distinct, opCase, uniform, type OpCase } from "./cases.ts";

const drawn = (shape: Shape) => ({ shape, draw: uniform(-1, 1) });

const convolutions: readonly [Shape, Shape, ConvolutionOptions][] = [
  [[2, 5, 7, 3], [3, 3, 3, 4], {}],
  [[2, 5, 7, 3], [3, 3, 3, 4], { padding: "same" }],
  [[1, 6, 6, 2], [3, 2, 2, 3], { padding: "same", stride: 2 }],
  [
    [1, 7, 8, 2],
    [2, 3, 2, 1],
    {
      stride: [2, 3],
      padding: [
        [1, 0],
        [2, 1],
      ],
      dilation: [2, 1],
    },
  ],
  [[3, 1, 1, 5], [1, 1, 5, 2], {}],
  [[2, 4, 5, 6], [3, 3, 2, 3], { groups: 3, padding: 1 }],
  [[2, 5, 4, 4], [3, 3, 2, 6], { groups: 2, padding: "same", stride: 2 }],
  [[2, 5, 4, 6], [3, 3, 1, 6], { groups: 6, padding: "same" }],
  [[1, 17, 17, 1], [5, 5, 1, 8], { stride: 4 }],
];

const terms = (shape: Shape) => shape.reduce((product, size) => product * size, 1);

const forward = convolutions.map(([images, weights, options]) => {
  const inner = terms(weights.slice(0, 3));
  return opCase({
    name: `conv2d [${images.join(", ")}] by [${weights.join(", ")}] ${JSON.stringify(options)}`,
    covers: ["conv2d"],
    inputs: { images: drawn(images), weights: drawn(weights) },
    build: ({ images: x, weights: w }) => conv2d(x, w, options),
    differentiable: {
      images: weights[0]! * weights[1]! * weights[3]!,
      weights: images[0]! * images[1]! * images[2]!,
    },
    tolerance: { c: 4, joined: inner, term: 1 / 3 },
  });
});

/** Many rows and few outputs: the rows of the weights' and the bias's gradient are divided into parts. */
const longSums = opCase({
  name: "conv2d with long sums for the weights' and the bias's gradient",
  covers: ["conv2d"],
  inputs: { images: drawn([4, 32, 32, 2]), weights: drawn([3, 3, 2, 3]), bias: drawn([3]) },
  build: ({ images, weights, bias }) => conv2d(images, weights, { padding: "same", bias }),
  differentiable: { weights: 4 * 32 * 32, bias: 4 * 32 * 32 },
  parityOnly: true,
  tolerance: { c: 4, joined: 18, term: 1 / 3 },
});

const transposed: readonly [Shape, Shape, TransposedConvolutionOptions][] = [
  [[2, 3, 4, 3], [3, 3, 2, 3], {}],
  [[1, 3, 2, 2], [3, 3, 4, 2], { stride: 2, padding: "same" }],
  [[1, 2, 3, 4], [2, 2, 3, 4], { stride: [2, 3], groups: 2, size: [5, 9] }],
  [[2, 4, 3, 2], [3, 2, 3, 2], { stride: [1, 2], dilation: [2, 1], padding: [1, 0] }],
  [
    [1, 3, 5, 6],
    [2, 3, 1, 6],
    {
      stride: 2,
      groups: 3,
      padding: [
        [1, 0],
        [0, 2],
      ],
    },
  ],
];

const backward = transposed.map(([images, weights, options]) =>
  opCase({
    name: `convTranspose2d [${images.join(", ")}] by [${weights.join(", ")}] ${JSON.stringify(options)}`,
    covers: ["convTranspose2d"],
    inputs: { images: drawn(images), weights: drawn(weights) },
    build: ({ images: x, weights: w }) => convTranspose2d(x, w, options),
    differentiable: { images: terms(weights.slice(0, 3)), weights: terms(images.slice(0, 3)) },
    tolerance: { c: 4, joined: weights[0]! * weights[1]! * weights[3]!, term: 1 / 3 },
  }),
);

const withBias = opCase({
  name: "conv2d with a bias",
  covers: ["conv2d"],
  inputs: { images: drawn([2, 4, 5, 3]), weights: drawn([3, 3, 3, 4]), bias: drawn([4]) },
  build: ({ images, weights, bias }) => conv2d(images, weights, { padding: "same", bias }),
  differentiable: { images: 36, weights: 40, bias: 40 },
  tolerance: { c: 4, joined: 28, term: 1 / 3 },
});

const parts = opCase({
  name: "sumOfParts",
  covers: ["sumOfParts"],
  inputs: { x: drawn([5, 3, 17]) },
  build: ({ x }) => sumOfParts(x),
  differentiable: { x: 1 },
  tolerance: { c: 4, joined: 5, term: 1 },
});

const oneDimensional = (
  [
    [[2, 17, 3], [3, 3, 5], { stride: 2, dilation: 2, padding: 1 }],
    [[3, 7, 1], [4, 1, 2], { padding: "same" }],
    [[1, 9, 4], [3, 2, 6], { padding: [2, 0], groups: 2 }],
    [[2, 5, 6], [2, 1, 6], { padding: [0, 3], stride: 3, groups: 6 }],
  ] as const
).map(([signals, weights, options]) =>
  opCase({
    name: `conv1d [${signals.join(", ")}] by [${weights.join(", ")}] ${JSON.stringify(options)}`,
    covers: ["conv1d"],
    inputs: { signals: drawn(signals), weights: drawn(weights), bias: drawn([weights[2]]) },
    build: ({ signals: x, weights: w, bias }) => conv1d(x, w, { ...options, bias }),
    differentiable: {
      signals: weights[0] * weights[2],
      weights: signals[0] * signals[1],
      bias: signals[0] * signals[1],
    },
    tolerance: { c: 4, joined: weights[0] * weights[1] + 1, term: 1 / 3 },
  }),
);

/** The operands are rounded to float16, forward and backward. The reference rounds them in the same way. */
const rounded = (
  [
    [[2, 5, 7, 3], [3, 3, 3, 4], { padding: "same" }],
    [[1, 6, 6, 8], [3, 2, 8, 8], { stride: 2 }],
    [[2, 4, 5, 6], [3, 3, 2, 3], { groups: 3, padding: 1 }],
  ] as const
).map(([images, weights, options]) =>
  opCase({
    name: `conv2d in float16 [${images.join(", ")}] by [${weights.join(", ")}] ${JSON.stringify(options)}`,
    covers: ["conv2d"],
    inputs: { images: drawn(images), weights: drawn(weights), bias: drawn([weights[3]]) },
    build: ({ images: x, weights: w, bias }) => conv2d(x, w, { ...options, bias, precision: "float16" }),
    differentiable: {
      images: weights[0] * weights[1] * weights[3],
      weights: images[0] * images[1] * images[2],
      bias: images[0] * images[1] * images[2],
    },
    tolerance: { c: 4, joined: terms(weights.slice(0, 3)) + 1, term: 1 / 3 },
    parityOnly: true,
  }),
);

const roundedTransposed = opCase({
  name: "convTranspose2d in float16",
  covers: ["convTranspose2d"],
  inputs: { images: drawn([2, 3, 4, 3]), weights: drawn([3, 3, 2, 3]) },
  build: ({ images, weights }) => convTranspose2d(images, weights, { stride: 2, precision: "float16" }),
  differentiable: { images: 18, weights: 24 },
  tolerance: { c: 4, joined: 27, term: 1 / 3 },
  parityOnly: true,
});

const poolings: readonly [Shape, number | readonly [number, number], WindowOptions][] = [
  [[2, 4, 6, 3], 2, {}],
  [[2, 5, 5, 3], 3, { stride: 2, padding: "same" }],
  [[1, 7, 6, 1], [3, 2], { stride: [1, 2], padding: [1, 1], dilation: [2, 1] }],
];

const pools = poolings.flatMap(([shape, window, options]): OpCase[] => {
  const written = `[${shape.join(", ")}] by ${JSON.stringify(window)} ${JSON.stringify(options)}`;
  const places = typeof window === "number" ? window ** 2 : window[0] * window[1];
  return [
    opCase({
      name: `maxPool2d ${written}`,
      covers: ["maxPool2d"],
      inputs: { images: { shape, draw: distinct } },
      build: ({ images }) => maxPool2d(images, window, options),
      differentiable: { images: places },
      tolerance: "exact",
    }),
    opCase({
      name: `averagePool2d ${written}`,
      covers: ["averagePool2d"],
      inputs: { images: drawn(shape) },
      build: ({ images }) => averagePool2d(images, window, options),
      differentiable: { images: places },
      tolerance: { c: 4, joined: places, term: 1 / places },
    }),
  ];
});

const globals: OpCase[] = [
  opCase({
    name: "globalAveragePool2d",
    covers: ["globalAveragePool2d"],
    inputs: { images: drawn([3, 5, 4, 7]) },
    build: ({ images }) => globalAveragePool2d(images),
    differentiable: { images: 1 },
    tolerance: { c: 4, joined: 20, term: 1 / 20 },
  }),
  opCase({
    name: "globalMaxPool2d",
    covers: ["globalMaxPool2d"],
    inputs: { images: { shape: [3, 5, 4, 7], draw: distinct } },
    build: ({ images }) => globalMaxPool2d(images),
    differentiable: { images: 1 },
    tolerance: "exact",
  }),
];

export const cases: readonly OpCase[] = [
  ...forward,
  longSums,
  withBias,
  parts,
  ...backward,
  ...oneDimensional,
  ...rounded,
  roundedTransposed,
  ...pools,
  ...globals,
];
