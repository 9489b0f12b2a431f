/*
 * Transposes: the last axis of the result (`across`) and the axis that is contiguous in the input (`along`) exchange their
 * places, in blocks whose lines fit the cache. There may be other axes. Elements of 4 bytes are moved, of any type.
 * Units are blocks of BLOCK elements along the contiguous axis, with all elements across, of all other axes.
 */
import { word } from "./operand";

// Words of the argument block, which src/ops/layout/wasm.ts writes. Strides are in elements.
const INPUT = 0;
const RESULT = 3;
const ALONG = 6;
const ALONG_TO = 7;
const ACROSS = 8;
const ACROSS_FROM = 9;
/** The number of other axes. Three words follow for each: its size, and its strides in the input and in the result. */
const OTHERS = 10;
const AXES = 11;

const BLOCK = 16;

export function transpose(args: i32, start: i32, end: i32, _scratch: i32): void {
  const along = word(args, ALONG);
  const across = word(args, ACROSS);
  const blocks = (along + BLOCK - 1) / BLOCK;
  const step = word(args, ACROSS_FROM) << 2;
  const row = word(args, ALONG_TO) << 2;
  for (let unit = start; unit < end; unit++) {
    const first = (unit % blocks) * BLOCK;
    let input = word(args, INPUT) + (first << 2);
    let result = word(args, RESULT) + first * row;
    let rest = unit / blocks;
    for (let axis = word(args, OTHERS) - 1; axis >= 0; axis--) {
      const size = word(args, AXES + 3 * axis);
      const position = rest % size;
      rest /= size;
      input += (position * word(args, AXES + 3 * axis + 1)) << 2;
      result += (position * word(args, AXES + 3 * axis + 2)) << 2;
    }
    const rows = min(BLOCK, along - first);
    for (let column = 0; column < across; column += BLOCK)
      transposeBlock(input + column * step, step, result + (column << 2), row, rows, min(BLOCK, across - column));
  }
}

/** Exchanges the axes of a block of at most 16 × 16 elements. Steps are in bytes. */
function transposeBlock(input: i32, step: i32, result: i32, row: i32, rows: i32, columns: i32): void {
  let r = 0;
  for (; r + 4 <= rows; r += 4) {
    let from = input + (r << 2);
    const to = result + r * row;
    let c = 0;
    for (; c + 4 <= columns; c += 4) {
      transposeFour(from, step, to + (c << 2), row);
      from += 4 * step;
    }
    for (; c < columns; c++) {
      for (let lane = 0; lane < 4; lane++) store<i32>(to + lane * row + (c << 2), load<i32>(from + (lane << 2)));
      from += step;
    }
  }
  for (; r < rows; r++)
    for (let c = 0; c < columns; c++) store<i32>(result + r * row + (c << 2), load<i32>(input + c * step + (r << 2)));
}

function transposeFour(from: i32, step: i32, to: i32, row: i32): void {
  const a = v128.load(from);
  const b = v128.load(from + step);
  const c = v128.load(from + 2 * step);
  const d = v128.load(from + 3 * step);
  const ab = v128.shuffle<i32>(a, b, 0, 4, 1, 5);
  const cd = v128.shuffle<i32>(c, d, 0, 4, 1, 5);
  const abHigh = v128.shuffle<i32>(a, b, 2, 6, 3, 7);
  const cdHigh = v128.shuffle<i32>(c, d, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<i64>(ab, cd, 0, 2));
  v128.store(to + row, v128.shuffle<i64>(ab, cd, 1, 3));
  v128.store(to + 2 * row, v128.shuffle<i64>(abHigh, cdHigh, 0, 2));
  v128.store(to + 3 * row, v128.shuffle<i64>(abHigh, cdHigh, 1, 3));
}
