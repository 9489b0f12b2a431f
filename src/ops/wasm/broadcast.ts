import { sizeOf, stridesOf, type Shape } from "../../graph/tensor.ts";
import { constantIndex, product, quotient, remainder, sum, type Index } from "./indices.ts";

/** Adjacent axes of a position, as one axis of `size` elements with its strides in two tensors. */
export interface AxisTerm {
  readonly size: number;
  /** The stride in the tensor whose element is known. */
  readonly from: number;
  /** The stride in the tensor to read. */
  readonly to: number;
}

/** Joins adjacent axes that are contiguous in both tensors, and leaves out those of size 1. */
export function joinedTerms(axes: readonly AxisTerm[]): AxisTerm[] {
  const joined: AxisTerm[] = [];
  for (const axis of axes.filter(({ size }) => size > 1)) {
    const outer = joined.at(-1);
    const lieTogether = outer?.from === axis.from * axis.size && outer.to === axis.to * axis.size;
    if (outer && lieTogether) joined[joined.length - 1] = { ...axis, size: axis.size * outer.size };
    else joined.push(axis);
  }
  return joined;
}

/** Maps an element of one tensor to that of another, axis by axis. */
export function elementOfAxes(place: Index, axes: readonly AxisTerm[]): Index {
  return joinedTerms(axes)
    .map(({ size, from, to }) => product(remainder(quotient(place, from), size), to))
    .reduce(sum, constantIndex(0));
}

/** The element of an input that broadcasts to an element of the output. */
export function broadcastIndex(place: Index, output: Shape, input: Shape): Index {
  if (sizeOf(input) === sizeOf(output)) return place;
  const [from, to] = [stridesOf(output), stridesOf(input)];
  const missing = output.length - input.length;
  return elementOfAxes(
    place,
    input.map((size, axis) => ({ size, from: from[axis + missing]!, to: to[axis]! })),
  );
}
