import { GraphError } from "../../errors.ts";
import { requireType, Tensor, type ComputeOp } from "../../graph/tensor.ts";
import { broadcastTo } from "../layout/index.ts";

const sumOfPartsOp: ComputeOp = {
  name: "sumOfParts",
  kind: "compute",
  traits: { kind: "anchor", canFuse },
  gradient: (node, upstream) => [broadcastTo(upstream, node.inputs[0]!.shape)],
};

/** Another sum of as many parts, such as that of a bias beside its weights'. */
function canFuse(members: readonly Tensor[], other: Tensor): boolean {
  const parts = ({ inputs }: Tensor) => inputs[0]!.shape[0];
  return members.length === 1 && other.op === sumOfPartsOp && parts(other) === parts(members[0]!);
}

/**
 * The sum of a few parts, in order: what was computed in parts to have work for a whole GPU.
 * @param x float32 [parts, …]
 * @returns the shape of one part
 * @throws GraphError for another type, or no axis
 */
export function sumOfParts(x: Tensor): Tensor {
  requireType("sumOfParts", x, "float32");
  if (x.shape.length === 0)
    throw new GraphError({ where: "sumOfParts", what: `${x} has no parts`, fix: "Give [parts, …]" });
  return new Tensor(sumOfPartsOp, [x], {}, { shape: x.shape.slice(1), dtype: "float32" });
}
