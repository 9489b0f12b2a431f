import type { Tensor } from "../../graph/tensor.ts";
import { operandWords, resultWords } from "../wasm/words.ts";
import type { WasmAnchorKernel, WasmOperand } from "../wasm-kernel.ts";
import type { MatmulAttributes } from "./index.ts";

/** The most of each axis in a block: a panel of the right operand stays in the first cache, a block of both in the second. */
const BLOCK_ROWS = 64;
const BLOCK_INNER = 256;
const BLOCK_COLUMNS = 512;

/** Bytes before the packed blocks; see assembly/matmul.ts. */
const EDGE_BYTES = 128;

const TRANSPOSE_LEFT = 1;
const TRANSPOSE_RIGHT = 2;
const FLOAT16 = 4;
const BY_COLUMNS = 8;
const BY_ROW = 16;

/** Rows of a register tile, and columns. */
const TILE_ROWS = 4;
const TILE_COLUMNS = 8;

/** With fewer rows the columns are divided among threads. */
const FEWEST_ROWS_TO_DIVIDE = 16;

const roundUp = (value: number, unit: number) => Math.ceil(value / unit) * unit;

/** The size of equal blocks of at most `most`, which is a multiple of `unit`. */
const blockSize = (size: number, most: number, unit: number) => roundUp(size / Math.ceil(size / most), unit);

/** A column [n, 1] lies in memory as a row does: the product is made as that of the transposed operands, exchanged. */
function asRow(attributes: MatmulAttributes, operands: readonly WasmOperand[]): [MatmulAttributes, WasmOperand[]] {
  const [left, right] = operands as [WasmOperand, WasmOperand];
  const { rows, columns, transposeLeft, transposeRight } = attributes;
  if (columns > 1) return [attributes, [left, right]];
  const exchanged = { rows: columns, columns: rows, transposeLeft: !transposeRight, transposeRight: !transposeLeft };
  return [{ ...attributes, ...exchanged }, [right, left]];
}

const matmul: WasmAnchorKernel = {
  kind: "anchor",
  call(node: Tensor, inputs, result) {
    if ((node.attributes as MatmulAttributes).batch) return undefined;
    const [attributes, operands] = asRow(node.attributes as MatmulAttributes, inputs);
    const { rows, inner, columns, transposeLeft, transposeRight, precision } = attributes;
    const byColumns = rows < FEWEST_ROWS_TO_DIVIDE;
    const flags =
      Number(transposeLeft) * TRANSPOSE_LEFT +
      Number(transposeRight) * TRANSPOSE_RIGHT +
      Number(precision === "float16") * FLOAT16 +
      Number(byColumns) * BY_COLUMNS +
      Number(Math.min(rows, inner) < TILE_ROWS && precision === "float32") * BY_ROW;
    const blockRows = blockSize(rows, BLOCK_ROWS, TILE_ROWS);
    const blockInner = blockSize(inner, BLOCK_INNER, 1);
    const blockColumns = blockSize(columns, BLOCK_COLUMNS, TILE_COLUMNS);
    const rightOffset = EDGE_BYTES + 4 * blockRows * blockInner;
    const computedOffset = rightOffset + 4 * blockInner * blockColumns;
    const computed = operands.map(({ fill }, side) => (fill === 0 ? 0 : side === 0 ? blockRows : blockColumns));
    return {
      kernel: "matmul",
      arguments: [
        ...operands.flatMap(operandWords),
        ...resultWords(result),
        rows,
        inner,
        columns,
        flags,
        blockRows,
        blockInner,
        blockColumns,
        rightOffset,
        computedOffset,
      ],
      units: byColumns ? columns : rows,
      grain: byColumns ? TILE_COLUMNS : TILE_ROWS,
      scratchBytes: computedOffset + 4 * blockInner * Math.max(...computed),
      flops: 2 * rows * columns * inner,
    };
  },
};

export const kernels = { matmul };
