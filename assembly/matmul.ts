/*
 * Matrix product: result[row, column] = Σₖ left(row, k) · right(k, column), the products added in the order of k into one
 * float32 sum for each output, so that every division of the work gives the same bits.
 * Units are rows, or columns with BY_COLUMNS. Blocks of the right operand, INNER × COLUMNS at most, and of the left, ROWS ×
 * INNER at most, are packed into scratch memory, where computed operands are written first, and go through register tiles.
 * Rows of a block are finished as soon as their sums are complete.
 */
import { elements, finish, storeLanes, word } from "./operand";
import { packColumns, packRows, roundToFloat16 } from "./matmul-pack";
import { tile4x4, tile4x8 } from "./matmul-tiles";

// Words of the argument block. src/ops/matmul/wasm.ts writes them.
const LEFT = 0;
const RIGHT = 3;
const RESULT = 6;
const ROW_COUNT = 9;
const INNER_COUNT = 10;
const COLUMN_COUNT = 11;
const FLAGS = 12;
/** The most of each axis in a block, and where the right block, the block of computed elements and the edge tile begin. */
const BLOCK_ROWS = 13;
const BLOCK_INNER = 14;
const BLOCK_COLUMNS = 15;
const RIGHT_OFFSET = 16;
const COMPUTED_OFFSET = 17;

const TRANSPOSE_LEFT = 1;
const TRANSPOSE_RIGHT = 2;
const FLOAT16 = 4;
const BY_COLUMNS = 8;

/** Bytes of a tile of results at the edge of the matrix, which lies at the beginning of the scratch memory. */
const EDGE_BYTES = 128;

export function matmul(args: i32, start: i32, end: i32, scratch: i32): void {
  const byColumns = (word(args, FLAGS) & BY_COLUMNS) !== 0;
  const firstRow = byColumns ? 0 : start;
  const lastRow = byColumns ? word(args, ROW_COUNT) : end;
  const firstColumn = byColumns ? start : 0;
  const lastColumn = byColumns ? end : word(args, COLUMN_COUNT);
  const inner = word(args, INNER_COUNT);
  const blockRows = word(args, BLOCK_ROWS);
  const blockInner = word(args, BLOCK_INNER);
  const blockColumns = word(args, BLOCK_COLUMNS);
  for (let column = firstColumn; column < lastColumn; column += blockColumns) {
    const columnEnd = min(column + blockColumns, lastColumn);
    for (let k = 0; k < inner; k += blockInner) {
      const kEnd = min(k + blockInner, inner);
      packRight(args, k, kEnd, column, columnEnd, scratch);
      for (let row = firstRow; row < lastRow; row += blockRows) {
        const rowEnd = min(row + blockRows, lastRow);
        packLeft(args, row, rowEnd, k, kEnd, scratch);
        multiplyBlocks(args, row, rowEnd, column, columnEnd, kEnd - k, k === 0, scratch);
        if (kEnd === inner) finishBlock(args, row, rowEnd, column, columnEnd, scratch + word(args, COMPUTED_OFFSET));
      }
    }
  }
}

/** The address of element (row, column) of a stored matrix `width` wide; computed elements are written row by row. */
function block(args: i32, operand: i32, row: i32, rowEnd: i32, column: i32, columnEnd: i32, width: i32, to: i32): i32 {
  if (word(args, operand + 1) === 0) return word(args, operand) + ((row * width + column) << 2);
  if (columnEnd - column === width) return elements(args, operand, row * width, rowEnd * width, to);
  let address = to;
  for (let r = row; r < rowEnd; r++) {
    elements(args, operand, r * width + column, r * width + columnEnd, address);
    address += (columnEnd - column) << 2;
  }
  return to;
}

/** The bytes from one row to the next of what `block` returns. */
function blockStride(args: i32, operand: i32, columns: i32, width: i32): i32 {
  return (word(args, operand + 1) === 0 ? width : columns) << 2;
}

function packLeft(args: i32, row: i32, rowEnd: i32, k: i32, kEnd: i32, scratch: i32): void {
  const flags = word(args, FLAGS);
  const target = scratch + EDGE_BYTES;
  const inner = kEnd - k;
  const rows = rowEnd - row;
  const computed = scratch + word(args, COMPUTED_OFFSET);
  const panel = inner << 4;
  if (flags & TRANSPOSE_LEFT) {
    const width = word(args, ROW_COUNT);
    const source = block(args, LEFT, k, kEnd, row, rowEnd, width, computed);
    const stride = blockStride(args, LEFT, rows, width);
    for (let r = 0; r < rows; r += 4) packColumns(target + (r >> 2) * panel, 16, source + (r << 2), stride, inner);
  } else {
    const width = word(args, INNER_COUNT);
    const source = block(args, LEFT, row, rowEnd, k, kEnd, width, computed);
    const stride = blockStride(args, LEFT, inner, width);
    for (let r = 0; r < rows; r += 4) {
      packFourRows(target + (r >> 2) * panel, 16, source, stride, r, rows, inner);
    }
  }
  if (flags & FLOAT16) roundToFloat16(target, target + ((rows + 3) >> 2) * panel);
}

