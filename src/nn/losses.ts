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

/** A loss of class labels, and when an output counts as right. */
export interface ClassificationLoss {
  readonly name: string;
  /** Whether one output may stand for two classes. */
  readonly takesSingleOutput: boolean;
  /**
   * @param outputs [examples, classes], or [examples, 1] for two classes where that is taken
   * @param labels uint32 [examples]
   * @returns the loss of each example, [examples]
   */
  perExample(outputs: Tensor, labels: Tensor): Tensor;
  /** For each example 1 where the prediction is its label, else 0. */
  correct(outputs: Tensor, labels: Tensor): Tensor;
}

/**
 * 1 at each example's label, else 0.
 * @param labels uint32 [examples]
 * @returns float32 [examples, classes]
 */
export function oneHot(labels: Tensor, classes: number): Tensor {
  const examples = labels.shape[0]!;
  return equal(axisIndex([examples, classes], 1), reshape(labels, [examples, 1]));
}

/** A loss with one target per output: one-hot for several outputs, the label itself (0 or 1) for one. */
function ofTargets(name: string, loss: Loss, threshold: number): ClassificationLoss {
  return {
    name,
    takesSingleOutput: true,
    perExample(outputs, labels) {
      const classes = sizeOf(outputs.shape.slice(1));
      const targets = classes === 1 ? reshape(toFloat(labels), outputs.shape) : oneHot(labels, classes);
      return loss(outputs, targets, "none");
    },
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
    perExample: (outputs, labels) => softmaxCrossEntropy(outputs, labels, "none"),
    correct: (outputs, labels) => accuracy(outputs, labels),
  },
  sigmoidBinaryCrossEntropy: ofTargets("sigmoidBinaryCrossEntropy", sigmoidBinaryCrossEntropy, 0),
} as const satisfies Record<string, ClassificationLoss>;

export type LossName = keyof typeof losses;

/**
 * Checks that a model's outputs can be compared with labels of this many classes.
 * @param outputShape the shape of one output
 * @throws OptionError where the loss cannot take them
 */
export function requireOutputs(loss: ClassificationLoss, outputShape: Shape, classes: number): void {
  const single = loss.takesSingleOutput && classes === 2;
  if (outputShape.length === 1 && (outputShape[0] === classes || (single && outputShape[0] === 1))) return;
  throw new OptionError({
    where: loss.name,
    what: `the model's output is [${outputShape.join(", ")}] but the data has ${classes} classes`,
    fix: `End the model with dense(${classes})${single ? " or dense(1)" : ""}`,
  });
}
