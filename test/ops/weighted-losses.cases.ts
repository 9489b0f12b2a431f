import type { Tensor } from "../../src/graph/tensor.ts";
import {
  halfSumOfSquares,
  hinge,
  huber,
  klDivergence,
  meanAbsoluteError,
  meanSquaredError,
  negativeLogLikelihood,
  sigmoidBinaryCrossEntropy,
  softmaxCrossEntropy,
  type Loss,
} from "../../src/ops/losses/index.ts";
import { logSoftmax } from "../../src/ops/softmax/index.ts";
import { ulp } from "./accuracy.ts";
import { exactly, grid, GAP, integersBelow, opCase, uniform, type OpCase, type Tolerance } from "./cases.ts";

const EXAMPLES = 7;
const CLASSES = 5;
const shape = [EXAMPLES, CLASSES];

const outputs = { shape, draw: grid(0) };
const targets = { shape, draw: grid(5 * GAP) };
const logits = { shape, draw: uniform(-3, 3) };
/** Each class, so that no logarithm is unread. */
const labels = { shape: [EXAMPLES], dtype: "uint32", draw: exactly(4, 0, 1, 2, 3, 1, 4) } as const;
const weights = { shape: [EXAMPLES], draw: uniform(0.5, 2) };
const classWeights = { shape: [CLASSES], draw: uniform(0.5, 2) };

/** Exponentials and logarithms in each of the terms. */
const withLogarithms: Tolerance = { c: 16, joined: 35, functionError: () => 8 * (2 ** -21 + 16 * ulp(1)) };
const sums: Tolerance = { c: 16, joined: EXAMPLES * CLASSES };

/** The weights among the inputs of a case. */
const weighting = ({ weights: own, classWeights: ofClasses }: { weights?: Tensor; classWeights?: Tensor }) => ({
  weights: own,
  classWeights: ofClasses,
});

const ofTargets: readonly (readonly [string, Loss])[] = [
  ["meanSquaredError", meanSquaredError],
  ["halfSumOfSquares", halfSumOfSquares],
  ["meanAbsoluteError", meanAbsoluteError],
  ["huber", (a, b, options) => huber(a, b, { ...(options as object), delta: 0.7 + GAP / 3 })],
  ["hinge", hinge],
];

const simple = ofTargets.flatMap(([name, loss]) => [
  opCase({
    name: `${name}, mean`,
    covers: [name],
    inputs: { outputs, targets },
    build: (inputs) => loss(inputs.outputs, inputs.targets, { reduction: "mean" }),
    differentiable: { outputs: 1 },
    tolerance: sums,
  }),
  opCase({
    name: `${name} with weights of examples and outputs`,
    covers: [name],
    inputs: { outputs, targets, weights, classWeights },
    build: (inputs) => loss(inputs.outputs, inputs.targets, weighting(inputs)),
    differentiable: { outputs: 1, weights: 35, classWeights: 35 },
    tolerance: sums,
  }),
]);

