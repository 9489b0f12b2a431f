import { OptionError } from "../errors.ts";
import { sizeOf, type Shape, type Tensor } from "../graph/tensor.ts";
import { equal, toFloat } from "../ops/elementwise/index.ts";
import { axisIndex, reshape } from "../ops/layout/index.ts";
import {
  halfSumOfSquares,
  meanSquaredError,
  sigmoidBinaryCrossEntropy,
  softmaxCrossEntropy,
  type Loss,
} from "../ops/losses/index.ts";
import { accuracy } from "./metrics.ts";

/** What makes probabilities of logits: of all classes together, or of each output alone. */
export type ProbabilityFunction = "softmax" | "sigmoid";

/** A loss of class labels, and when an output counts as right. */
export interface ClassificationLoss {
  readonly name: string;
  /** Whether one output may stand for two classes. */
  readonly takesSingleOutput: boolean;
  /** The function that makes probabilities of the outputs; absent where the outputs are no logits. */
  readonly probabilities?: ProbabilityFunction | undefined;
  /**
   * @param outputs [examples, classes], or [examples, 1] for two classes where that is taken
   * @param labels uint32 [examples]
   * @returns the loss of each example, [examples]
   */
  perExample(outputs: Tensor, labels: Tensor): Tensor;
  /** For each example 1 where the prediction is its label, else 0. */
  correct(outputs: Tensor, labels: Tensor): Tensor;
}

/** A loss of quantities. */
export interface RegressionLoss {
  readonly name: string;
  /**
   * @param outputs [examples, outputs]
   * @param targets float32 of the same shape
   * @returns the loss of each example, [examples]
   */
  perTarget(outputs: Tensor, targets: Tensor): Tensor;
}

/** What training lowers. The losses known by name that take single values as targets are of both kinds. */
export type TrainingLoss = ClassificationLoss | RegressionLoss;

/**
 * 1 at each example's label, else 0.
 * @param labels uint32 [examples]
 * @returns float32 [examples, classes]
 */
export function oneHot(labels: Tensor, classes: number): Tensor {
  const examples = labels.shape[0]!;
  return equal(axisIndex([examples, classes], 1), reshape(labels, [examples, 1]));
}

/** A loss with one target per output; of labels, one-hot for several outputs, the label itself (0 or 1) for one. */
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
 * The losses that training knows by name. The two of squares take outputs as they are, near 0 and 1; the two
 * cross-entropies take logits, so the model's last layer has no activation.
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

/** The function that makes probabilities of the outputs of a model that was trained with a loss. */
export function probabilitiesOf(loss: LossName | TrainingLoss): ProbabilityFunction | undefined {
  const chosen: TrainingLoss = typeof loss === "string" ? losses[loss] : loss;
  return "probabilities" in chosen ? chosen.probabilities : undefined;
}

/**
 * Checks that a loss takes class labels and a model's outputs can be compared with so many of them.
 * @param outputShape the shape of one output
 * @throws OptionError where the loss cannot take them
 */
export function requireOutputs(
  loss: TrainingLoss,
  outputShape: Shape,
  classes: number,
): asserts loss is ClassificationLoss {
  if (!("perExample" in loss)) {
    throw new OptionError({ where: loss.name, what: "this loss takes no classes", fix: "Choose softmaxCrossEntropy" });
  }
  const single = loss.takesSingleOutput && classes === 2;
  if (outputShape.length === 1 && (outputShape[0] === classes || (single && outputShape[0] === 1))) return;
  throw new OptionError({
    where: loss.name,
    what: `the model's output is [${outputShape.join(", ")}] but the data has ${classes} classes`,
    fix: `End the model with dense(${classes})${single ? " or dense(1)" : ""}`,
  });
}

/**
 * Checks that a loss takes quantities and a model gives so many of them.
 * @param outputShape the shape of one output
 * @throws OptionError where the loss cannot take them
 */
export function requireTargets(
  loss: TrainingLoss,
  outputShape: Shape,
  outputs: number,
): asserts loss is RegressionLoss {
  if (!("perTarget" in loss)) {
    throw new OptionError({ where: loss.name, what: "this loss takes classes only", fix: "Choose meanSquaredError" });
  }
  if (outputShape.length === 1 && outputShape[0] === outputs) return;
  throw new OptionError({
    where: loss.name,
    what: `the model's output is [${outputShape.join(", ")}] but the data has ${outputs} values to predict`,
    fix: `End the model with dense(${outputs})`,
  });
}
