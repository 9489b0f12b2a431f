import { requireType, sizeOf, Tensor, type ComputeOp } from "../../graph/tensor.ts";
import { normalAxis } from "../indexing/axes.ts";
import { flip } from "../indexing/index.ts";

/** The input viewed as [outer, count, inner], whose middle axis is summed. */
export interface ScanAttributes {
  readonly outer: number;
  readonly count: number;
  readonly inner: number;
  readonly axis: number;
}

const cumulativeSumOp: ComputeOp = {
  name: "cumulativeSum",
  kind: "compute",
  traits: { kind: "anchor" },
  gradient(node, upstream) {
    const { axis } = node.attributes as ScanAttributes;
    return [flip(cumulativeSum(flip(upstream, axis), axis), axis)];
  },
};

/**
 * The cumulative sum along an axis, added in order.
 * @param x float32
 * @param axis the first by default; negative ones count from the last
 * @returns the shape of `x`
 * @throws GraphError for another type, or for an axis that the tensor does not have
 */
export function cumulativeSum(x: Tensor, axis = 0): Tensor {
  requireType("cumulativeSum", x, "float32");
  const at = normalAxis("cumulativeSum", x, axis);
  const attributes = {
    axis: at,
    outer: sizeOf(x.shape.slice(0, at)),
    count: x.shape[at]!,
    inner: sizeOf(x.shape.slice(at + 1)),
  };
  return new Tensor<ScanAttributes>(cumulativeSumOp, [x], attributes, x);
}
