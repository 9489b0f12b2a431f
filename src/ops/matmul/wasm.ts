import type { Tensor } from "../../graph/tensor.ts";
import { operandWords, resultWords } from "../wasm/words.ts";
import type { WasmAnchorKernel, WasmOperand } from "../wasm-kernel.ts";
import { batchCount, type BatchAttributes } from "./batches.ts";
import type { MatmulAttributes } from "./index.ts";

/**
 * The maximum size of a block along each axis: a panel of the right operand fits the L1 cache, a block of each operand
 * the L2 cache.
 */
const BLOCK_ROWS = 64;
const BLOCK_INNER = 256;
const BLOCK_COLUMNS = 512;

/** The offset of the packed blocks in scratch memory; see assembly/matmul.ts. */
const EDGE_BYTES = 128;

const TRANSPOSE_LEFT = 1;
const TRANSPOSE_RIGHT = 2;
const FLOAT16 = 4;
const BY_COLUMNS = 8;
const BY_ROW = 16;
const LEFT_BY_ROW = 32;
const RIGHT_BY_ROW = 64;

/** A function that computes rows reads two words at its destination. */
const LEAST_COMPUTED_BYTES = 8;

/** Rows and columns of a register tile. */
const TILE_ROWS = 4;
const TILE_COLUMNS = 8;

/** With fewer rows, the columns are divided among threads instead. */
const FEWEST_ROWS_TO_DIVIDE = 16;

const roundUp = (value: number, unit: number) => Math.ceil(value / unit) * unit;

/** The size of equal blocks, a multiple of `unit` that is at most `most`. */
const blockSize = (size: number, most: number, unit: number) => roundUp(size / Math.ceil(size / most), unit);

/** A column [n, 1] has the memory layout of a row: computes it by exchanging and transposing the operands. */
function asRow(attributes: MatmulAttributes, operands: readonly WasmOperand[]): [MatmulAttributes, WasmOperand[]] {
  const [left, right] = operands as [WasmOperand, WasmOperand];
  const { rows, columns, transposeLeft, transposeRight, batch } = attributes;
  if (columns > 1) return [attributes, [left, right]];
  const exchanged = { rows: columns, columns: rows, transposeLeft: !transposeRight, transposeRight: !transposeLeft };
  const batches = batch && { batch: { ...batch, left: batch.right, right: batch.left } };
  return [{ ...attributes, ...exchanged, ...batches }, [right, left]];
}

/** The leading axes: their number, and for each its size and the stride, in matrices, of both operands. */
const batchWords = (batch: BatchAttributes | undefined): number[] =>
  batch
    ? [batch.sizes.length, ...batch.sizes.flatMap((size, axis) => [size, batch.left[axis]!, batch.right[axis]!])]
    : [0];

const matmul: WasmAnchorKernel = {
  kind: "anchor",
  call(node: Tensor, inputs, result) {
    const [attributes, operands] = asRow(node.attributes as MatmulAttributes, inputs);
    const { rows, inner, columns, transposeLeft, transposeRight, precision, batch } = attributes;
    const count = batchCount(batch);
    const byColumns = rows < FEWEST_ROWS_TO_DIVIDE && count === 1;
    const [left, right] = operands as [WasmOperand, WasmOperand];
    const flags =
      Number(transposeLeft) * TRANSPOSE_LEFT +
      Number(transposeRight) * TRANSPOSE_RIGHT +
      Number(precision === "float16") * FLOAT16 +
      Number(byColumns) * BY_COLUMNS +
      Number(left.fillRows !== 0) * LEFT_BY_ROW +
      Number(right.fillRows !== 0) * RIGHT_BY_ROW +
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
        ...operands.flatMap((operand) => operandWords({ ...operand, fill: operand.fillRows || operand.fill })),
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
        ...batchWords(batch),
      ],
      units: byColumns ? columns : count * rows,
      grain: byColumns ? TILE_COLUMNS : TILE_ROWS,
      scratchBytes: computedOffset + Math.max(LEAST_COMPUTED_BYTES, 4 * blockInner * Math.max(...computed)),
      flops: 2 * rows * columns * inner * count,
      isProduct: true,
    };
  },
};

export const kernels = { matmul };
