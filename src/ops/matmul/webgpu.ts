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

/** Cuts 0 … size into parts of at most `most`, a multiple of 64 so that every part starts at a legal offset. */
function parts(size: number, most: number): Part[] {
  const length = most >= size ? size : Math.max(64, Math.floor(most / 64) * 64);
  return Array.from({ length: Math.ceil(size / length) }, (_, part) => ({
    first: part * length,
    last: Math.min(size, (part + 1) * length),
  }));
}

/** The elements of a matrix between two of its stored rows. */
const storedRows = ({ first, last }: Part, width: number): ElementRange => ({ start: first * width, end: last * width });

function launches(attributes: MatmulAttributes, limits: LaunchLimits): AnchorLaunch[] {
  const { rows, inner, columns, transposeLeft, transposeRight } = attributes;
  const tiling = chooseTiling(rows, columns);
  const { bindingElements, gridSize } = limits;
  const tileRows = tiling.groupRows * tiling.threadRows;
  const tileColumns = tiling.groupColumns * tiling.threadColumns;
  // An operand is cut along its stored rows: of the left one the product's rows, or k where it is transposed.
  const leftRows = Math.floor(bindingElements / (transposeLeft ? rows : inner));
  const rightRows = Math.floor(bindingElements / (transposeRight ? inner : columns));
  const mostRows = Math.min(Math.floor(bindingElements / columns), transposeLeft ? rows : leftRows, gridSize * tileRows);
  const mostColumns = Math.min(transposeRight ? rightRows : columns, gridSize * tileColumns);
  const mostInner = Math.min(transposeLeft ? leftRows : inner, transposeRight ? inner : rightRows);
  const result: AnchorLaunch[] = [];
  for (const row of parts(rows, mostRows)) {
    for (const column of parts(columns, mostColumns)) {
      for (const k of parts(inner, mostInner)) {
        const last = k.last === inner;
        result.push({
          constants: {
            ROWS: rows, COLUMNS: columns, INNER: inner,
            FIRST_ROW: row.first, LAST_ROW: row.last,
            FIRST_COLUMN: column.first, LAST_COLUMN: column.last,
            FIRST_INNER: k.first, LAST_INNER: k.last,
            TRANSPOSE_LEFT: String(transposeLeft), TRANSPOSE_RIGHT: String(transposeRight),
            THREAD_ROWS: tiling.threadRows, THREAD_COLUMNS: tiling.threadColumns,
            GROUP_ROWS: tiling.groupRows, GROUP_COLUMNS: tiling.groupColumns,
            TILE_INNER: tiling.inner,
            ACCUMULATE: String(k.first > 0),
          },
          grid: [Math.ceil((column.last - column.first) / tileColumns), Math.ceil((row.last - row.first) / tileRows), 1],
          flops: 2 * (row.last - row.first) * (column.last - column.first) * (k.last - k.first),
          inputRanges: [
            storedRows(transposeLeft ? k : row, transposeLeft ? rows : inner),
            storedRows(transposeRight ? column : k, transposeRight ? inner : columns),
          ],
          outputRange: storedRows(row, columns),
          accumulates: k.first > 0,
          partial: !last,
        });
      }
    }
  }
  return result;
}

const matmul: AnchorKernel = {
  kind: "anchor",
  source,
  inputs: ["left", "right"],
  launches: (node, limits) => launches(node.attributes as MatmulAttributes, limits),
};

export const kernels = { matmul };
