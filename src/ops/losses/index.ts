import { GraphError } from "../../errors.ts";
import { sameShape, sizeOf, type Tensor } from "../../graph/tensor.ts";
import { multiply, negate, square, subtract } from "../elementwise/arithmetic.ts";
import { elementwise } from "../elementwise/function.ts";
import { sigmoid } from "../elementwise/activations.ts";
import { reshape } from "../layout/index.ts";
import { mean, sum } from "../reduce/index.ts";
import { softmaxCrossEntropyPerExample } from "../softmax/index.ts";

/** "mean" divides by the number of examples, "sum" does not, and "none" returns one loss per example. */
export type Reduction = "mean" | "sum" | "none";

/** A loss: from outputs [examples, …] and targets to a scalar, or to [examples] if the reduction is "none". */
export type Loss = (outputs: Tensor, targets: Tensor, reduction?: Reduction) => Tensor;

function reduceExamples(perExample: Tensor, reduction: Reduction): Tensor {
  if (reduction === "none") return perExample;
  return reduction === "mean" ? mean(perExample) : sum(perExample);
}

function requireSameShape(where: string, outputs: Tensor, targets: Tensor): void {
  if (!sameShape(outputs.shape, targets.shape) || outputs.shape.length === 0) {
    throw new GraphError({
      where,
      what: `outputs ${outputs} and targets ${targets} do not fit`,
      fix: "Both must be [examples, …] of the same shape",
    });
  }
}

/** [examples, everything else]. */
const perExampleRows = (x: Tensor) => reshape(x, [x.shape[0]!, sizeOf(x.shape.slice(1))]);

/** The squared error, averaged over each example's outputs: (1/n) Σ (ŷ − y)². */
export const meanSquaredError: Loss = (outputs, targets, reduction = "mean") => {
  requireSameShape("meanSquaredError", outputs, targets);
  return reduceExamples(mean(perExampleRows(square(subtract(outputs, targets))), { axes: 1 }), reduction);
};

/** Half the sum of squares over each example's outputs, ½ Σ (ŷ − y)² (Bishop 2006, equation 5.11). */
export const halfSumOfSquares: Loss = (outputs, targets, reduction = "mean") => {
  requireSameShape("halfSumOfSquares", outputs, targets);
  return reduceExamples(multiply(sum(perExampleRows(square(subtract(outputs, targets))), { axes: 1 }), 0.5), reduction);
};

/** −ln softmax(z)[label] from logits [examples, classes] and uint32 labels [examples] (Bishop 2006, equation 4.108). */
export const softmaxCrossEntropy: Loss = (logits, labels, reduction = "mean") =>
  reduceExamples(softmaxCrossEntropyPerExample(logits, labels), reduction);

const sigmoidCrossEntropyOp = elementwise({
  name: "sigmoidCrossEntropy",
  arity: 2,
  cpu: (z, target) => (1 - target!) * z! - Math.min(z!, 0) + Math.log1p(Math.exp(-Math.abs(z!))),
  wgsl: "sigmoid_cross_entropy",
  flops: 22,
  gradient: (upstream, [z, target]) => [
    multiply(upstream, subtract(sigmoid(z!), target!)),
    negate(multiply(upstream, z!)),
  ],
});

/**
 * −t ln σ(z) − (1 − t) ln(1 − σ(z)) from logits, summed over each example's outputs (Bishop 2006, equation 4.90). The
 * targets are float32 in [0, 1], with the shape of the logits.
 */
export const sigmoidBinaryCrossEntropy: Loss = (logits, targets, reduction = "mean") => {
  requireSameShape("sigmoidBinaryCrossEntropy", logits, targets);
  return reduceExamples(sum(perExampleRows(sigmoidCrossEntropyOp([logits, targets])), { axes: 1 }), reduction);
};
