import { excerpt, GraphError } from "../../errors.ts";
import { requireHeld } from "../../graph/leaves.ts";
import { requireType, Tensor, type ComputeOp, type Shape } from "../../graph/tensor.ts";
import { add } from "../elementwise/index.ts";
import { broadcastTo, reshape } from "../layout/index.ts";
import { sum } from "../reduce/index.ts";
import { hasGaps, inverseMap, sameAxis, type AxisMap, type Outside } from "./axis-map.ts";
import { normalAxis } from "./axes.ts";

export interface MoveAttributes {
  /** The map of each axis. */
  readonly maps: readonly AxisMap[];
  /** The value of elements that read nothing of the input. */
  readonly fill: number;
}

/** A part of an example's float32 numbers may be indices, so a limit on a slice is none on the other numbers. */
const copiesAll = ({ dtype, size, inputs }: Tensor): boolean => dtype !== "float32" || size >= inputs[0]!.size;

/* @__NO_SIDE_EFFECTS__ */
function moveOp(name: string): ComputeOp {
  return {
    name,
    kind: "compute",
    kernel: "move",
    traits: { kind: "pointwise", gathers: true, cheap: true },
    rearranges: copiesAll,
    gradient: (node, upstream) => [moveGradient(node as Tensor<MoveAttributes>, upstream)],
  };
}

const sliceOp = moveOp("slice");
const flipOp = moveOp("flip");
const padOp = moveOp("pad");

function move(op: ComputeOp, x: Tensor, shape: Shape, maps: readonly AxisMap[], fill = 0): Tensor {
  return new Tensor<MoveAttributes>(op, [x], { maps, fill }, { shape, dtype: x.dtype });
}

/**
 * First sums the gradients of elements that were read several times at the borders, axis by axis. Then moves the
 * gradient of each remaining element back to its position.
 */
function moveGradient(node: Tensor<MoveAttributes>, upstream: Tensor): Tensor {
  const { shape } = node.inputs[0]!;
  let gradient = upstream;
  node.attributes.maps.forEach((map, axis) => {
    const [from, to] = [shape[axis]!, gradient.shape[axis]!];
    if (map.outside === "fill" || !hasGaps(map, from, to)) return;
    const before = -map.start;
    const after = to - from - before;
    gradient = padGradient(gradient, axis, { before, after, size: from, outside: map.outside });
  });
  const maps = node.attributes.maps.map((map) => (map.outside === "fill" ? inverseMap(map) : sameAxis));
  const isMoved = maps.some((map) => map !== sameAxis);
  if (!isMoved) return gradient;
  const inverse = node.op === padOp ? sliceOp : node.op === sliceOp ? padOp : flipOp;
  return move(inverse, gradient, shape, maps);
}

interface Border {
  readonly before: number;
  readonly after: number;
  /** The size of the padded axis before padding. */
  readonly size: number;
  readonly outside: Outside;
}

/** The gradient of edge or reflection padding along one axis. */
function padGradient(upstream: Tensor, axis: number, { before, after, size, outside }: Border): Tensor {
  const part = (first: number, count: number) => along(sliceOp, upstream, axis, count, { start: first });
  const back = (border: Tensor, start: number) => along(padOp, border, axis, size, { start: -start });
  // The position that the border repeats, and the first one that it mirrors.
  const borders = [
    { first: 0, count: before, edge: 0, mirrored: 1 },
    { first: before + size, count: after, edge: size - 1, mirrored: size - 1 - after },
  ].filter(({ count }) => count > 0);
  return borders.reduce(
    (total, { first, count, edge, mirrored }) => {
      const border = part(first, count);
      const read =
        outside === "reflect"
          ? back(along(flipOp, border, axis, count, { start: count - 1, step: -1 }), mirrored)
          : back(sum(border, { axes: axis, keepAxes: true }), edge);
      return add(total, read);
    },
    part(before, size),
  );
}

/** Applies an op that moves elements along one axis. */
function along(op: ComputeOp, x: Tensor, axis: number, size: number, map: Partial<AxisMap>): Tensor {
  const shape = x.shape.map((own, position) => (position === axis ? size : own));
  return move(
    op,
    x,
    shape,
    x.shape.map((_, position) => (position === axis ? { ...sameAxis, ...map } : sameAxis)),
  );
}

/** Elements `start`, `start + step`, … of an axis, up to but excluding `end`. Negative positions count from the end. */
export interface SliceRange {
  /** 0 by default, or the last element if `step` is negative. */
  readonly start?: number;
  /** The end of the axis by default, or its beginning, inclusive, if `step` is negative. */
  readonly end?: number;
  /** 1 by default; not 0. */
  readonly step?: number;
}

/**
 * Slices a tensor, like NumPy's `x[start:end:step, …]`. Positions beyond an axis are clamped to its end.
 * @param x float32 or uint32
 * @param ranges one for each axis, from the first on; undefined and missing ranges take the whole axis
 * @throws GraphError for more ranges than axes, numbers that are not integers, a step of 0, or an empty range
 */
export function slice(x: Tensor, ranges: readonly (SliceRange | undefined)[]): Tensor {
  requireType("slice", x, "float32", "uint32");
  if (!Array.isArray(ranges)) {
    const what = `${excerpt(ranges)} is not a list of ranges`;
    throw new GraphError({ where: "slice", what, fix: "Give a range for each axis, such as [{ start: 0, end: 1 }]" });
  }
  if (ranges.length > x.shape.length) {
    const what = `${ranges.length} ranges for ${x}`;
    throw new GraphError({ where: "slice", what, fix: `Give at most ${x.shape.length}, one for each axis` });
  }
  const axes = x.shape.map((size, axis) => sliceAxis(x, axis, size, ranges[axis] ?? {}));
  if (axes.every(({ size, map: { start, step } }, axis) => size === x.shape[axis] && start === 0 && step === 1))
    return x;
  return move(
    sliceOp,
    x,
    axes.map(({ size }) => size),
    axes.map(({ map }) => map),
  );
}

