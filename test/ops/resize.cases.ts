import { toIndex } from "../../src/ops/convert/index.ts";
import { resizeBilinear2d, sampleBilinear2d, upsampleNearest2d } from "../../src/ops/convolution/index.ts";
import { multiply } from "../../src/ops/elementwise/index.ts";
import { GAP, opCase, uniform, type Draw, type OpCase } from "./cases.ts";

const images = (shape: readonly number[]) => ({ shape, draw: uniform(-1, 1) });

/** Positions in and around an image of 4 × 5, away from whole numbers, where the derivative jumps. */
const positions: Draw = (random, size) =>
  Array.from({ length: size }, () => random.below(7) - 1.5 + random.uniform(-0.5 + GAP, 0.5 - GAP));

/** Positions between the elements of such an image. */
const within: Draw = (random, size) =>
  Array.from({ length: size }, () => random.below(3) + 0.5 + random.uniform(-0.5 + GAP, 0.5 - GAP));

export const cases: readonly OpCase[] = [
  opCase({
    name: "upsampleNearest2d",
    covers: ["upsampleNearest2d"],
    inputs: { images: images([2, 3, 4, 3]) },
    build: (inputs) => upsampleNearest2d(inputs.images, [2, 3]),
    differentiable: { images: 6 },
    tolerance: "exact",
  }),
  ...(
    [
      [6, 10],
      [7, 3],
      [1, 1],
      // One axis only, so that a wrong sign of its gradient is not undone by the other one.
      [3, 8],
    ] as const
  ).map((size) =>
    opCase({
      name: `resizeBilinear2d to ${size.join(" × ")}`,
      covers: ["resizeBilinear2d"],
      inputs: { images: images([2, 3, 5, 2]) },
      build: (inputs) => resizeBilinear2d(inputs.images, size),
      differentiable: { images: 12 },
      tolerance: { c: 8, joined: 5 },
    }),
  ),
  opCase({
    name: "sampleBilinear2d within the images",
    covers: ["sampleBilinear2d"],
    inputs: { images: images([2, 4, 5, 3]), positions: { shape: [2, 3, 3, 2], draw: within } },
    build: (inputs) => sampleBilinear2d(inputs.images, inputs.positions),
    differentiable: { images: 36, positions: 12 },
    tolerance: { c: 8, joined: 4, term: 1 },
  }),
  opCase({
    name: "sampleBilinear2d also outside of the images",
    covers: ["sampleBilinear2d"],
    inputs: { images: images([2, 4, 5, 3]), positions: { shape: [2, 3, 3, 2], draw: positions } },
    build: (inputs) => sampleBilinear2d(inputs.images, inputs.positions),
    differentiable: { images: 36, positions: 12 },
    tolerance: { c: 8, joined: 4, term: 1 },
  }),
  opCase({
    name: "sampleBilinear2d of rows and columns, filled outside of the images",
    covers: ["sampleBilinear2d"],
    inputs: {
      images: images([2, 4, 5, 2]),
      rows: { shape: [2, 7], draw: positions },
      columns: { shape: [2, 7], draw: positions },
    },
    build: (inputs) => sampleBilinear2d(inputs.images, [inputs.rows, inputs.columns], { fill: -0.75 }),
    differentiable: { images: 28, rows: 4, columns: 4 },
    tolerance: { c: 8, joined: 4, term: 1 },
  }),
  opCase({
    name: "toIndex",
    covers: ["toIndex"],
    inputs: {
      x: { shape: [3, 17], draw: uniform(-3, 300), special: [0, 0.999, 1, -1, 16_777_216, 4_294_967_296, -1e30] },
    },
    build: ({ x }) => toIndex(x),
    tolerance: "exact",
  }),
  opCase({
    name: "toIndex of computed numbers, below a limit",
    covers: ["toIndex"],
    inputs: { x: { shape: [3, 17], draw: uniform(-3, 300), special: [0, 99.5, 100, 101, 4_294_967_296, -1e30] } },
    build: ({ x }) => toIndex(multiply(x, 1), { below: 100 }),
    tolerance: "exact",
  }),
];
