import type { PositionRules } from "../position-rule.ts";
import { matmul, type MatmulAttributes } from "./index.ts";

export const positionRules: PositionRules = {
  matmul: {
    /** A product of the rows of positions. The right operand may have all positions, which the cache has. */
    row({ inputs, attributes, shape }, { rowOf, whole }) {
      const [left, right] = [inputs[0]!, inputs[1]!];
      const { transposeLeft, transposeRight, precision } = attributes as MatmulAttributes;
      const row = rowOf(left);
      if (!row || transposeLeft || row.axis !== left.shape.length - 2) return undefined;
      return { value: matmul(row.value, whole(right), { transposeRight, precision }), axis: shape.length - 2 };
    },
  },
};
