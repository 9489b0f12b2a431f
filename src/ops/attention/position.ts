import { lessEqual, toFloat } from "../elementwise/index.ts";
import { pad } from "../indexing/index.ts";
import { axisIndex } from "../layout/index.ts";
import type { PositionRules } from "../position-rule.ts";
import type { FusedAttributes } from "./fused.ts";
import { plainAttention } from "./index.ts";

export const positionRules: PositionRules = {
  attention: {
    /** A causal attention of one query. The statistics in its result, which only gradients read, are 0. */
    row({ inputs, attributes, shape }, { position, rowOf, whole }) {
      const [q, k, v] = [inputs[0]!, inputs[1]!, inputs[2]!];
      const { causal, mask, drops, keys } = attributes as FusedAttributes;
      const row = rowOf(q);
      if (!row || !causal || mask || drops || row.axis !== q.shape.length - 2) return undefined;
      const allowed = lessEqual(toFloat(axisIndex([keys], 0)), toFloat(position));
      const value = plainAttention(row.value, whole(k), whole(v), { mask: allowed });
      const missing = shape.at(-1)! - value.shape.at(-1)!;
      const last = shape.length - 1;
      const statistics = shape.map((_, axis): [number, number] => [0, axis === last ? missing : 0]);
      return { value: pad(value, statistics), axis: row.axis };
    },
  },
};
