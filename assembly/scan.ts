/*
 * Cumulative sums of [outer, count, inner] along the middle axis, accumulated in float64 in order. Units are lines,
 * outer · inner of them.
 */
import { elements, finish, word } from "./operand";

// Words of the argument block, which src/ops/scan/wasm.ts writes.
const INPUT = 0;
const RESULT = 3;
const COUNT = 6;
const INNER = 7;

/** The maximum number of lines processed side by side, and the size of their sums. */
const GROUP = 256;
const STATE_BYTES = GROUP * 8;

export function cumulativeSum(args: i32, start: i32, end: i32, scratch: i32): void {
  const count = word(args, COUNT);
  const inner = word(args, INNER);
  while (start < end) {
    const column = start % inner;
    const columns = min(min(GROUP, inner - column), end - start);
    memory.fill(scratch, 0, columns << 3);
    for (let k = 0; k < count; k++) addRun(args, ((start / inner) * count + k) * inner + column, columns, scratch);
    start += columns;
  }
}

/** Adds one element of each of several adjacent lines. */
function addRun(args: i32, first: i32, columns: i32, scratch: i32): void {
  const values = elements(args, INPUT, first, first + columns, scratch + STATE_BYTES);
  const result = word(args, RESULT) + (first << 2);
  for (let c = 0; c < columns; c++) {
    const total = load<f64>(scratch + (c << 3)) + <f64>load<f32>(values + (c << 2));
    store<f64>(scratch + (c << 3), total);
    store<f32>(result + (c << 2), <f32>total);
  }
  finish(args, RESULT, first, first + columns, scratch + STATE_BYTES);
}
