import * as ops from "../../../src/ops/losses/index.ts";
import { exactly, GAP, grid, uniform } from "../cases.ts";
import { comparison, floats, type Comparison } from "./comparison.ts";

const shape = [7, 5];
const outputs = { shape, draw: grid(0) };
const targets = { shape, draw: grid(5 * GAP) };
const logits = floats(...shape);
const labels = { shape: [7], dtype: "uint32", draw: exactly(4, 0, 1, 2, 3, 1, 4) } as const;
const shares = { shape, draw: uniform(0.05, 0.4) };
const weights = { shape: [7], draw: uniform(0.5, 2) };
const classWeights = { shape: [5], draw: uniform(0.5, 2) };

/** Of each element in PyTorch, summed or averaged over the outputs of an example. */
const ofTargets: readonly (readonly [op: string, loss: ops.Loss, element: string, over: "mean" | "sum"])[] = [
  ["meanSquaredError", ops.meanSquaredError, "F.mse_loss(outputs, targets, reduction='none')", "mean"],
  ["halfSumOfSquares", ops.halfSumOfSquares, "F.mse_loss(outputs, targets, reduction='none') / 2", "sum"],
  ["meanAbsoluteError", ops.meanAbsoluteError, "F.l1_loss(outputs, targets, reduction='none')", "mean"],
  [
    "huber",
    (a, b, options) => ops.huber(a, b, { ...(options as object), delta: 0.75 }),
    "F.huber_loss(outputs, targets, reduction='none', delta=0.75)",
    "mean",
  ],
  ["hinge", ops.hinge, "torch.clamp(1 - targets * outputs, min=0)", "mean"],
];

const unlabeled = ofTargets.flatMap(([op, loss, element, over]) => [
  comparison(
    op,
    { outputs, targets },
    (inputs) => loss(inputs.outputs, inputs.targets, { reduction: "mean" }),
    `(${element}).${over}(1).mean()`,
  ),
  comparison(
    op,
    { outputs, targets, weights, classWeights },
    ({ outputs: found, targets: wanted, ...weighting }) => loss(found, wanted, weighting),
    `((${element}) * classWeights).${over}(1) @ weights / weights.sum()`,
  ),
]);

const binary = [
  comparison(
    "sigmoidBinaryCrossEntropy",
    { logits, targets: shares },
    (inputs) => ops.sigmoidBinaryCrossEntropy(inputs.logits, inputs.targets),
    "F.binary_cross_entropy_with_logits(logits, targets, reduction='none').sum(1).mean()",
  ),
  comparison(
    "sigmoidBinaryCrossEntropy",
    { logits, targets: shares, weights, classWeights },
    ({ logits: z, targets: t, ...weighting }) =>
      ops.sigmoidBinaryCrossEntropy(z, t, { ...weighting, reduction: "sum" }),
    "F.binary_cross_entropy_with_logits(logits, targets, reduction='none') @ classWeights @ weights",
  ),
  comparison(
    "sigmoidBinaryCrossEntropy",
    { logits, targets: shares, positiveWeights: classWeights },
    ({ logits: z, targets: t, positiveWeights }) => ops.sigmoidBinaryCrossEntropy(z, t, { positiveWeights }),
    "F.binary_cross_entropy_with_logits(logits, targets, pos_weight=positiveWeights, reduction='none').sum(1).mean()",
    ["logits", "targets"],
  ),
  comparison(
    "sigmoidBinaryCrossEntropy",
    { logits, targets: shares, positiveWeights: classWeights, classWeights },
    ({ logits: z, targets: t, ...weighting }) => ops.sigmoidBinaryCrossEntropy(z, t, weighting),
    "F.binary_cross_entropy_with_logits(logits, targets, classWeights, pos_weight=positiveWeights, reduction='none').sum(1).mean()",
    ["logits", "targets"],
  ),
];

const crossEntropies = [
  comparison(
    "softmaxCrossEntropy",
    { logits, labels },
    (inputs) => ops.softmaxCrossEntropy(inputs.logits, inputs.labels),
    "F.cross_entropy(logits, labels)",
  ),
  comparison(
    "softmaxCrossEntropy",
    { logits, labels, classWeights },
    (inputs) =>
      ops.softmaxCrossEntropy(inputs.logits, inputs.labels, {
        classWeights: inputs.classWeights,
        labelSmoothing: 0.25,
      }),
    "F.cross_entropy(logits, labels, classWeights, label_smoothing=0.25)",
    // PyTorch has no gradient for weights of classes.
    ["logits"],
  ),
  comparison(
    "softmaxCrossEntropy",
    { logits, targets: shares, classWeights },
    (inputs) =>
      ops.softmaxCrossEntropy(inputs.logits, inputs.targets, {
        classWeights: inputs.classWeights,
        labelSmoothing: 0.25,
      }),
    "F.cross_entropy(logits, targets, classWeights, label_smoothing=0.25)",
    ["logits", "targets"],
  ),
  comparison(
    "softmaxCrossEntropy",
    { logits, labels, weights, classWeights },
    ({ logits: z, labels: t, ...weighting }) => ops.softmaxCrossEntropy(z, t, weighting),
    "F.cross_entropy(logits, labels, classWeights, reduction='none') @ weights / (classWeights[labels] @ weights)",
    ["logits", "weights"],
  ),
  comparison(
    "softmaxCrossEntropy",
    { logits: floats(2, 3, 5), labels: { shape: [2, 3], dtype: "uint32", draw: exactly(4, 0, 2, 1, 2, 3) } },
    (inputs) => ops.softmaxCrossEntropy(inputs.logits, inputs.labels, { ignore: 2 }),
    "F.cross_entropy(logits.mT, labels, ignore_index=2)",
  ),
];

const ofLogarithms = [
  comparison(
    "negativeLogLikelihood",
    { logits, labels, classWeights },
    (inputs) => ops.negativeLogLikelihood(inputs.logits, inputs.labels, { classWeights: inputs.classWeights }),
    "F.nll_loss(logits, labels, classWeights)",
    ["logits"],
  ),
  comparison(
    "negativeLogLikelihood",
    { logits, labels, weights },
    (inputs) => ops.negativeLogLikelihood(inputs.logits, inputs.labels, { weights: inputs.weights, reduction: "sum" }),
    "F.nll_loss(logits, labels, reduction='none') @ weights",
  ),
  comparison(
    "klDivergence",
    { logits, targets: shares },
    (inputs) => ops.klDivergence(inputs.logits, inputs.targets),
    "F.kl_div(logits, targets, reduction='batchmean')",
  ),
  comparison(
    "klDivergence",
    { logits, targets: shares, weights, classWeights },
    ({ logits: p, targets: t, ...weighting }) => ops.klDivergence(p, t, weighting),
    "(F.kl_div(logits, targets, reduction='none') @ classWeights) @ weights / weights.sum()",
  ),
];

export const comparisons: readonly Comparison[] = [...unlabeled, ...binary, ...crossEntropies, ...ofLogarithms];
