import { Tensor } from "../../graph/tensor.ts";
import type { PositionRules } from "../position-rule.ts";
import { broadcastShapes } from "./function.ts";

/** The same function of other operands. */
const applied = ({ op, attributes, dtype }: Tensor, operands: readonly Tensor[]): Tensor =>
  new Tensor(op, operands, attributes, { shape: broadcastShapes(op.name, operands), dtype });

export const positionRules: PositionRules = {
  elementwise: {
    row(node, { rowOf, part }) {
      const { inputs, shape } = node;
      // Operands are aligned at the last axis.
      const missing = (tensor: Tensor) => shape.length - tensor.shape.length;
      const axes = inputs.flatMap((tensor) => {
        const row = rowOf(tensor);
        return row ? [row.axis + missing(tensor)] : [];
      });
      const axis = axes[0]!;
      if (axes.some((other) => other !== axis)) return undefined;
      const operands = inputs.map((tensor) => rowOf(tensor)?.value ?? part(tensor, axis - missing(tensor)));
      return { value: applied(node, operands), axis };
    },
    part(node, axis, { part }) {
      const operands = node.inputs.map((input) => part(input, axis - node.shape.length + input.shape.length));
      return applied(node, operands);
    },
  },
};
