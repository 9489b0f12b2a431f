import {
  halfSumOfSquares,
  meanSquaredError,
  sigmoidBinaryCrossEntropy,
  softmaxCrossEntropy,
  type Loss,
  type Reduction,
} from "../../src/ops/losses/index.ts";
import { sizeOf, type Shape } from "../../src/graph/tensor.ts";
import { ulp } from "./accuracy.ts";
import { integersBelow, opCase, uniform, type OpCase } from "./cases.ts";

/** The number of elements in one result. */
const joinedBy = (shape: Shape, reduction: Reduction) => sizeOf(reduction === "none" ? shape.slice(1) : shape);

type Reduced = readonly [shape: Shape, reduction: Reduction];

const common: readonly Reduced[] = [
  [[5, 3], "mean"],
  [[17], "sum"],
  [[2, 3, 4], "none"],
];

const squaredLosses: readonly (readonly [string, Loss])[] = [
  ["meanSquaredError", meanSquaredError],
  ["halfSumOfSquares", halfSumOfSquares],
];

const squared = squaredLosses.flatMap(([name, loss]) =>
  [...common, [[65, 129], "mean"] as const].map(([shape, reduction]) =>
    opCase({
      name: `${name} of [${shape.join(", ")}], ${reduction}`,
      covers: [name],
      inputs: { outputs: { shape, draw: uniform(-2, 2) }, targets: { shape, draw: uniform(-2, 2) } },
      build: ({ outputs, targets }) => loss(outputs, targets, reduction),
      differentiable: { outputs: 1, targets: 1 },
      tolerance: { c: 8, joined: joinedBy(shape, reduction) },
      parityOnly: sizeOf(shape) > 1000,
    }),
  ),
);

/** Per element: log's absolute error of 2⁻²¹ for an argument in [1, 2], and 3 ULP of the exponential in it. */
const elementError = (shape: Shape, reduction: Reduction) => () =>
  (reduction === "mean" ? sizeOf(shape.slice(1)) : joinedBy(shape, reduction)) * (2 ** -21 + 3 * ulp(1));

const binary = [...common, [[65, 10], "mean"] as const].map(([shape, reduction]) =>
  opCase({
    name: `sigmoidBinaryCrossEntropy of [${shape.join(", ")}], ${reduction}`,
    covers: ["sigmoidBinaryCrossEntropy"],
    inputs: { logits: { shape, draw: uniform(-4, 4) }, targets: { shape, draw: uniform(0, 1) } },
    build: ({ logits, targets }) => sigmoidBinaryCrossEntropy(logits, targets, reduction),
    differentiable: { logits: 1, targets: 1 },
    tolerance: { c: 4, joined: joinedBy(shape, reduction), functionError: elementError(shape, reduction) },
    parityOnly: sizeOf(shape) > 100,
  }),
);

const extreme = opCase({
  name: "sigmoidBinaryCrossEntropy of large logits",
  covers: ["sigmoidBinaryCrossEntropy"],
  inputs: {
    logits: { shape: [17, 1], draw: uniform(-30, 30), special: [0, 100, -100, 1e4, -1e4] },
    targets: { shape: [17, 1], draw: integersBelow(2) },
  },
  build: ({ logits, targets }) => sigmoidBinaryCrossEntropy(logits, targets, "none"),
  differentiable: { logits: 1, targets: 1 },
  tolerance: { c: 4, functionError: elementError([17, 1], "none") },
  parityOnly: true,
});

const sizes = [
  [5, 4, "mean"],
  [5, 4, "sum"],
  [5, 4, "none"],
  [65, 10, "mean"],
] as const;

const labelled = sizes.map(([examples, classes, reduction]) =>
  opCase({
    name: `softmaxCrossEntropy of [${examples}, ${classes}], ${reduction}`,
    covers: ["softmaxCrossEntropy"],
    inputs: {
      logits: { shape: [examples, classes], draw: uniform(-4, 4) },
      labels: { shape: [examples], dtype: "uint32", draw: integersBelow(classes) },
    },
    build: ({ logits, labels }) => softmaxCrossEntropy(logits, labels, reduction),
    differentiable: { logits: 1 },
    tolerance: {
      c: 8,
      joined: joinedBy([examples, classes], reduction),
      // log(total) with 1 ≤ total ≤ classes, for each example.
      functionError: () => (reduction === "sum" ? examples : 1) * (2 ** -21 + 3 * ulp(Math.log(classes)) + 3 * ulp(1)),
    },
    parityOnly: examples > 10,
  }),
);

export const cases: readonly OpCase[] = [...squared, ...binary, extreme, ...labelled];
