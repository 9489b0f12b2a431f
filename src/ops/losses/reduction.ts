import { GraphError } from "../../errors.ts";
import { sameShape, sizeOf, type Tensor } from "../../graph/tensor.ts";
import { divide, multiply } from "../elementwise/arithmetic.ts";
import { reshape } from "../layout/index.ts";
import { mean, sum } from "../reduce/index.ts";

/**
 * "mean" divides the sum by the number of examples, or by the sum of their weights. "sum" does not divide. "none"
 * returns one loss per example.
 */
export type Reduction = "mean" | "sum" | "none";

export interface LossOptions {
  /** "mean" by default. */
  readonly reduction?: Reduction;
  /** The weight of each example, float32 [examples]. */
  readonly weights?: Tensor;
  /** The weight of each class, float32 [classes], or of each output for losses without labels. */
  readonly classWeights?: Tensor;
}

export const settingsOf = (options: Reduction | LossOptions): LossOptions =>
  typeof options === "string" ? { reduction: options } : options;

export function requireSameShape(where: string, outputs: Tensor, targets: Tensor): void {
  if (!sameShape(outputs.shape, targets.shape) || outputs.shape.length === 0) {
    throw new GraphError({
      where,
      what: `outputs ${outputs} and targets ${targets} do not fit`,
      fix: "Both must be [examples, …] of the same shape",
    });
  }
}

/** The loss of each output as [examples, outputs], multiplied by the weights of the outputs. */
export function outputTerms(where: string, values: Tensor, options: Reduction | LossOptions): Tensor {
  const { classWeights } = settingsOf(options);
  const outputs = sizeOf(values.shape.slice(1));
  const terms = reshape(values, [values.shape[0]!, outputs]);
  if (classWeights === undefined) return terms;
  if (!sameShape(classWeights.shape, [outputs])) {
    const what = `class weights ${classWeights} for ${outputs} classes or outputs`;
    throw new GraphError({ where, what, fix: `Give float32 [${outputs}]` });
  }
  return multiply(terms, classWeights);
}

/**
 * Weights and reduces the losses of examples.
 * @param perExample [examples]
 * @param ofClasses the weight of each example's class, if a mean is to be divided by their sum
 */
export function reduceExamples(
  where: string,
  perExample: Tensor,
  options: Reduction | LossOptions,
  ofClasses?: Tensor,
): Tensor {
  const { reduction = "mean", weights } = settingsOf(options);
  if (!["mean", "sum", "none"].includes(reduction)) {
    const what = `there is no reduction ${JSON.stringify(reduction)}`;
    throw new GraphError({ where, what, fix: "Choose one of mean, sum, none" });
  }
  if (weights && !sameShape(weights.shape, perExample.shape)) {
    const what = `weights ${weights} for ${perExample.shape[0]} examples`;
    throw new GraphError({ where, what, fix: `Give float32 [${perExample.shape[0]}]` });
  }
  const losses = weights ? multiply(perExample, weights) : perExample;
  if (reduction === "none") return losses;
  if (reduction === "sum") return sum(losses);
  const counted = weights && ofClasses ? multiply(weights, ofClasses) : (weights ?? ofClasses);
  return counted ? divide(sum(losses), sum(counted)) : mean(losses);
}
