/*
 * Models of two classes: the score of the second class, and predictions by a threshold.
 */
import { optionName, OptionError } from "../errors.ts";
import { probabilitiesOf, type LossName, type TrainingLoss } from "../nn/losses.ts";
import { predictedClasses } from "./metrics.ts";
import { decisionThreshold } from "./outputs.ts";

const logistic = (logit: number) => 1 / (1 + Math.exp(-logit));

/**
 * The score of class 1 of two classes: its probability if the loss takes logits; otherwise the single output, or the
 * difference of the two.
 * @param outputs rows of `width` values, 1 or 2, as `predict` returns them
 * @param loss the loss that the model was trained with
 * @returns one score per example; larger scores mean class 1
 */
export function positiveScores(outputs: Float32Array, width: number, loss: LossName | TrainingLoss): Float64Array {
  const kind = probabilitiesOf(loss);
  return Float64Array.from({ length: outputs.length / width }, (_, example) => {
    if (width === 1) return kind === "sigmoid" ? logistic(outputs[example]!) : outputs[example]!;
    const difference = outputs[2 * example + 1]! - outputs[2 * example]!;
    return kind === "softmax" ? logistic(difference) : difference;
  });
}

/**
 * The predicted class of each example, with a threshold if one is given. As `predictedClasses`, but of two classes the
 * second is predicted if its score (see `positiveScores`) is at least the threshold.
 * @param outputs rows of `width` values, as `predict` returns them
 * @param loss the loss that the model was trained with
 * @throws OptionError for a threshold outside (0, 1), more than two classes, or two outputs without a softmax
 */
export function classesByThreshold(
  outputs: Float32Array,
  width: number,
  loss: LossName | TrainingLoss,
  threshold?: number,
): Uint32Array {
  if (threshold === undefined) return predictedClasses(outputs, width, decisionThreshold(loss));
  requireThreshold(threshold, width, loss);
  return Uint32Array.from(positiveScores(outputs, width, loss), (score) => Number(score >= threshold));
}

/** Whether a model with this number of outputs takes a threshold: one output, or two with a softmax. */
export const takesThreshold = (width: number, loss: LossName | TrainingLoss): boolean =>
  width === 1 || (width === 2 && probabilitiesOf(loss) === "softmax");

/** @throws OptionError if a model with these outputs and this loss takes no such threshold */
export function requireThreshold(threshold: number, width: number, loss: LossName | TrainingLoss): void {
  const refuse = (what: string, fix: string) => new OptionError({ where: optionName("threshold"), what, fix });
  if (!(threshold > 0 && threshold < 1)) throw refuse(`${threshold} is out of range`, "Give a number in (0, 1)");
  if (width > 2) throw refuse(`the model has ${width} classes`, "Use a threshold for two classes only");
  if (!takesThreshold(width, loss))
    throw refuse("the loss of the model gives no probabilities", "Train with softmaxCrossEntropy");
}
