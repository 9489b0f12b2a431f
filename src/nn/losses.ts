import { OptionError } from "../errors.ts";
import { sizeOf, type Shape, type Tensor } from "../graph/tensor.ts";
import { toFloat } from "../ops/elementwise/index.ts";
import { oneHot } from "../ops/indexing/index.ts";
import { reshape } from "../ops/layout/index.ts";
import {
  halfSumOfSquares,
  meanSquaredError,
  sigmoidBinaryCrossEntropy,
  softmaxCrossEntropy,
  type Loss,
} from "../ops/losses/index.ts";
import { accuracy } from "./metrics.ts";

/** How logits become probabilities: over all classes together, or for each output separately. */
export type ProbabilityFunction = "softmax" | "sigmoid";

/** A loss for classification, with its rule for correct predictions. */
export interface ClassificationLoss {
  readonly name: string;
  /** Whether a single output may represent two classes. */
  readonly takesSingleOutput: boolean;
  /** The function that converts outputs to probabilities; absent if the outputs are not logits. */
  readonly probabilities?: ProbabilityFunction | undefined;
  /**
   * @param outputs [examples, classes], or [examples, 1] for two classes if `takesSingleOutput`
   * @param labels uint32 [examples]
   * @returns the loss of each example, [examples]
   */
  perExample(outputs: Tensor, labels: Tensor): Tensor;
  /** 1 for each example whose prediction equals its label, else 0. */
  correct(outputs: Tensor, labels: Tensor): Tensor;
}

/** A loss for regression. */
export interface RegressionLoss {
  readonly name: string;
  /**
   * @param outputs [examples, outputs]
   * @param targets float32 of the same shape
   * @returns the loss of each example, [examples]
   */
  perTarget(outputs: Tensor, targets: Tensor): Tensor;
}

/** A loss for training. The built-in losses with targets support both classification and regression. */
export type TrainingLoss = ClassificationLoss | RegressionLoss;

/**
 * A loss with one target per output. Labels are one-hot encoded for several outputs, and used directly (0 or 1) for
 * one.
 */
function ofTargets(
  name: string,
  loss: Loss,
  threshold: number,
  probabilities?: ProbabilityFunction,
): ClassificationLoss & RegressionLoss {
  return {
    name,
    takesSingleOutput: true,
    probabilities,
    perExample(outputs, labels) {
      const classes = sizeOf(outputs.shape.slice(1));
      const targets = classes === 1 ? reshape(toFloat(labels), outputs.shape) : oneHot(labels, classes);
      return loss(outputs, targets, "none");
    },
    perTarget: (outputs, targets) => loss(outputs, targets, "none"),
    correct: (outputs, labels) => accuracy(outputs, labels, threshold),
  };
}

/**
 * The built-in losses. The squared losses expect outputs near 0 and 1 for classes. The cross-entropies expect logits,
 * so the model's last layer has no activation.
 */
export const losses = {
  meanSquaredError: ofTargets("meanSquaredError", meanSquaredError, 0.5),
  halfSumOfSquares: ofTargets("halfSumOfSquares", halfSumOfSquares, 0.5),
  softmaxCrossEntropy: {
    name: "softmaxCrossEntropy",
    takesSingleOutput: false,
    probabilities: "softmax",
    perExample: (outputs, labels) => softmaxCrossEntropy(outputs, labels, "none"),
    correct: (outputs, labels) => accuracy(outputs, labels),
  },
  sigmoidBinaryCrossEntropy: ofTargets("sigmoidBinaryCrossEntropy", sigmoidBinaryCrossEntropy, 0, "sigmoid"),
} as const satisfies Record<string, TrainingLoss>;

/** The name of one of `losses`. */
export type LossName = keyof typeof losses;

/** The function that converts the outputs of a model to probabilities, given the loss that it was trained with. */
export function probabilitiesOf(loss: LossName | TrainingLoss): ProbabilityFunction | undefined {
  const chosen: TrainingLoss = typeof loss === "string" ? losses[loss] : loss;
  return "probabilities" in chosen ? chosen.probabilities : undefined;
}

/**
 * Checks that a loss supports classification, and that a model's output matches the number of classes.
 * @param outputShape the shape of one output
 * @throws OptionError if not
 */
export function requireOutputs(
  loss: TrainingLoss,
  outputShape: Shape,
  classes: number,
): asserts loss is ClassificationLoss {
  if (!("perExample" in loss)) {
    throw new OptionError({
      where: loss.name,
      what: "this loss does not support classification",
      fix: "Choose softmaxCrossEntropy",
    });
  }
  const single = loss.takesSingleOutput && classes === 2;
  if (outputShape.length === 1 && (outputShape[0] === classes || (single && outputShape[0] === 1))) return;
  throw new OptionError({
    where: loss.name,
    what: `the model's output is [${outputShape.join(", ")}] but the data has ${classes} classes`,
    fix: `End the model with ${flattened(outputShape)}dense(${classes})${single ? " or dense(1)" : ""}`,
  });
}

/**
 * Checks that a loss supports regression, and that a model's output matches the number of targets.
 * @param outputShape the shape of one output
 * @throws OptionError if not
 */
export function requireTargets(
  loss: TrainingLoss,
  outputShape: Shape,
  outputs: number,
): asserts loss is RegressionLoss {
  if (!("perTarget" in loss)) {
    throw new OptionError({
      where: loss.name,
      what: "this loss supports only classification",
      fix: "Choose meanSquaredError",
    });
  }
  if (outputShape.length === 1 && outputShape[0] === outputs) return;
  throw new OptionError({
    where: loss.name,
    what: `the model's output is [${outputShape.join(", ")}] but an example has ${outputs} ${outputs === 1 ? "target" : "targets"}`,
    fix: `End the model with ${flattened(outputShape)}dense(${outputs})`,
  });
}

/** What must come before a dense layer that is connected with all outputs of a shape. */
const flattened = (outputShape: Shape): string => (outputShape.length > 1 ? "flatten() and " : "");
