import { GraphError } from "../../errors.ts";
import { requireHeld } from "../../graph/leaves.ts";
import { requireType, Tensor, type ComputeOp, type Shape } from "../../graph/tensor.ts";
import { add } from "../elementwise/index.ts";
import { broadcastTo, reshape } from "../layout/index.ts";
import { sum } from "../reduce/index.ts";
import { hasGaps, inverseMap, sameAxis, type AxisMap, type Outside } from "./axis-map.ts";
import { normalAxis } from "./axes.ts";

export interface MoveAttributes {
  /** One for each axis. */
  readonly maps: readonly AxisMap[];
  /** The value of elements that show nothing of the input. */
  readonly fill: number;
}

/* @__NO_SIDE_EFFECTS__ */
function moveOp(name: string): ComputeOp {
  return {
    name,
    kind: "compute",
    kernel: "move",
    traits: { kind: "pointwise", gathers: true, cheap: true },
    rearranges: true,
    gradient: (node, upstream) => [moveGradient(node as Tensor<MoveAttributes>, upstream)],
  };
}

const sliceOp = moveOp("slice");
const flipOp = moveOp("flip");
const padOp = moveOp("pad");

function move(op: ComputeOp, x: Tensor, shape: Shape, maps: readonly AxisMap[], fill = 0): Tensor {
  return new Tensor<MoveAttributes>(op, [x], { maps, fill }, { shape, dtype: x.dtype });
}

/** Sums what was shown twice at the borders, axis by axis, and then takes each shown element back to its place. */
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
  /** Of the axis that was padded. */
  readonly size: number;
  readonly outside: Outside;
}

/** The gradient through padding by the edge or by reflection along one axis. */
function padGradient(upstream: Tensor, axis: number, { before, after, size, outside }: Border): Tensor {
  const part = (first: number, count: number) => along(sliceOp, upstream, axis, count, { start: first });
  const back = (border: Tensor, start: number) => along(padOp, border, axis, size, { start: -start });
  let total = part(before, size);
  const borders: [Tensor, number][] = [];
  if (before > 0) borders.push([part(0, before), 1]);
  if (after > 0) borders.push([part(before + size, after), size - 1 - after]);
  borders.forEach(([border, reflected], position) => {
    const isFirst = before > 0 && position === 0;
    if (outside === "reflect") {
      const count = border.shape[axis]!;
      total = add(total, back(along(flipOp, border, axis, count, { start: count - 1, step: -1 }), reflected));
    } else total = add(total, back(sum(border, { axes: axis, keepAxes: true }), isFirst ? 0 : size - 1));
  });
  return total;
}

/** Moves along one axis. */
function along(op: ComputeOp, x: Tensor, axis: number, size: number, map: Partial<AxisMap>): Tensor {
  const shape = x.shape.map((own, position) => (position === axis ? size : own));
  return move(
    op,
    x,
    shape,
    x.shape.map((_, position) => (position === axis ? { ...sameAxis, ...map } : sameAxis)),
  );
}

/** Elements `start`, `start + step`, … of an axis, up to and without `end`. Negative positions count from the end. */
export interface SliceRange {
  /** 0 by default; the last element where `step` is negative. */
  readonly start?: number;
  /** The end of the axis by default; its beginning, inclusive, where `step` is negative. */
  readonly end?: number;
  /** 1 by default; not 0. */
  readonly step?: number;
}

/**
 * Part of a tensor, as NumPy's `x[start:end:step, …]`. Positions beyond an axis are moved to its end.
 * @param x float32 or uint32
 * @param ranges one for each axis from the first on; undefined, and axes without one, are taken whole
 * @throws GraphError for more ranges than axes, numbers that are not whole, a step of 0, or a range with no element
 */
export function slice(x: Tensor, ranges: readonly (SliceRange | undefined)[]): Tensor {
  requireType("slice", x, "float32", "uint32");
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
 * The elements in reverse order along axes.
 * @param x float32 or uint32
 * @param axes negative ones count from the last; all if absent
 * @throws GraphError for an axis that the tensor does not have
 */
export function flip(x: Tensor, axes: number | readonly number[] = x.shape.map((_, axis) => axis)): Tensor {
  requireType("flip", x, "float32", "uint32");
  const flipped = new Set((typeof axes === "number" ? [axes] : axes).map((axis) => normalAxis("flip", x, axis)));
  const maps = x.shape.map((size, axis) => (flipped.has(axis) ? { ...sameAxis, start: size - 1, step: -1 } : sameAxis));
  return flipped.size === 0 ? x : move(flipOp, x, x.shape, maps);
}

/** What padding consists of: one value, the element at the border, or the elements before it in reverse order. */
export type PadMode = "constant" | "edge" | "reflect";

export interface PadOptions {
  /** "constant" by default. "reflect" does not repeat the border's element, as NumPy's "reflect". */
  readonly mode?: PadMode;
  /** Of constant padding; 0 by default. */
  readonly value?: number;
}

const outsideOf: Readonly<Record<PadMode, Outside>> = { constant: "fill", edge: "edge", reflect: "reflect" };

/**
 * More elements before and after each axis.
 * @param x float32
 * @param widths [before, after] for each axis, at least 0; one number stands for both
 * @throws GraphError for other numbers of widths, an unknown mode, a value that float32 does not hold, and where
 * reflection would need more elements than an axis has
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
 * A tensor repeated along its axes.
 * @param x float32 or uint32
 * @param counts how often, for each axis; at least 1
 * @throws GraphError for other numbers of counts
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