const logarithmic: OpCase[] = [
  opCase({
    name: "softmaxCrossEntropy of probabilities",
    covers: ["softmaxCrossEntropy"],
    inputs: { logits, targets: { shape, draw: uniform(0, 0.4) } },
    build: (inputs) => softmaxCrossEntropy(inputs.logits, inputs.targets, "none"),
    differentiable: { logits: CLASSES, targets: 1 },
    tolerance: withLogarithms,
    gradientTolerance: { functionError: () => 2 ** -18 },
  }),
  opCase({
    name: "softmaxCrossEntropy with label smoothing and all weights",
    covers: ["softmaxCrossEntropy"],
    inputs: { logits, labels, weights, classWeights },
    build: (inputs) => softmaxCrossEntropy(inputs.logits, inputs.labels, { ...weighting(inputs), labelSmoothing: 0.2 }),
    differentiable: { logits: CLASSES, weights: 35, classWeights: 35 },
    tolerance: withLogarithms,
    gradientTolerance: { functionError: () => 2 ** -18 },
  }),
  opCase({
    name: "softmaxCrossEntropy with weights of examples, sum",
    covers: ["softmaxCrossEntropy"],
    inputs: { logits, labels, weights },
    build: (inputs) => softmaxCrossEntropy(inputs.logits, inputs.labels, { weights: inputs.weights, reduction: "sum" }),
    differentiable: { logits: CLASSES, weights: 1 },
    tolerance: withLogarithms,
    gradientTolerance: { functionError: () => 2 ** -18 },
  }),
  opCase({
    name: "sigmoidBinaryCrossEntropy with all weights",
    covers: ["sigmoidBinaryCrossEntropy"],
    inputs: { logits, targets: { shape, draw: uniform(0, 1) }, weights, classWeights },
    build: (inputs) => sigmoidBinaryCrossEntropy(inputs.logits, inputs.targets, weighting(inputs)),
    differentiable: { logits: 1, targets: 1, weights: 35, classWeights: 35 },
    tolerance: withLogarithms,
    gradientTolerance: { functionError: () => 2 ** -18 },
  }),
  opCase({
    name: "sigmoidBinaryCrossEntropy with all weights, and those of positives",
    covers: ["sigmoidBinaryCrossEntropy"],
    inputs: { logits, targets: { shape, draw: uniform(0, 1) }, weights, classWeights, positiveWeights: classWeights },
    build: (inputs) =>
      sigmoidBinaryCrossEntropy(inputs.logits, inputs.targets, {
        ...weighting(inputs),
        positiveWeights: inputs.positiveWeights,
      }),
    differentiable: { logits: 1, targets: 1, weights: 35, classWeights: 35, positiveWeights: 35 },
    tolerance: withLogarithms,
    gradientTolerance: { functionError: () => 2 ** -18 },
  }),
  opCase({
    name: "negativeLogLikelihood",
    covers: ["negativeLogLikelihood"],
    inputs: { logProbabilities: { shape, draw: uniform(-3, 0) }, labels },
    build: (inputs) => negativeLogLikelihood(inputs.logProbabilities, inputs.labels),
    differentiable: { logProbabilities: 1 },
    tolerance: sums,
  }),
  opCase({
    name: "negativeLogLikelihood of a logSoftmax, with weights of classes",
    covers: ["negativeLogLikelihood"],
    inputs: { logits, labels, classWeights },
    build: (inputs) =>
      negativeLogLikelihood(logSoftmax(inputs.logits), inputs.labels, { classWeights: inputs.classWeights }),
    differentiable: { logits: CLASSES, classWeights: 35 },
    tolerance: withLogarithms,
    gradientTolerance: { functionError: () => 2 ** -18 },
  }),
  opCase({
    name: "softmaxCrossEntropy of probabilities with label smoothing and all weights",
    covers: ["softmaxCrossEntropy"],
    inputs: { logits, targets: { shape, draw: uniform(0, 0.4) }, weights, classWeights },
    build: (inputs) =>
      softmaxCrossEntropy(inputs.logits, inputs.targets, { ...weighting(inputs), labelSmoothing: 0.1 }),
    differentiable: { logits: CLASSES, targets: 1, weights: 35, classWeights: 35 },
    tolerance: withLogarithms,
    gradientTolerance: { functionError: () => 2 ** -18 },
  }),
  opCase({
    name: "negativeLogLikelihood with all weights",
    covers: ["negativeLogLikelihood"],
    inputs: { logProbabilities: { shape, draw: uniform(-3, 0) }, labels, weights, classWeights },
    build: (inputs) => negativeLogLikelihood(inputs.logProbabilities, inputs.labels, weighting(inputs)),
    differentiable: { logProbabilities: 1, weights: 35, classWeights: 35 },
    tolerance: sums,
  }),
  opCase({
    name: "klDivergence with all weights",
    covers: ["klDivergence"],
    inputs: { logits, targets: { shape, draw: uniform(0.1, 0.4) }, weights, classWeights },
    build: (inputs) => klDivergence(logSoftmax(inputs.logits), inputs.targets, weighting(inputs)),
    differentiable: { logits: CLASSES, targets: 1, weights: 35, classWeights: 35 },
    tolerance: withLogarithms,
    gradientTolerance: { functionError: () => 2 ** -18 },
  }),
  opCase({
    name: "klDivergence",
    covers: ["klDivergence"],
    inputs: { logits, targets: { shape, draw: uniform(0.1, 0.4) } },
    build: (inputs) => klDivergence(logSoftmax(inputs.logits), inputs.targets),
    differentiable: { logits: CLASSES, targets: 1 },
    tolerance: withLogarithms,
    gradientTolerance: { functionError: () => 2 ** -18 },
  }),
  opCase({
    name: "klDivergence where targets are 0",
    covers: ["klDivergence"],
    inputs: { logits, targets: { shape, draw: integersBelow(2) } },
    build: (inputs) => klDivergence(logSoftmax(inputs.logits), inputs.targets, "none"),
    tolerance: withLogarithms,
  }),
];

const POSITIONS = [3, 2] as const;
const sequenceLogits = { shape: [...POSITIONS, CLASSES], draw: uniform(-3, 3) };
const tokens = { shape: POSITIONS, dtype: "uint32", draw: exactly(4, 0, 2, 1, 2, 3) } as const;

const sequences: OpCase[] = [
  opCase({
    name: "softmaxCrossEntropy of positions",
    covers: ["softmaxCrossEntropy"],
    inputs: { logits: sequenceLogits, labels: tokens },
    build: (inputs) => softmaxCrossEntropy(inputs.logits, inputs.labels),
    differentiable: { logits: 1 },
    tolerance: withLogarithms,
  }),
  opCase({
    name: "softmaxCrossEntropy of positions, each loss, with a class that is ignored",
    covers: ["softmaxCrossEntropy"],
    inputs: { logits: sequenceLogits, labels: tokens },
    build: (inputs) => softmaxCrossEntropy(inputs.logits, inputs.labels, { reduction: "none", ignore: 2 }),
    differentiable: { logits: 1 },
    tolerance: withLogarithms,
  }),
  opCase({
    name: "softmaxCrossEntropy of positions with weights and an ignored label that is no class",
    covers: ["softmaxCrossEntropy"],
    inputs: {
      logits: sequenceLogits,
      labels: { ...tokens, draw: exactly(4, 4_294_967_295, 2, 1, 4_294_967_295, 3) },
      weights: { shape: POSITIONS, draw: uniform(0.5, 2) },
      classWeights,
    },
    build: ({ logits: z, labels: given, weights: own, classWeights: ofClasses }) =>
      softmaxCrossEntropy(z, given, {
        ignore: 2 ** 32 - 1,
        weights: own,
        classWeights: ofClasses,
        labelSmoothing: 0.1,
      }),
    differentiable: { logits: 1, weights: 30, classWeights: 30 },
    tolerance: withLogarithms,
  }),
];

export const cases: readonly OpCase[] = [...sequences, ...simple, ...logarithmic];
