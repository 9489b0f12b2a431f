import { dropoutMask } from "../../src/ops/dropout/index.ts";
import { multiply } from "../../src/ops/elementwise/index.ts";
import { integersBelow, opCase, ROUNDED, uniform, type OpCase } from "./cases.ts";

const key = { shape: [], dtype: "uint32", draw: integersBelow(2 ** 32) } as const;

const drawn = [
  [0.5, [3, 17]],
  [0, [65]],
  [0.1, [65, 129]],
  [0.999, [5, 3, 33]],
  [0.3, [1]],
  [1 / 3, [100_003]],
] as const;

const masks = drawn.map(([rate, shape]) =>
  opCase({
    name: `dropoutMask ${rate} of [${shape.join(", ")}]`,
    covers: ["dropoutMask"],
    inputs: { key },
    build: (inputs) => dropoutMask(shape, rate, inputs.key),
    tolerance: "exact",
  }),
);

const applied = opCase({
  name: "dropout of a layer",
  covers: ["dropoutMask", "multiply"],
  inputs: { key, x: { shape: [5, 17], draw: uniform(-2, 2) } },
  build: (inputs) => multiply(inputs.x, dropoutMask([5, 17], 0.4, inputs.key)),
  differentiable: { x: 1 },
  // 1 / (1 − rate) is rounded as well as the product.
  tolerance: { ...ROUNDED, c: 4 },
});

export const cases: readonly OpCase[] = [...masks, applied];
