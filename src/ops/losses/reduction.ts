import { GraphError } from "../../errors.ts";
import { requireTensor, requireType, sameShape, sizeOf, type Tensor } from "../../graph/tensor.ts";
import { refuseOtherOptions } from "../../option-names.ts";
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

/** The arguments of a loss. */
export interface LossArguments {
  readonly outputs: Tensor;
  readonly targets: Tensor;
  readonly options: Reduction | LossOptions;
}

/**
 * @param own the loss's own options
 * @throws OptionError for an unknown option; GraphError unless outputs and targets are tensors
 */
export function requireLossArguments(
  where: string,
  { outputs, targets, options }: LossArguments,
  own: Readonly<Record<string, true>> = {},
): void {
  if (typeof options !== "string")
    refuseOtherOptions<LossOptions>(where, options, { reduction: true, weights: true, classWeights: true, ...own });
  for (const tensor of [outputs, targets]) requireTensor(where, tensor);
}

/**
 * Checks the arguments of a loss that compares each output with a target.
 * @throws as `requireLossArguments`, and GraphError for outputs and targets of different shapes
 */
export function requireSameShape(
  where: string,
  { outputs, targets, options }: LossArguments,
  own?: Readonly<Record<string, true>>,
): void {
  requireLossArguments(where, { outputs, targets, options }, own);
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
  requireOutputWeights(where, "classWeights", classWeights, outputs);
  return multiply(terms, classWeights);
}

/** @throws GraphError unless the weights of an option are float32 [outputs] */
export function requireOutputWeights(where: string, option: string, weights: Tensor, outputs: number): void {
  requireType(`${where} ${option}`, weights, "float32");
  if (sameShape(weights.shape, [outputs])) return;
  const what = `${option} ${weights} for ${outputs} classes or outputs`;
  throw new GraphError({ where, what, fix: `Give float32 [${outputs}]` });
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
  if (weights) requireType(`${where} weights`, weights, "float32");
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
