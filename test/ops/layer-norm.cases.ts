import { layerNorm } from "../../src/ops/layer-norm/index.ts";
import { opCase, uniform, type OpCase } from "./cases.ts";

const near1 = uniform(-1, 1);

/** Normalized values are of order 1, and their errors add up over a row. */
const tolerance = (width: number) => ({ c: 16, joined: width, term: 1 });

const sizes: readonly (readonly [leading: readonly number[], width: number])[] = [
  [[5], 3],
  [[2, 3], 17],
  [[3], 64],
];

const affine = sizes.map(([leading, width]): OpCase =>
  opCase({
    name: `layerNorm of rows of ${width}`,
    covers: ["layerNorm"],
    inputs: {
      x: { shape: [...leading, width], draw: uniform(-3, 3) },
      weight: { shape: [width], draw: uniform(0.5, 2) },
      bias: { shape: [width], draw: near1 },
    },
    build: ({ x, weight, bias }) => layerNorm(x, { affine: { weight, bias }, epsilon: 0.01 }),
    differentiable: { x: 8 * width, weight: 8, bias: 8 },
    tolerance: tolerance(width),
  }),
);

const plain = [1, 130].map((width): OpCase =>
  opCase({
    name: `layerNorm of rows of ${width} without factors`,
    covers: ["layerNorm"],
    inputs: { x: { shape: [2, width], draw: uniform(-3, 3) } },
    build: ({ x }) => layerNorm(x),
    differentiable: { x: 8 * width },
    // The values of rows of one element do not matter.
    parityOnly: true,
    tolerance: tolerance(width),
  }),
);

export const cases: readonly OpCase[] = [...affine, ...plain];
