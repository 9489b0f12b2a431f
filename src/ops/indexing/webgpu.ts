import library from "../../../shaders/indexing.wgsl?raw";
import { sizeOf, type Tensor } from "../../graph/tensor.ts";
import type { InputValue, NumberWriter, PointwiseKernel } from "../kernel.ts";
import { integerLiteral, signedLiteral } from "../webgpu/wgsl.ts";
import { hasGaps, isSameAxis, joinedAxes, type MovedAxis } from "./axis-map.ts";
import type { ConcatAttributes } from "./concat.ts";
import type { MoveAttributes } from "./move.ts";
import type { TakeAttributes } from "./take.ts";
import { anchors } from "./webgpu-anchors.ts";

const modes = { fill: "move_filled", edge: "move_to_edge", reflect: "move_reflected" } as const;

/** The WGSL i32 expression for the position in the input, or −1 if the output is filled. */
function source({ map, from, to }: MovedAxis, numbers: NumberWriter, position: string): string {
  const { start, step, divisor, outside } = map;
  if (isSameAxis(map, from, to)) return `i32(${position})`;
  // Slices of one size often differ only in their start, such as the steps of a sequence.
  const at = `i32(${position}) * ${signedLiteral(step)} + i32(${numbers.argument(start)})`;
  if (!hasGaps(map, from, to)) return `(${at})`;
  return `${modes[outside]}(${at}, ${signedLiteral(divisor)}, ${signedLiteral(from)})`;
}

const move: PointwiseKernel = {
  kind: "pointwise",
  library,
  flops: () => 0,
  expression(node, [x], { index }, numbers) {
    const { element, filled } = elementOf(node, index, numbers);
    const { fill } = node.attributes as MoveAttributes;
    const value = x!.at(element);
    return filled === undefined ? value : `select(${value}, ${numbers.float(fill)}, ${filled})`;
  },
  vec4(node, [x], { index }, numbers) {
    const { maps, fill } = node.attributes as MoveAttributes;
    const last = joinedAxes(node.inputs[0]!.shape, node.shape, maps).at(-1);
    if (node.dtype !== "float32" || !last || !isSameAxis(last.map, last.from, last.to) || last.to % 4 !== 0)
      return undefined;
    const { element, filled } = elementOf(node, index, numbers);
    const values = x!.vec4At(element);
    return values && filled !== undefined ? `select(${values}, vec4(${numbers.float(fill)}), ${filled})` : values;
  },
};

/** The WGSL of the input's element that an element of a move reads, and of whether it is filled; undefined if it never is. */
function elementOf(
  node: Tensor,
  index: string,
  numbers: NumberWriter,
): { element: string; filled: string | undefined } {
  const { maps } = node.attributes as MoveAttributes;
  const axes = joinedAxes(node.inputs[0]!.shape, node.shape, maps);
  const terms: string[] = [];
  const filled: string[] = [];
  let [from, to] = [1, 1];
  for (const axis of axes.toReversed()) {
    const at = source(axis, numbers, `(${index} / ${integerLiteral(to)} % ${integerLiteral(axis.to)})`);
    terms.push(`max(${at}, 0i) * ${signedLiteral(from)}`);
    if (axis.map.outside === "fill" && hasGaps(axis.map, axis.from, axis.to)) filled.push(`${at} < 0i`);
    from *= axis.from;
    to *= axis.to;
  }
  return {
    element: `u32(${terms.join(" + ") || "0i"})`,
    filled: filled.length === 0 ? undefined : filled.join(" || "),
  };
}

const concat: PointwiseKernel = {
  kind: "pointwise",
  library,
  flops: () => 0,
  expression: (node, inputs, { index }) =>
    selected(node, index, (position, place) => inputs[position]!.at(part(node, position, place)))!,
  vec4(node, inputs, { index }) {
    const { starts, axis } = node.attributes as ConcatAttributes;
    const inner = sizeOf(node.shape.slice(axis + 1));
    if (node.dtype !== "float32" || [node.shape[axis]!, ...starts].some((start) => (start * inner) % 4 !== 0))
      return undefined;
    return selected(node, index, (position, place) => inputs[position]!.vec4At(part(node, position, place, 4)));
  },
};

/** The place of an element in a concatenation: its outer index, and its element among those of one. */
interface ConcatPlace {
  readonly outer: string;
  readonly own: string;
}

/**
 * The WGSL for the value of the input to which an element belongs; undefined if one input has none.
 * @param valueOf the WGSL of the value of an input
 */
function selected(
  node: Tensor,
  index: string,
  valueOf: (position: number, place: ConcatPlace) => string | undefined,
): string | undefined {
  const { starts, axis } = node.attributes as ConcatAttributes;
  const inner = sizeOf(node.shape.slice(axis + 1));
  const row = integerLiteral(node.shape[axis]! * inner);
  const place = { own: `(${index} % ${row})`, outer: `(${index} / ${row})` };
  const values = starts.map((_, position) => valueOf(position, place));
  return values.reduceRight((rest, value, position) => {
    const end = starts[position + 1];
    if (end === undefined || rest === undefined || value === undefined) return end === undefined ? value : undefined;
    return `select(${rest}, ${value}, ${place.own} < ${integerLiteral(end * inner)})`;
  }, undefined);
}

/**
 * The WGSL for the flat element of one input of a concatenation, clamped if the element belongs to another input.
 * @param elements the number of elements that are read from there on
 */
function part(node: Tensor, position: number, { outer, own }: ConcatPlace, elements = 1): string {
  const { starts, axis } = node.attributes as ConcatAttributes;
  const width = sizeOf(node.inputs[position]!.shape.slice(axis));
  const start = starts[position]! * sizeOf(node.shape.slice(axis + 1));
  const [first, last] = [integerLiteral(start), integerLiteral(start + width - elements)];
  return `${outer} * ${integerLiteral(width)} + clamp(${own}, ${first}, ${last}) - ${first}`;
}

const take: PointwiseKernel = {
  kind: "pointwise",
  library: "",
  flops: () => 0,
  expression(node, [x, indices], { index }) {
    const { size, inner, count } = node.attributes as TakeAttributes;
    const block = `${index} / ${integerLiteral(inner)}`;
    const entry = indices!.at(`${block} % ${integerLiteral(count)}`);
    return entryOf(x!, { outer: `${block} / ${integerLiteral(count)}`, size, entry, inner, index });
  },
};

const takeAlong: PointwiseKernel = {
  kind: "pointwise",
  library: "",
  flops: () => 0,
  expression(node, [x, indices], { index }) {
    const { size, inner, count } = node.attributes as TakeAttributes;
    const outer = `${index} / ${integerLiteral(count * inner)}`;
    return entryOf(x!, { outer, size, entry: indices!.here(), inner, index });
  },
};

interface Entry {
  readonly outer: string;
  readonly size: number;
  readonly entry: string;
  readonly inner: number;
  readonly index: string;
}

const entryOf = (x: InputValue, { outer, size, entry, inner, index }: Entry) =>
  x.at(
    `(${outer} * ${integerLiteral(size)} + ${entry}) * ${integerLiteral(inner)} + ${index} % ${integerLiteral(inner)}`,
  );

export const kernels = { move, concat, take, takeAlong, ...anchors };
