import { GraphError } from "../../errors.ts";
import { requireType, Tensor, type ComputeOp } from "../../graph/tensor.ts";
import { broadcastTo } from "../layout/index.ts";

const sumOfPartsOp: ComputeOp = {
  name: "sumOfParts",
  kind: "compute",
  traits: { kind: "anchor", canFuse },
  gradient: (node, upstream) => [broadcastTo(upstream, node.inputs[0]!.shape)],
};

/** Another sum with the same number of parts can be fused, such as that of a bias with that of the weights. */
function canFuse(members: readonly Tensor[], other: Tensor): boolean {
  const parts = ({ inputs }: Tensor) => inputs[0]!.shape[0];
  return members.length === 1 && other.op === sumOfPartsOp && parts(other) === parts(members[0]!);
}

/**
 * The sum over the first axis, in order. It combines results that were computed in parts to give a whole GPU work.
 * @param x float32 [parts, …]
 * @returns the shape of one part
 * @throws GraphError for another type, or for a scalar
 */
export function sumOfParts(x: Tensor): Tensor {
  requireType("sumOfParts", x, "float32");
  if (x.shape.length === 0)
    throw new GraphError({ where: "sumOfParts", what: `${x} has no parts`, fix: "Give [parts, …]" });
  return new Tensor(sumOfPartsOp, [x], {}, { shape: x.shape.slice(1), dtype: "float32" });
}
