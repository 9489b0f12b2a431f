import { sizeOf } from "../../graph/tensor.ts";
import { sameOp, type PositionRule, type PositionRules } from "../position-rule.ts";
import type { ReduceAttributes } from "./index.ts";

/** For reductions over other axes than that of positions. */
const reduction: PositionRule = {
  row(node, { count, rowOf }) {
    const row = rowOf(node.inputs[0]!)!;
    if (node.shape[row.axis] !== count) return undefined;
    const own = node.attributes as ReduceAttributes;
    // The reduced axes are one run: the axis of positions is before or after it.
    const isBefore = sizeOf(node.inputs[0]!.shape.slice(0, row.axis + 1)) <= own.outer;
    const changed = isBefore ? { ...own, outer: own.outer / count } : { ...own, inner: own.inner / count };
    return sameOp(node, row, changed);
  },
};

export const positionRules: PositionRules = {
  sum: reduction,
  mean: reduction,
  max: reduction,
  product: reduction,
  argmax: reduction,
};
