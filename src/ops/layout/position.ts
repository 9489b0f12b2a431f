import { sizeOf } from "../../graph/tensor.ts";
import { withSize, type PositionRules } from "../position-rule.ts";
import {
  axisIndex,
  broadcastTo,
  reshape,
  transpose,
  type AxisIndexAttributes,
  type TransposeAttributes,
} from "./index.ts";

export const positionRules: PositionRules = {
  reshape: {
    /** The axis of positions is the one of its size before which there are as many elements. */
    row({ shape, inputs }, { count, rowOf }) {
      const { value, axis } = rowOf(inputs[0]!)!;
      const before = sizeOf(inputs[0]!.shape.slice(0, axis));
      const own = shape.findIndex((size, place) => size === count && sizeOf(shape.slice(0, place)) === before);
      return own < 0 ? undefined : { value: reshape(value, withSize(shape, own, 1)), axis: own };
    },
  },
  transpose: {
    row({ inputs, attributes }, { rowOf }) {
      const { value, axis } = rowOf(inputs[0]!)!;
      const { order } = attributes as TransposeAttributes;
      return { value: transpose(value, order), axis: order.indexOf(axis) };
    },
  },
  broadcastTo: {
    row({ inputs, shape }, { rowOf }) {
      const row = rowOf(inputs[0]!)!;
      const axis = row.axis + shape.length - inputs[0]!.shape.length;
      return { value: broadcastTo(row.value, withSize(shape, axis, 1)), axis };
    },
  },
  axisIndex: {
    part({ shape, attributes }, axis, { index }) {
      const { inner } = attributes as AxisIndexAttributes;
      const own = shape.findIndex((size, place) => size > 1 && sizeOf(shape.slice(place + 1)) === inner);
      const rest = withSize(shape, axis, 1);
      if (own !== axis) return axisIndex(rest, own);
      return reshape(
        index,
        rest.map(() => 1),
      );
    },
  },
};
