import { requireType, Tensor, type ComputeOp } from "../../graph/tensor.ts";

const toIndexOp: ComputeOp = { name: "toIndex", kind: "compute", traits: { kind: "pointwise" } };

/**
 * float32 to uint32, rounded down: an index that is computed. Numbers below 0, and NaN, become 0; those above 2³² − 1 become
 * that. No gradient flows.
 */
export function toIndex(x: Tensor): Tensor {
  requireType("toIndex", x, "float32");
  return new Tensor(toIndexOp, [x], {}, { shape: x.shape, dtype: "uint32" });
}
