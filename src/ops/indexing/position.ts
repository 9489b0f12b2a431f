import { sameOp, type PositionRules } from "../position-rule.ts";
import { isSameAxis } from "./axis-map.ts";
import type { MoveAttributes } from "./move.ts";
import { take, type TakeAttributes } from "./take.ts";

export const positionRules: PositionRules = {
  move: {
    row(node, { count, rowOf }) {
      const row = node.inputs.length === 1 ? rowOf(node.inputs[0]!) : undefined;
      if (!row) return undefined;
      const { maps } = node.attributes as MoveAttributes;
      return isSameAxis(maps[row.axis]!, count, node.shape[row.axis]!) ? sameOp(node, row) : undefined;
    },
  },
  take: {
    row({ inputs, attributes }, { rowOf }) {
      const [table, indices] = [inputs[0]!, inputs[1]!];
      const row = rowOf(indices);
      if (!row || rowOf(table) || (attributes as TakeAttributes).outer !== 1) return undefined;
      return { value: take(table, row.value), axis: row.axis };
    },
  },
};
