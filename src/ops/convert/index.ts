import { requireType, Tensor, type ComputeOp } from "../../graph/tensor.ts";

const toIndexOp: ComputeOp = { name: "toIndex", kind: "compute", traits: { kind: "pointwise" } };

/**
 * Converts float32 to uint32 by rounding down, for computed indices. Negative numbers and NaN become 0, and numbers
 * above 2³² − 1 become 2³² − 1. It has no gradient.
 */
export function toIndex(x: Tensor): Tensor {
  requireType("toIndex", x, "float32");
  return new Tensor(toIndexOp, [x], {}, { shape: x.shape, dtype: "uint32" });
}