function sliceAxis(x: Tensor, axis: number, size: number, range: SliceRange): { size: number; map: AxisMap } {
  const { step = 1 } = range;
  if (![step, range.start ?? 0, range.end ?? 0].every(Number.isInteger) || step === 0) {
    const what = `range ${JSON.stringify(range)} of axis ${axis} of ${x}`;
    throw new GraphError({ where: "slice", what, fix: "Give whole numbers, and a step other than 0" });
  }
  const clamped = (position: number, low: number, high: number) =>
    Math.min(Math.max(position < 0 ? position + size : position, low), high);
  const forward = step > 0;
  const start =
    range.start === undefined ? (forward ? 0 : size - 1) : clamped(range.start, 0, forward ? size : size - 1);
  const end = range.end === undefined ? (forward ? size : -1) : clamped(range.end, forward ? 0 : -1, size);
  const count = Math.ceil((end - start) / step);
  if (count < 1) {
    const what = `range ${JSON.stringify(range)} takes no element of axis ${axis} of ${x}`;
    throw new GraphError({ where: "slice", what, fix: "A tensor has at least one element" });
  }
  return { size: count, map: { ...sameAxis, start, step } };
}

/**
 * Reverses the order of the elements along axes.
 * @param x float32 or uint32
 * @param axes negative ones count from the last; all axes by default
 * @throws GraphError for an axis that the tensor does not have
 */
export function flip(x: Tensor, axes: number | readonly number[] = x.shape.map((_, axis) => axis)): Tensor {
  requireType("flip", x, "float32", "uint32");
  const flipped = new Set((typeof axes === "number" ? [axes] : axes).map((axis) => normalAxis("flip", x, axis)));
  const maps = x.shape.map((size, axis) => (flipped.has(axis) ? { ...sameAxis, start: size - 1, step: -1 } : sameAxis));
  return flipped.size === 0 ? x : move(flipOp, x, x.shape, maps);
}

/** The values of padding: a constant, the element at the border, or the elements next to it in reverse order. */
export type PadMode = "constant" | "edge" | "reflect";

export interface PadOptions {
  /** "constant" by default. "reflect" does not repeat the element at the border, as in NumPy. */
  readonly mode?: PadMode;
  /** The value of constant padding; 0 by default. */
  readonly value?: number;
}

const outsideOf: Readonly<Record<PadMode, Outside>> = { constant: "fill", edge: "edge", reflect: "reflect" };

/**
 * Pads a tensor before and after each axis.
 * @param x float32
 * @param widths [before, after] for each axis, at least 0; one number stands for both
 * @throws GraphError for a wrong number of widths, an unknown mode, a value that float32 cannot represent, or a
 * reflection that needs more elements than an axis has
 */
export function pad(
  x: Tensor,
  widths: readonly (number | readonly [number, number])[],
  options: PadOptions = {},
): Tensor {
  const { mode = "constant", value = 0 } = options;
  requireType("pad", x, "float32");
  requireHeld("pad value", value);
  const outside = Object.hasOwn(outsideOf, mode) ? outsideOf[mode] : undefined;
  if (outside === undefined) {
    const what = `there is no mode ${JSON.stringify(mode)}`;
    throw new GraphError({ where: "pad", what, fix: `Choose one of ${Object.keys(outsideOf).join(", ")}` });
  }
  const pairs = widths.map((width): readonly [number, number] => (typeof width === "number" ? [width, width] : width));
  const most = (axis: number) => (mode === "reflect" ? x.shape[axis]! - 1 : Infinity);
  const isWrong = pairs.some((pair, axis) =>
    pair.some((width) => !Number.isInteger(width) || width < 0 || width > most(axis)),
  );
  if (pairs.length !== x.shape.length || isWrong) {
    throw new GraphError({
      where: "pad",
      what: `widths ${JSON.stringify(widths)} do not fit ${x}`,
      fix: `Give [before, after] for each axis, whole numbers of at least 0${mode === "reflect" ? " and below its size" : ""}`,
    });
  }
  if (pairs.every(([before, after]) => before + after === 0)) return x;
  const shape = x.shape.map((size, axis) => pairs[axis]![0] + size + pairs[axis]![1]);
  const maps = pairs.map(([before, after]) =>
    before + after === 0 ? sameAxis : { ...sameAxis, start: -before, outside },
  );
  return move(padOp, x, shape, maps, value);
}

/**
 * Repeats a tensor along its axes.
 * @param x float32 or uint32
 * @param counts the number of repetitions for each axis, at least 1
 * @throws GraphError for a wrong number of counts
 */
export function tile(x: Tensor, counts: readonly number[]): Tensor {
  requireType("tile", x, "float32", "uint32");
  if (counts.length !== x.shape.length || !counts.every((count) => Number.isInteger(count) && count >= 1)) {
    const what = `counts [${counts.join(", ")}] do not fit ${x}`;
    throw new GraphError({ where: "tile", what, fix: "Give a whole number of at least 1 for each axis" });
  }
  const apart = reshape(
    x,
    x.shape.flatMap((size) => [1, size]),
  );
  const repeated = broadcastTo(
    apart,
    x.shape.flatMap((size, axis) => [counts[axis]!, size]),
  );
  return reshape(
    repeated,
    x.shape.map((size, axis) => counts[axis]! * size),
  );
}
