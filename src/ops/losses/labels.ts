import { GraphError } from "../../errors.ts";
import { sameShape, type Tensor } from "../../graph/tensor.ts";
import { add, multiply } from "../elementwise/arithmetic.ts";
import { oneHot, take } from "../indexing/index.ts";

/**
 * The target probability of each class, with a fraction distributed evenly over all classes.
 * @param labels uint32 [examples], or float32 [examples, classes]
 * @throws GraphError if shapes do not fit, or if the fraction is outside [0, 1)
 */
export function smoothedTargets(where: string, logits: Tensor, labels: Tensor, smoothing: number): Tensor {
  const [examples, classes = 1] = logits.shape;
  const isHard = labels.dtype === "uint32";
  if (logits.shape.length !== 2 || !sameShape(labels.shape, isHard ? [examples!] : logits.shape)) {
    throw new GraphError({
      where,
      what: `logits ${logits} and labels ${labels} do not fit`,
      fix: "Give logits [examples, classes] and integer labels [examples], or probabilities [examples, classes]",
    });
  }
  if (!(smoothing >= 0 && smoothing < 1)) {
    const what = `label smoothing is ${smoothing}`;
    throw new GraphError({ where, what, fix: "Give a number in [0, 1)" });
  }
  const targets = isHard ? oneHot(labels, classes) : labels;
  return smoothing === 0 ? targets : add(multiply(targets, 1 - smoothing), smoothing / classes);
}

/** The weight of each example's class; undefined without class weights, or if the labels are probabilities. */
export const hardLabels = (labels: Tensor, classWeights: Tensor | undefined): Tensor | undefined =>
  classWeights && labels.dtype === "uint32" ? take(classWeights, labels) : undefined;
