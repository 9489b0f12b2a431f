/*
 * Which elements of tensors in memory a kernel reads that computes a part of its results.
 */
import type { Tensor } from "../graph/tensor.ts";
import type { ElementRange } from "../graph/traits.ts";
import { rootOf } from "../graph/views.ts";
import { pointwiseTraits } from "./nodes.ts";

/** All elements of a tensor. */
export const wholeOf = ({ size }: Tensor): ElementRange => ({ start: 0, end: size });

/** The smallest range that contains all of some ranges; undefined without any. */
export function rangeAround(ranges: readonly ElementRange[]): ElementRange | undefined {
  if (ranges.length === 0) return undefined;
  return { start: Math.min(...ranges.map(({ start }) => start)), end: Math.max(...ranges.map(({ end }) => end)) };
}

/**
 * The elements of a tensor in memory that some elements of a value are made of, through inlined nodes; undefined if the
 * value does not depend on the tensor.
 */
export function rangeReadBy(
  value: Tensor,
  range: ElementRange,
  tensor: Tensor,
  inlined: ReadonlySet<Tensor>,
): ElementRange | undefined {
  const root = rootOf(value);
  if (root === tensor) return range;
  return inlined.has(root) ? rangeOfInputs(root, range, tensor, inlined) : undefined;
}

/** The same for a node that the kernel computes itself, of which it reads the inputs. */
export function rangeOfInputs(
  node: Tensor,
  range: ElementRange,
  tensor: Tensor,
  inlined: ReadonlySet<Tensor>,
): ElementRange | undefined {
  const traits = pointwiseTraits(node);
  const own = (input: Tensor, position: number) => {
    if (traits?.gathers) return (position === 0 && traits.rangeRead?.(node, range)) || wholeOf(input);
    return input.size === node.size ? range : wholeOf(input);
  };
  const ranges = node.inputs.map((input, position) => rangeReadBy(input, own(input, position), tensor, inlined));
  return rangeAround(ranges.filter((found) => found !== undefined));
}
