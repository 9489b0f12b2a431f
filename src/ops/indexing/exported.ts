/*
 * The axes of ops that move elements, for other libraries.
 */
import { GraphError } from "../../errors.ts";
import { sizeOf, type Shape } from "../../graph/tensor.ts";
import { isSameSize, requireFixed, type OpPlace, type Size } from "../forms.ts";
import type { AxisMap } from "./axis-map.ts";
import type { MoveAttributes } from "./move.ts";
import type { TakeAttributes } from "./take.ts";

/** An axis along which elements move. */
export interface ExportedAxis {
  readonly axis: number;
  readonly map: AxisMap;
  /** The sizes in the input and in the result. */
  readonly from: number;
  readonly to: number;
}

/** @throws GraphError if elements move along the axis of the examples */
export function movedAxes(where: string, { attributes, inputs: [from], shape }: OpPlace): ExportedAxis[] {
  return (attributes as MoveAttributes).maps.flatMap((map, axis) => {
    const [before, after] = [from![axis]!, shape[axis]!];
    if (map.start === 0 && map.step === 1 && isSameSize(before, after)) return [];
    requireFixed(where, before);
    requireFixed(where, after);
    return [{ axis, map, from: before, to: after }];
  });
}

/** The axis that `take` indexes. Between axes of size 1, the shape of the result decides. */
export function takenAxis({ attributes, inputs: [from, indices], shape }: OpPlace): number {
  const { size } = attributes as TakeAttributes;
  const axis = from!.findIndex((own, position) => {
    const result = [...from!.slice(0, position), ...indices!, ...from!.slice(position + 1)];
    return own === size && isSameShape(result, shape);
  });
  if (axis >= 0) return axis;
  const fix = "Take along an axis whose size is fixed";
  throw new GraphError({ where: "take", what: "the axis depends on the number of examples", fix });
}

/** The axis that `takeAlong` indexes: those before it have `outer` positions, for the two examples of the attributes. */
export function takenAlongAxis({ attributes, inputs: [from] }: OpPlace): number {
  const { outer, size } = attributes as TakeAttributes;
  const ofTwo: Shape = from!.map((own) => (typeof own === "number" ? own : 2 * own.perExample));
  return ofTwo.findIndex((own, axis) => own === size && sizeOf(ofTwo.slice(0, axis)) === outer);
}

const isSameShape = (a: readonly Size[], b: readonly Size[]): boolean =>
  a.length === b.length && a.every((size, axis) => isSameSize(size, b[axis]));
