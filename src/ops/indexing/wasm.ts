import { sizeOf, type Tensor } from "../../graph/tensor.ts";
import type { WasmAnchorKernel, WasmInput, WasmPointwiseKernel } from "../wasm-kernel.ts";
import { choice, constantIndex, difference, product, quotient, remainder, sum, type Index } from "../wasm/indices.ts";
import { elementAt, isInside, nearestOf, whereAll } from "../wasm/positions.ts";
import { bits, instruction, type Vector } from "../wasm/vectors.ts";
import { operandWords, resultWords } from "../wasm/words.ts";
import { hasGaps, joinedAxes, type MovedAxis } from "./axis-map.ts";
import type { ConcatAttributes } from "./concat.ts";
import type { MoveAttributes } from "./move.ts";
import type { SumByIndexAttributes, TakeAttributes } from "./take.ts";

/** The position along an input's axis that a position along the output's axis reads. */
interface Shown {
  readonly element: Index;
  /** The size of the input's axis, if the position may be outside it, where the output is filled. */
  readonly filledFrom?: number;
}

const negative = (index: Index) => product(index, 2 ** 32 - 1);

function shownBy({ map, from, to }: MovedAxis, position: Index): Shown {
  const { start, step, divisor, outside } = map;
  const moved = product(position, step >>> 0);
  if (!hasGaps(map, from, to)) return { element: { ...difference(moved, -start), limit: from } };
  const lowest = Math.min(start, (to - 1) * step + start);
  const shift = divisor * Math.ceil(Math.max(0, -lowest) / divisor);
  const at: Index = { ...difference(moved, -start - shift), limit: 2 ** 32 };
  if (outside === "fill") return { element: elementAt(at, shift, divisor), filledFrom: from };
  const [first, last] = [constantIndex(0), constantIndex(from - 1)];
  const before = outside === "edge" ? first : sum(constantIndex(shift), negative(at));
  const behind = outside === "edge" ? last : sum(constantIndex(2 * (from - 1) + shift), negative(at));
  return { element: choice(at, shift, before, choice(at, shift + from, difference(at, shift), behind)) };
}

/** The element of the input for an element of a move, and the axes along which the output may be filled. */
function movedFrom(node: Tensor, place: Index): { source: Index; filled: Required<Shown>[] } {
  const axes = joinedAxes(node.inputs[0]!.shape, node.shape, (node.attributes as MoveAttributes).maps);
  const filled: Required<Shown>[] = [];
  let source = constantIndex(0);
  let [from, to] = [1, 1];
  for (const axis of axes.toReversed()) {
    const { element, filledFrom } = shownBy(axis, remainder(quotient(place, to), axis.to));
    source = sum(product(filledFrom === undefined ? element : nearestOf(element, filledFrom), from), source);
    if (filledFrom !== undefined) filled.push({ element, filledFrom });
    from *= axis.from;
    to *= axis.to;
  }
  return { source, filled };
}

const move: WasmPointwiseKernel = {
  kind: "pointwise",
  flops: () => 0,
  vector(node, [x], place) {
    const { source, filled } = movedFrom(node, place);
    const masks = filled.map(({ element, filledFrom }) => isInside(element, filledFrom));
    return whereAll(masks, x!.at(source), (node.attributes as MoveAttributes).fill);
  },
  integer(node, [x], place) {
    const { source, filled } = movedFrom(node, place);
    const fill = constantIndex((node.attributes as MoveAttributes).fill);
    return filled.reduce(
      (value, { element, filledFrom }) => choice(element, filledFrom, value, fill),
      x!.integerAt(source),
    );
  },
};

/** For each input of a concatenation, the end of its part of a row and the element to read. */
function partsOf(node: Tensor, place: Index): { own: Index; parts: { end: number; source: Index }[] } {
  const { starts, axis } = node.attributes as ConcatAttributes;
  const inner = sizeOf(node.shape.slice(axis + 1));
  const row = node.shape[axis]! * inner;
  const [own, outer] = [remainder(place, row), quotient(place, row)];
  const parts = node.inputs.map(({ shape }, position) => {
    const width = shape[axis]! * inner;
    const start = starts[position]! * inner;
    // Outside its part, the input is read at another valid element, chosen so that consecutive elements stay
    // consecutive.
    const shift = width * Math.ceil(start / width) - start;
    const within = remainder(sum(own, constantIndex(shift)), width);
    return { end: start + width, source: sum(product(outer, width), within) };
  });
  return { own, parts };
}

const concat: WasmPointwiseKernel = {
  kind: "pointwise",
  flops: () => 0,
  vector(node, inputs, place) {
    const { own, parts } = partsOf(node, place);
    const values = parts.map(({ source }, position) => inputs[position]!.at(source));
    return values.reduceRight((rest, value, position) => {
      const isOwn = instruction("i32x4.lt_u", { kind: "integers", index: own }, bits(parts[position]!.end));
      return instruction("v128.bitselect", value, rest, isOwn);
    });
  },
  integer(node, inputs, place) {
    const { own, parts } = partsOf(node, place);
    const values = parts.map(({ source }, position) => inputs[position]!.integerAt(source));
    return values.reduceRight((rest, value, position) => choice(own, parts[position]!.end, value, rest));
  },
};

/** An op that reads elements of its first input at the entries given by its second input. */
const taking = (
  entryOf: (indices: WasmInput, attributes: TakeAttributes, place: Index) => { outer: Index; entry: Index },
): WasmPointwiseKernel => {
  const source = (node: Tensor, [, indices]: readonly WasmInput[], place: Index) => {
    const attributes = node.attributes as TakeAttributes;
    const { size, inner } = attributes;
    const { outer, entry } = entryOf(indices!, attributes, place);
    return sum(product(sum(product(outer, size), entry), inner), remainder(place, inner));
  };
  return {
    kind: "pointwise",
    flops: () => 0,
    vector: (node, inputs, place): Vector => inputs[0]!.at(source(node, inputs, place)),
    integer: (node, inputs, place) => inputs[0]!.integerAt(source(node, inputs, place)),
  };
};

const take = taking((indices, { inner, count }, place) => {
  const block = quotient(place, inner);
  return { outer: quotient(block, count), entry: indices.integerAt(remainder(block, count)) };
});

const takeAlong = taking((indices, { inner, count }, place) => ({
  outer: quotient(place, inner * count),
  entry: indices.integerHere(),
}));

/** The bytes of the counters of assembly/by-index.ts's sort. */
const BUCKETS_BYTES = 1024;

const sortOrder: WasmAnchorKernel = {
  kind: "anchor",
  call: (node, [keys], result) => ({
    kernel: "sortOrder",
    arguments: [...operandWords(keys!), ...resultWords(result), node.size],
    units: 1,
    grain: 1,
    scratchBytes: BUCKETS_BYTES + 8 * node.size,
    flops: 0,
  }),
};

/** Elements per cache line. Two threads should not share one. */
const LINE = 16;

const sumByIndex: WasmAnchorKernel = {
  kind: "anchor",
  call(node, operands, result) {
    const { outer, count, inner, size } = node.attributes as SumByIndexAttributes;
    return {
      kernel: "sumByIndex",
      arguments: [...operands.flatMap(operandWords), ...resultWords(result), count, size, inner],
      units: outer * size,
      grain: Math.ceil(LINE / inner),
      scratchBytes: 8 * count + 4 * inner,
      flops: outer * count * inner,
    };
  },
};

export const kernels = { move, concat, take, takeAlong, sortOrder, sumByIndex };
