/*
 * Matrix product: result[row, column] = Σₖ left(row, k) · right(k, column). Each output adds its products in the order
 * of k into one float32 sum, so the result has the same bits however the work is divided.
 * Units are the rows of all batches, or the columns of one batch with BY_COLUMNS. Blocks of the right operand, at most
 * INNER × COLUMNS, and of the left operand, at most ROWS × INNER, are packed into scratch memory and multiplied in
 * register tiles. Computed operands are first written to scratch memory.
 * With BY_ROW, for few rows or a short inner axis, nothing is packed and each row is computed separately.
 * The epilogue runs on the rows of a block as soon as their sums are complete.
 */
import { elements, finish, storeLanes, word } from "./operand";
import { packLeftColumns, packLeftRows, packRightColumns, packRightRows, roundToFloat16 } from "./matmul-pack";
import { addRows, dotRows } from "./matmul-rows";
import { tile4x4, tile4x8 } from "./matmul-tiles";

// Words of the argument block, which src/ops/matmul/wasm.ts writes.
const LEFT = 0;
const RIGHT = 3;
const RESULT = 6;
const ROW_COUNT = 9;
const INNER_COUNT = 10;
const COLUMN_COUNT = 11;
const FLAGS = 12;
/** The maximum size of a block along each axis, and the offsets of the packed right block and the computed elements. */
const BLOCK_ROWS = 13;
const BLOCK_INNER = 14;
const BLOCK_COLUMNS = 15;
const RIGHT_OFFSET = 16;
const COMPUTED_OFFSET = 17;
/** The leading axes: their number, and for each its size and the stride, in matrices, of both operands. */
const BATCH_AXES = 18;
const AXES = 19;
const AXIS_WORDS = 3;

const TRANSPOSE_LEFT = 1;
const TRANSPOSE_RIGHT = 2;
const FLOAT16 = 4;
const BY_COLUMNS = 8;
/** Skips packing, for products that read few elements more than once. */
const BY_ROW = 16;
/** The function that computes the operand takes rows, and a column range stored at its destination. */
const LEFT_BY_ROW = 32;
const RIGHT_BY_ROW = 64;

/** The size of the tile for results at the edge of the matrix, which is at the start of the scratch memory. */
const EDGE_BYTES = 128;

// The number of stored rows of the operands and of the result before the current batch.
let leftRows: i32 = 0;
let rightRows: i32 = 0;
let resultRows: i32 = 0;

export function matmul(args: i32, start: i32, end: i32, scratch: i32): void {
  const rows = word(args, ROW_COUNT);
  if (word(args, FLAGS) & BY_COLUMNS) {
    takeBatch(args, 0);
    multiplyPart(args, 0, rows, start, end, scratch);
    return;
  }
  while (start < end) {
    const batch = start / rows;
    const first = start - batch * rows;
    const last = min(rows, first + end - start);
    takeBatch(args, batch);
    multiplyPart(args, first, last, 0, word(args, COLUMN_COUNT), scratch);
    start += last - first;
  }
}

function takeBatch(args: i32, batch: i32): void {
  let left = 0;
  let right = 0;
  let rest = batch;
  for (let axis = word(args, BATCH_AXES) - 1; axis >= 0; axis--) {
    const words = AXES + axis * AXIS_WORDS;
    const place = rest % word(args, words);
    left += place * word(args, words + 1);
    right += place * word(args, words + 2);
    rest /= word(args, words);
  }
  const flags = word(args, FLAGS);
  leftRows = left * word(args, flags & TRANSPOSE_LEFT ? INNER_COUNT : ROW_COUNT);
  rightRows = right * word(args, flags & TRANSPOSE_RIGHT ? COLUMN_COUNT : INNER_COUNT);
  resultRows = batch * word(args, ROW_COUNT);
}

