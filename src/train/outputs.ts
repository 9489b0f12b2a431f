/*
 * Converts a model's outputs to class probabilities, depending on the loss that it was trained with.
 */
import { OptionError } from "../errors.ts";
import { requireCount } from "../nn/checks.ts";
import { probabilitiesOf, type LossName, type TrainingLoss } from "../nn/losses.ts";

/**
 * The softmax of each row of logits, on the CPU (Goodfellow, Bengio and Courville 2016, equation 4.1).
 * @param logits rows of `classes` values, as `predict` returns them
 * @returns rows of `classes` probabilities
 * @throws OptionError if the number of logits is not a multiple of `classes`
 */
export function probabilities(logits: Float32Array, classes: number): Float32Array {
  requireCount("probabilities classes", classes);
  if (logits.length % classes !== 0) {
    const what = `${logits.length} logits are not a multiple of the ${classes} classes`;
    throw new OptionError({ where: "probabilities", what, fix: `Give ${classes} logits per example` });
  }
  const result = new Float32Array(logits.length);
  for (let first = 0; first < logits.length; first += classes) {
    const row = logits.subarray(first, first + classes);
    const largest = Math.max(...row);
    const weights = Array.from(row, (value) => Math.exp(value - largest));
    const total = weights.reduce((all, weight) => all + weight, 0);
    result.set(
      weights.map((weight) => weight / total),
      first,
    );
  }
  return result;
}

/**
 * The probability of each class if the loss takes logits: the softmax of each row, or the sigmoid of each output.
 * @param outputs rows of `width` values, as `predict` returns them
 * @returns as many values in [0, 1]; undefined for a loss that does not take logits
 */
export function classShares(
  outputs: Float32Array,
  width: number,
  loss: LossName | TrainingLoss,
): Float32Array | undefined {
  const kind = probabilitiesOf(loss);
  if (kind === "softmax") return probabilities(outputs, width);
  return kind === "sigmoid" ? outputs.map((logit) => 1 / (1 + Math.exp(-logit))) : undefined;
}

/** The threshold from which a single output means class 1: 0 for a loss that takes logits, else 0.5. */
export const decisionThreshold = (loss: LossName | TrainingLoss): number =>
  loss === "sigmoidBinaryCrossEntropy" ? 0 : 0.5;
