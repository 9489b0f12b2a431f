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
export function rangeAround(ranges: readonly (ElementRange | undefined)[]): ElementRange | undefined {
  const found = ranges.filter((range) => range !== undefined);
  if (found.length === 0) return undefined;
  return { start: Math.min(...found.map(({ start }) => start)), end: Math.max(...found.map(({ end }) => end)) };
}

/** The elements of one tensor in memory that other values are made of, through inlined nodes. */
export class RangesOf {
  readonly #tensor: Tensor;
  readonly #inlined: ReadonlySet<Tensor>;
  /** The results for a node, by the range of its elements: many paths can lead to a node through others. */
  readonly #known = new Map<Tensor, Map<string, ElementRange | undefined>>();

  constructor(tensor: Tensor, inlined: ReadonlySet<Tensor>) {
    this.#tensor = tensor;
    this.#inlined = inlined;
  }

  /** What some elements of a value are made of; undefined if the value does not depend on the tensor. */
  readBy(value: Tensor, range: ElementRange): ElementRange | undefined {
    const root = rootOf(value);
    if (root === this.#tensor) return range;
    return this.#inlined.has(root) ? this.readByNode(root, range) : undefined;
  }

  /** The same for a node that a kernel computes, of which it reads the inputs. */
  readByNode(node: Tensor, range: ElementRange): ElementRange | undefined {
    const key = `${range.start} ${range.end}`;
    const known = this.#known.get(node) ?? new Map<string, ElementRange | undefined>();
    this.#known.set(node, known);
    if (!known.has(key)) {
      const ranges = node.inputs.map((input, position) => this.readBy(input, rangeOfInput(node, position, range)));
      known.set(key, rangeAround(ranges));
    }
    return known.get(key);
  }
}

/** The elements of an input of a node that some elements of the node read. */
function rangeOfInput(node: Tensor, position: number, range: ElementRange): ElementRange {
  const input = node.inputs[position]!;
  const traits = pointwiseTraits(node);
  if (traits?.gathers) return (position === 0 && traits.rangeRead?.(node, range)) || wholeOf(input);
  return input.size === node.size ? range : wholeOf(input);
}