/** Computes part of the product of one batch. */
function multiplyPart(args: i32, firstRow: i32, lastRow: i32, firstColumn: i32, lastColumn: i32, scratch: i32): void {
  const byRow = (word(args, FLAGS) & BY_ROW) !== 0;
  const inner = word(args, INNER_COUNT);
  const blockRows = word(args, BLOCK_ROWS);
  const blockInner = word(args, BLOCK_INNER);
  const blockColumns = word(args, BLOCK_COLUMNS);
  for (let column = firstColumn; column < lastColumn; column += blockColumns) {
    const columnEnd = min(column + blockColumns, lastColumn);
    for (let k = 0; k < inner; k += blockInner) {
      const kEnd = min(k + blockInner, inner);
      let right = 0;
      if (byRow) right = rightBlock(args, k, kEnd, column, columnEnd, scratch + word(args, COMPUTED_OFFSET));
      else packRight(args, k, kEnd, column, columnEnd, scratch);
      for (let row = firstRow; row < lastRow; row += blockRows) {
        const rowEnd = min(row + blockRows, lastRow);
        if (byRow) multiplyRows(args, row, rowEnd, column, columnEnd, k, kEnd, right, scratch);
        else {
          packLeft(args, row, rowEnd, k, kEnd, scratch);
          multiplyBlocks(args, row, rowEnd, column, columnEnd, kEnd - k, k === 0, scratch);
        }
        if (kEnd === inner) finishBlock(args, row, rowEnd, column, columnEnd, scratch + EDGE_BYTES);
      }
    }
  }
}

/**
 * Returns the address of element (row, column) of a matrix with `width` columns. Computed elements are written to `to`
 * row by row.
 */
function block(args: i32, operand: i32, row: i32, rowEnd: i32, column: i32, columnEnd: i32, width: i32, to: i32): i32 {
  const before = operand === LEFT ? leftRows : rightRows;
  row += before;
  rowEnd += before;
  const fill = word(args, operand + 1);
  if (fill === 0) return word(args, operand) + ((row * width + column) << 2);
  if (word(args, FLAGS) & (operand === LEFT ? LEFT_BY_ROW : RIGHT_BY_ROW)) {
    store<i32>(to, column);
    store<i32>(to, columnEnd, 4);
    call_indirect<void>(<u32>fill, word(args, operand + 2), row, rowEnd, to);
    return to;
  }
  if (columnEnd - column === width) return elements(args, operand, row * width, rowEnd * width, to);
  let address = to;
  for (let r = row; r < rowEnd; r++) {
    elements(args, operand, r * width + column, r * width + columnEnd, address);
    address += (columnEnd - column) << 2;
  }
  return to;
}

/** The stride in bytes of the rows of the block that `block` returns. */
function blockStride(args: i32, operand: i32, columns: i32, width: i32): i32 {
  return (word(args, operand + 1) === 0 ? width : columns) << 2;
}

/** The address of a block of the left operand. Its rows run along k or, if transposed, along the product's rows. */
function leftBlock(args: i32, row: i32, rowEnd: i32, k: i32, kEnd: i32, to: i32): i32 {
  return word(args, FLAGS) & TRANSPOSE_LEFT
    ? block(args, LEFT, k, kEnd, row, rowEnd, word(args, ROW_COUNT), to)
    : block(args, LEFT, row, rowEnd, k, kEnd, word(args, INNER_COUNT), to);
}

function leftBlockStride(args: i32, rows: i32, inner: i32): i32 {
  return word(args, FLAGS) & TRANSPOSE_LEFT
    ? blockStride(args, LEFT, rows, word(args, ROW_COUNT))
    : blockStride(args, LEFT, inner, word(args, INNER_COUNT));
}

function rightBlock(args: i32, k: i32, kEnd: i32, column: i32, columnEnd: i32, to: i32): i32 {
  return word(args, FLAGS) & TRANSPOSE_RIGHT
    ? block(args, RIGHT, column, columnEnd, k, kEnd, word(args, INNER_COUNT), to)
    : block(args, RIGHT, k, kEnd, column, columnEnd, word(args, COLUMN_COUNT), to);
}

function rightBlockStride(args: i32, inner: i32, columns: i32): i32 {
  return word(args, FLAGS) & TRANSPOSE_RIGHT
    ? blockStride(args, RIGHT, inner, word(args, INNER_COUNT))
    : blockStride(args, RIGHT, columns, word(args, COLUMN_COUNT));
}

