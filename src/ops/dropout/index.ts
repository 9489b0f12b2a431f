import { GraphError } from "../../errors.ts";
import { requireType, Tensor, type ComputeOp, type Shape } from "../../graph/tensor.ts";

export interface DropoutMaskAttributes {
  readonly rate: number;
}

const dropoutMaskOp: ComputeOp = { name: "dropoutMask", kind: "compute", traits: { kind: "pointwise" } };

/**
 * The mask of inverted dropout (Srivastava et al. 2014, section 10): each element is 0 with probability `rate`, else 1
 * / (1 − rate). It is drawn from the key and the element's index.
 * @param rate in [0, 1)
 * @param key a uint32 scalar; the same key gives the same mask on every backend
 * @throws GraphError for a rate outside [0, 1)
 */
export function dropoutMask(shape: Shape, rate: number, key: Tensor): Tensor {
  requireType("dropout key", key, "uint32");
  if (key.size !== 1) {
    throw new GraphError({ where: "dropout", what: `the key ${key} is not a scalar`, fix: "Give a uint32 scalar" });
  }
  if (!(rate >= 0 && rate < 1)) {
    throw new GraphError({
      where: "dropout",
      what: `the rate ${rate} is outside [0, 1)`,
      fix: "Give the fraction of elements to drop",
    });
  }
  return new Tensor<DropoutMaskAttributes>(dropoutMaskOp, [key], { rate }, { shape, dtype: "float32" });
}

/** An element is dropped if its random integer is below this. */
export const dropoutThreshold = (rate: number): number => Math.floor(rate * 2 ** 32);
