/*
 * What a model's outputs say of classes, as the loss that it was trained with reads them.
 */
import { OptionError } from "../errors.ts";
import { requireCount } from "../nn/checks.ts";
import { probabilitiesOf, type LossName, type TrainingLoss } from "../nn/losses.ts";

/**
 * The softmax of each row of logits, on the CPU (Goodfellow, Bengio and Courville 2016, equation 4.1).
 * @param logits rows of `classes` values, such as `predict` returns
 * @returns rows of `classes` probabilities
 * @throws OptionError where the logits are no whole number of rows
 */
export function probabilities(logits: Float32Array, classes: number): Float32Array {
  requireCount("probabilities classes", classes);
  if (logits.length % classes !== 0) {
    const what = `${logits.length} logits are no whole number of rows of ${classes}`;
    throw new OptionError({ where: "probabilities", what, fix: `Give ${classes} logits for each example` });
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
 * The share of each class, where the loss takes the outputs for logits: the softmax of each row, or the logistic function
 * of each output.
 * @param outputs rows of `width` values, such as `predict` returns
 * @returns as many values in [0, 1]; undefined for a loss that takes the outputs as they are
 */
export function classShares(outputs: Float32Array, width: number, loss: LossName): Float32Array | undefined {
  const kind = probabilitiesOf(loss);
  if (kind === "softmax") return probabilities(outputs, width);
  return kind === "sigmoid" ? outputs.map((logit) => 1 / (1 + Math.exp(-logit))) : undefined;
}

/** From which value on a single output stands for class 1: the logit of one half, or one half itself. */
export const decisionThreshold = (loss: LossName | TrainingLoss): number =>
  loss === "sigmoidBinaryCrossEntropy" ? 0 : 0.5;
