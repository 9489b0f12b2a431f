import { GraphError } from "../../errors.ts";
import { isSameSize, type OpPlace } from "../forms.ts";

/** The axes that a reduction reduces to the size 1. */
export function reducedAxesOf({ inputs: [from], shape }: OpPlace): number[] {
  const axes = shape.flatMap((size, axis) => (isSameSize(size, from![axis]) ? [] : [axis]));
  // The reduction of an axis of size 1 looks like that of any other one.
  return axes.length > 0 ? axes : [shape.indexOf(1)];
}

/** @throws GraphError for a reduction of several axes */
export function oneAxis(where: string, place: OpPlace): number {
  const [axis, ...others] = reducedAxesOf(place);
  if (others.length === 0) return axis!;
  throw new GraphError({ where, what: "it covers several axes", fix: "Reshape them to one axis before" });
}
