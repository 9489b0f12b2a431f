import { updatedLeaves, type Update } from "../graph/graph.ts";
import { stateOp } from "../graph/leaves.ts";
import type { Tensor } from "../graph/tensor.ts";
import { refuseOtherOptions } from "../option-names.ts";
import { add, divide, multiply, negate, relu, subtract } from "../ops/elementwise/index.ts";
import { requireFloat32, requireNumber } from "./checks.ts";
import { hasTwoAxes, perSlice, type Optimizer } from "./optimizer.ts";

/** The options of `regularized`. */
export interface RegularizationOptions {
  /** λ₁, the factor of Σ|w|, at least 0; 0 by default. */
  readonly l1?: number;
  /** λ₂, the factor of ½ Σw², at least 0; 0 by default. */
  readonly l2?: number;
  /** Which parameters are penalized. By default those with at least two axes, so biases are not. */
  readonly penalizes?: (parameter: Tensor) => boolean;
}

/**
 * Adds L1 and L2 regularization to an optimizer. After each of its steps, w ← sign(w) max(|w| − ε λ₁, 0) / (1 + ε λ₂), with
 * the learning rate ε. L1 sets weights that the loss hardly depends on to exactly 0.
 *
 * With `sgd`, this is the proximal gradient method, which minimizes loss + λ₁ Σ|w| + λ₂/2 Σw² (Parikh and Boyd 2014,
 * sections 4.2 and 6.5). With optimizers that scale the gradient, such as `adam`, the penalties are not scaled with it, as the
 * weight decay of `adamW`. The loss that the trainer reports does not contain the penalties.
 *
 * @example
 * ```ts
 * const trainer = await createTrainer({ ...options, optimizer: optimizers.regularized(optimizers.sgd(), { l1: 0.001 }) });
 * ```
 *
 * @throws OptionError for an unknown option, or one outside its range
 */
export function regularized(optimizer: Optimizer, options: RegularizationOptions): Optimizer {
  refuseOtherOptions("regularized", options, { l1: true, l2: true, penalizes: true });
  const { l1 = 0, l2 = 0, penalizes = hasTwoAxes } = options;
  for (const [name, value] of Object.entries({ l1, l2 })) {
    requireNumber(`regularized ${name}`, value, value >= 0, "a number of at least 0");
    requireFloat32(`regularized ${name}`, value);
  }
  return {
    ...optimizer,
    options: { ...optimizer.options, l1, l2 },
    update(parameters, gradients, given) {
      const penalized = (update: Update): Update => {
        const leaves = updatedLeaves(update.target);
        if (leaves[0]!.op === stateOp) return update;
        const shares = leaves.map((leaf) =>
          penalizes(leaf) ? (given.factors?.[parameters.indexOf(leaf)]?.learningRate ?? 1) : 0,
        );
        if (shares.every((share) => share === 0)) return update;
        const rate = multiply(given.learningRate, perSlice(leaves, shares));
        const shrunk = l1 === 0 ? update.value : softThreshold(update.value, multiply(rate, l1));
        return { ...update, value: l2 === 0 ? shrunk : divide(shrunk, add(multiply(rate, l2), 1)) };
      };
      return optimizer.update(parameters, gradients, given).map(penalized);
    },
  };
}

/** sign(w) max(|w| − threshold, 0). */
const softThreshold = (w: Tensor, threshold: Tensor): Tensor =>
  subtract(relu(subtract(w, threshold)), relu(subtract(negate(w), threshold)));
