import { GraphError } from "../../errors.ts";
import type { Tensor } from "../../graph/tensor.ts";

/**
 * Converts a possibly negative axis, which counts from the last one, to a non-negative one.
 * @throws GraphError if the tensor has no such axis
 */
export function normalAxis(where: string, x: Tensor, axis: number): number {
  const rank = x.shape.length;
  const normal = axis < 0 ? axis + rank : axis;
  if (Number.isInteger(axis) && normal >= 0 && normal < rank) return normal;
  throw new GraphError({
    where,
    what: `${x} has no axis ${axis}`,
    fix: rank === 0 ? "Give a tensor with an axis" : `Name one between ${-rank} and ${rank - 1}`,
  });
}