function packLeft(args: i32, row: i32, rowEnd: i32, k: i32, kEnd: i32, scratch: i32): void {
  const flags = word(args, FLAGS);
  const inner = kEnd - k;
  const rows = rowEnd - row;
  const source = leftBlock(args, row, rowEnd, k, kEnd, scratch + word(args, COMPUTED_OFFSET));
  const stride = leftBlockStride(args, rows, inner);
  const start = scratch + EDGE_BYTES;
  const target =
    flags & TRANSPOSE_LEFT
      ? packLeftColumns(start, source, stride, rows, inner)
      : packLeftRows(start, source, stride, rows, inner);
  if (flags & FLOAT16) roundToFloat16(start, target);
}

function packRight(args: i32, k: i32, kEnd: i32, column: i32, columnEnd: i32, scratch: i32): void {
  const flags = word(args, FLAGS);
  const inner = kEnd - k;
  const columns = columnEnd - column;
  const source = rightBlock(args, k, kEnd, column, columnEnd, scratch + word(args, COMPUTED_OFFSET));
  const stride = rightBlockStride(args, inner, columns);
  const start = scratch + word(args, RIGHT_OFFSET);
  const target =
    flags & TRANSPOSE_RIGHT
      ? packRightRows(start, source, stride, columns, inner)
      : packRightColumns(start, source, stride, columns, inner);
  if (flags & FLOAT16) roundToFloat16(start, target);
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
    let result = word(args, RESULT) + (resultRows + row) * stride + (c << 2);
    for (let r = row; r < rowEnd; r += 4) {
      const rows = min(rowEnd - r, 4);
      if (rows < 4 || (columns & 3) !== 0)
        edgeTile(left, right, step, inner, result, stride, fresh, rows, columns, scratch);
      else if (step === 32) tile4x8(left, right, inner, result, stride, fresh);
      else tile4x4(left, right, inner, result, stride, fresh);
      left += inner << 4;
      result += stride << 2;
    }
    right += inner * step;
  }
}

/** Multiplies a block row by row, without packing. `right` is the address of the right operand's block. */
function multiplyRows(
  args: i32,
  row: i32,
  rowEnd: i32,
  column: i32,
  columnEnd: i32,
  k: i32,
  kEnd: i32,
  right: i32,
  scratch: i32,
): void {
  const width = word(args, COLUMN_COUNT);
  const flags = word(args, FLAGS);
  const inner = kEnd - k;
  const columns = columnEnd - column;
  const leftStride = leftBlockStride(args, rowEnd - row, inner);
  const rightStride = rightBlockStride(args, inner, columns);
  const rowStep = flags & TRANSPOSE_LEFT ? 4 : leftStride;
  const step = flags & TRANSPOSE_LEFT ? leftStride : 4;
  let left = leftBlock(args, row, rowEnd, k, kEnd, scratch + EDGE_BYTES);
  for (let r = row; r < rowEnd; r++) {
    const result = word(args, RESULT) + (((resultRows + r) * width + column) << 2);
    if (flags & TRANSPOSE_RIGHT) dotRows(left, step, right, rightStride, inner, result, columns, k === 0);
    else addRows(left, step, right, rightStride, inner, result, columns, k === 0);
    left += rowStep;
  }
}

/** Computes a tile that reaches beyond the matrix in `edge`, and copies its `rows` × `columns` inside the result. */
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
  if (step === 32) tile4x8(left, right, inner, edge, 32, fresh);
  else tile4x4(left, right, inner, edge, 16, fresh);
  for (let r = 0; r < rows; r++) {
    const to = result + r * stride;
    const from = edge + r * step;
    storeLanes(to, v128.load(from), columns);
    if (columns > 4) storeLanes(to + 16, v128.load(from, 16), columns - 4);
  }
}

function finishBlock(args: i32, row: i32, rowEnd: i32, column: i32, columnEnd: i32, scratch: i32): void {
  const width = word(args, COLUMN_COUNT);
  row += resultRows;
  rowEnd += resultRows;
  if (columnEnd - column === width) {
    finish(args, RESULT, row * width, rowEnd * width, scratch);
    return;
  }
  for (let r = row; r < rowEnd; r++) finish(args, RESULT, r * width + column, r * width + columnEnd, scratch);
}