/** Rows beyond the last are copies of it. */
function packFourRows(target: i32, step: i32, source: i32, stride: i32, row: i32, rows: i32, inner: i32): void {
  const last = rows - 1;
  const r0 = source + row * stride;
  const r1 = source + min(row + 1, last) * stride;
  const r2 = source + min(row + 2, last) * stride;
  const r3 = source + min(row + 3, last) * stride;
  packRows(target, step, r0, r1, r2, r3, inner);
}

/** Panels of eight columns, of which the last has four where that is enough. */
function packRight(args: i32, k: i32, kEnd: i32, column: i32, columnEnd: i32, scratch: i32): void {
  const flags = word(args, FLAGS);
  const inner = kEnd - k;
  const columns = columnEnd - column;
  const computed = scratch + word(args, COMPUTED_OFFSET);
  const transposed = (flags & TRANSPOSE_RIGHT) !== 0;
  const width = transposed ? word(args, INNER_COUNT) : word(args, COLUMN_COUNT);
  const source = transposed
    ? block(args, RIGHT, column, columnEnd, k, kEnd, width, computed)
    : block(args, RIGHT, k, kEnd, column, columnEnd, width, computed);
  const stride = blockStride(args, RIGHT, transposed ? inner : columns, width);
  let target = scratch + word(args, RIGHT_OFFSET);
  for (let c = 0; c < columns; c += 8) {
    const step = columns - c > 4 ? 32 : 16;
    for (let half = 0; half < step; half += 16) {
      const first = c + (half >> 2);
      if (transposed) packFourRows(target + half, step, source, stride, first, columns, inner);
      else packColumns(target + half, step, source + (first << 2), stride, inner);
    }
    if (flags & FLOAT16) roundToFloat16(target, target + inner * step);
    target += inner * step;
  }
}

function multiplyBlocks(
  args: i32,
  row: i32,
  rowEnd: i32,
  column: i32,
  columnEnd: i32,
  inner: i32,
  fresh: bool,
  scratch: i32,
): void {
  const stride = word(args, COLUMN_COUNT) << 2;
  let right = scratch + word(args, RIGHT_OFFSET);
  for (let c = column; c < columnEnd; c += 8) {
    const columns = min(columnEnd - c, 8);
    const step = columns > 4 ? 32 : 16;
    let left = scratch + EDGE_BYTES;
    let result = word(args, RESULT) + row * stride + (c << 2);
    for (let r = row; r < rowEnd; r += 4) {
      const rows = min(rowEnd - r, 4);
      if (rows < 4 || (columns & 3) !== 0)
        edgeTile(left, right, step, inner, result, stride, fresh, rows, columns, scratch);
      else if (step === 32) tile4x8(left, right, 32, inner, result, stride, fresh);
      else tile4x4(left, right, 16, inner, result, stride, fresh);
      left += inner << 4;
      result += stride << 2;
    }
    right += inner * step;
  }
}

/** A tile that reaches beyond the matrix is made in `edge`, of which only `rows` × `columns` are the result's. */
function edgeTile(
  left: i32,
  right: i32,
  step: i32,
  inner: i32,
  result: i32,
  stride: i32,
  fresh: bool,
  rows: i32,
  columns: i32,
  edge: i32,
): void {
  if (!fresh) {
    for (let r = 0; r < rows; r++) memory.copy(edge + r * step, result + r * stride, columns << 2);
  }
  if (step === 32) tile4x8(left, right, 32, inner, edge, 32, fresh);
  else tile4x4(left, right, 16, inner, edge, 16, fresh);
  for (let r = 0; r < rows; r++) {
    const to = result + r * stride;
    const from = edge + r * step;
    storeLanes(to, v128.load(from), columns);
    if (columns > 4) storeLanes(to + 16, v128.load(from, 16), columns - 4);
  }
}

function finishBlock(args: i32, row: i32, rowEnd: i32, column: i32, columnEnd: i32, scratch: i32): void {
  const width = word(args, COLUMN_COUNT);
  if (columnEnd - column === width) {
    finish(args, RESULT, row * width, rowEnd * width, scratch);
    return;
  }
  for (let r = row; r < rowEnd; r++) finish(args, RESULT, r * width + column, r * width + columnEnd, scratch);
}
