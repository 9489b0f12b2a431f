import { ALIGNMENT } from "../../alignment.ts";
import type { Tensor } from "../../graph/tensor.ts";
import type { AnchorKernel, AnchorLaunch, ElementRange, LaunchLimits } from "../kernel.ts";
import type { MatmulAttributes } from "./index.ts";
import { chooseTiling, sourceOf, type Tiling } from "./webgpu-tilings.ts";

interface Part {
  readonly first: number;
  readonly last: number;
}

/** Splits 0 … size into parts of at most `most`. */
function parts(size: number, most: number): Part[] {
  return Array.from({ length: Math.ceil(size / most) }, (_, part) => ({
    first: part * most,
    last: Math.min(size, (part + 1) * most),
  }));
}

type Axis = "rows" | "inner" | "columns";

/** For both operands and the output, the axes along and across the rows in memory. */
function storedAxes({
  transposeLeft,
  transposeRight,
}: MatmulAttributes): Record<"left" | "right" | "output", [Axis, Axis]> {
  return {
    left: transposeLeft ? ["inner", "rows"] : ["rows", "inner"],
    right: transposeRight ? ["columns", "inner"] : ["inner", "columns"],
    output: ["rows", "columns"],
  };
}

/** The largest part of each axis for which all three matrices fit into one binding. */
function largestParts(
  attributes: MatmulAttributes,
  { bindingElements, gridSize }: LaunchLimits,
  tiling: Tiling,
): Record<Axis, number> {
  const { rows, inner, columns } = attributes;
  const most = {
    rows: Math.min(rows, gridSize * tiling.tileRows),
    inner,
    columns: Math.min(columns, gridSize * tiling.tileColumns),
  };
  // A binding is aligned, so it may start before the part.
  const reach = bindingElements - (ALIGNMENT - 1);
  for (const [along, across] of Object.values(storedAxes(attributes))) {
    if (attributes[along] * attributes[across] <= bindingElements) continue;
    most[along] = Math.min(most[along], Math.max(1, Math.floor(reach / attributes[across])));
    if (attributes[across] > reach) most[across] = Math.min(most[across], reach);
  }
  return most;
}

/** The range of a part of a matrix in memory: whole rows, or a part of one row if a row is longer than a binding. */
function storedRange(along: Part, across: Part, width: number): ElementRange {
  const single = along.last - along.first === 1;
  return {
    start: along.first * width + (single ? across.first : 0),
    end: single ? along.first * width + across.last : along.last * width,
  };
}

function launches(members: readonly Tensor[], limits: LaunchLimits): AnchorLaunch[] {
  const attributes = members[0]!.attributes as MatmulAttributes;
  const tiling = chooseTiling(attributes, limits);
  const most = largestParts(attributes, limits, tiling);
  return parts(attributes.rows, most.rows).flatMap((rows) =>
    parts(attributes.columns, most.columns).flatMap((columns) =>
      parts(attributes.inner, most.inner).map((inner) => launch(members, tiling, { rows, inner, columns })),
    ),
  );
}

function launch(members: readonly Tensor[], tiling: Tiling, part: Record<Axis, Part>): AnchorLaunch {
  const product = members[0]!;
  const attributes = product.attributes as MatmulAttributes;
  const { rows, inner, columns, transposeLeft, transposeRight, precision } = attributes;
  const size = (axis: Axis) => part[axis].last - part[axis].first;
  const range = ([along, across]: [Axis, Axis]) => storedRange(part[along], part[across], attributes[across]);
  const axes = storedAxes(attributes);
  const accumulates = part.inner.first > 0;
  const sumsColumns = members.length > 1;
  return {
    source: sourceOf(tiling, precision),
    subgroups: tiling.subgroups,
    float16: precision === "float16",
    reads: { left: product.inputs[0]!, right: product.inputs[1]! },
    finishes: ["finish", "finish_column_sum"],
    constants: {
      ROWS: rows,
      COLUMNS: columns,
      INNER: inner,
      FIRST_ROW: part.rows.first,
      LAST_ROW: part.rows.last,
      FIRST_COLUMN: part.columns.first,
      LAST_COLUMN: part.columns.last,
      FIRST_INNER: part.inner.first,
      LAST_INNER: part.inner.last,
      TRANSPOSE_LEFT: String(transposeLeft),
      TRANSPOSE_RIGHT: String(transposeRight),
      ...tiling.constants,
      ACCUMULATE: String(accumulates),
      COLUMN_SUMS: String(sumsColumns),
    },
    grid: [Math.ceil(size("columns") / tiling.tileColumns), Math.ceil(size("rows") / tiling.tileRows), 1],
    flops: (2 * size("rows") + Number(sumsColumns)) * size("columns") * size("inner"),
    readRanges: { left: range(axes.left), right: range(axes.right) },
    outputRange: range(axes.output),
    accumulates,
    partial: part.inner.last < inner,
  };
}

/** Whether one launch computes the whole product. */
function isOneLaunch(members: readonly Tensor[], limits: LaunchLimits): boolean {
  const attributes = members[0]!.attributes as MatmulAttributes;
  const most = largestParts(attributes, limits, chooseTiling(attributes, limits));
  return (["rows", "inner", "columns"] as const).every((axis) => most[axis] >= attributes[axis]);
}

const matmul: AnchorKernel = { kind: "anchor", canFuse: isOneLaunch, launches };

export const kernels = { matmul };
