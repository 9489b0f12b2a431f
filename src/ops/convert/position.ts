import { sameOp, type PositionRules } from "../position-rule.ts";

export const positionRules: PositionRules = {
  toIndex: { row: (node, { rowOf }) => sameOp(node, rowOf(node.inputs[0]!)!) },
};
