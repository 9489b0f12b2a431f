import source from "../../../shaders/matmul.wgsl?raw";
import type { AnchorKernel, AnchorLaunch, ElementRange, LaunchLimits } from "../kernel.ts";
import type { MatmulAttributes } from "./index.ts";

/** Outputs per thread and threads per workgroup along rows and columns, and the block along the inner axis. */
export interface Tiling {
  readonly threadRows: number;
  readonly threadColumns: number;
  readonly groupRows: number;
  readonly groupColumns: number;
  readonly inner: number;
}

/**
 * The tiling for a shape. A side shorter than the tile gets fewer outputs per thread, so that threads do not
 * compute padding; 8×8 outputs a thread measured best on lavapipe, and 4×4 with more threads fills a real GPU
 * where there are few tiles.
 */
export function chooseTiling(rows: number, columns: number): Tiling {
  const along = (size: number) => (size >= 64 ? 8 : size >= 16 ? 4 : size >= 8 ? 2 : 1);
  return { threadRows: along(rows), threadColumns: along(columns), groupRows: 8, groupColumns: 8, inner: 16 };
}

interface Part {
  readonly first: number;
  readonly last: number;
}

/** Cuts 0 … size into parts of at most `most`. */
function parts(size: number, most: number): Part[] {
  return Array.from({ length: Math.ceil(size / most) }, (_, part) => ({
    first: part * most,
    last: Math.min(size, (part + 1) * most),
  }));
}

type Axis = "rows" | "inner" | "columns";

/** The axes along and across the stored rows of both operands and the output. */
function storedAxes({ transposeLeft, transposeRight }: MatmulAttributes): Record<"left" | "right" | "output", [Axis, Axis]> {
  return {
    left: transposeLeft ? ["inner", "rows"] : ["rows", "inner"],
    right: transposeRight ? ["columns", "inner"] : ["inner", "columns"],
    output: ["rows", "columns"],
  };
}

/** The largest part of each axis with which all three matrices stay within what one binding reaches. */
function largestParts(attributes: MatmulAttributes, { bindingElements, gridSize }: LaunchLimits, tiling: Tiling): Record<Axis, number> {
  const { rows, inner, columns } = attributes;
  const most = {
    rows: Math.min(rows, gridSize * tiling.groupRows * tiling.threadRows),
    inner,
    columns: Math.min(columns, gridSize * tiling.groupColumns * tiling.threadColumns),
  };
  // A binding starts at a multiple of 64 elements, up to 63 before the part.
  const reach = bindingElements - 63;
  for (const [along, across] of Object.values(storedAxes(attributes))) {
    if (attributes[along] * attributes[across] <= bindingElements) continue;
    most[along] = Math.min(most[along], Math.max(1, Math.floor(reach / attributes[across])));
    if (attributes[across] > reach) most[across] = Math.min(most[across], reach);
  }
  return most;
}

/** The stored elements of a part of a matrix: whole rows, or a piece of one where a row is longer than a binding. */
function storedRange(along: Part, across: Part, width: number): ElementRange {
  const single = along.last - along.first === 1;
  return {
    start: along.first * width + (single ? across.first : 0),
    end: single ? along.first * width + across.last : along.last * width,
  };
}

function launches(attributes: MatmulAttributes, limits: LaunchLimits): AnchorLaunch[] {
  const tiling = chooseTiling(attributes.rows, attributes.columns);
  const most = largestParts(attributes, limits, tiling);
  return parts(attributes.rows, most.rows).flatMap((rows) =>
    parts(attributes.columns, most.columns).flatMap((columns) =>
      parts(attributes.inner, most.inner).map((inner) => launch(attributes, tiling, { rows, inner, columns })),
    ),
  );
}

function launch(attributes: MatmulAttributes, tiling: Tiling, part: Record<Axis, Part>): AnchorLaunch {
  const { rows, inner, columns, transposeLeft, transposeRight } = attributes;
  const size = (axis: Axis) => part[axis].last - part[axis].first;
  const range = ([along, across]: [Axis, Axis]) => storedRange(part[along], part[across], attributes[across]);
  const axes = storedAxes(attributes);
  const accumulates = part.inner.first > 0;
  return {
    constants: {
      ROWS: rows, COLUMNS: columns, INNER: inner,
      FIRST_ROW: part.rows.first, LAST_ROW: part.rows.last,
      FIRST_COLUMN: part.columns.first, LAST_COLUMN: part.columns.last,
      FIRST_INNER: part.inner.first, LAST_INNER: part.inner.last,
      TRANSPOSE_LEFT: String(transposeLeft), TRANSPOSE_RIGHT: String(transposeRight),
      THREAD_ROWS: tiling.threadRows, THREAD_COLUMNS: tiling.threadColumns,
      GROUP_ROWS: tiling.groupRows, GROUP_COLUMNS: tiling.groupColumns,
      TILE_INNER: tiling.inner,
      ACCUMULATE: String(accumulates),
    },
    grid: [
      Math.ceil(size("columns") / (tiling.groupColumns * tiling.threadColumns)),
      Math.ceil(size("rows") / (tiling.groupRows * tiling.threadRows)),
      1,
    ],
    flops: 2 * size("rows") * size("columns") * size("inner"),
    inputRanges: [range(axes.left), range(axes.right)],
    outputRange: range(axes.output),
    accumulates,
    partial: part.inner.last < inner,
  };
}

const matmul: AnchorKernel = {
  kind: "anchor",
  source,
  inputs: ["left", "right"],
  launches: (node, limits) => launches(node.attributes as MatmulAttributes, limits),
};

export const kernels = { matmul };
