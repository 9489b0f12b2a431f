/*
 * Finds the first element that is NaN or infinite, by its bits. The result is its distance from the end of all inputs,
 * or 0 if all are finite. There is one unit of work. A computed operand is written to scratch memory in parts of at
 * most PART elements.
 */
import { elements, finish, word } from "./operand";

// Words of the argument block, which src/ops/non-finite/wasm.ts writes.
const RESULT = 0;
const ELEMENTS = 3;
const INPUTS = 4;
/** Five words per input: the three of the operand, its size, and the number of elements before it. */
const FIRST_INPUT = 5;
const INPUT_WORDS = 5;
const SIZE = 3;
const OFFSET = 4;

const PART = 2048;
const EXPONENT = 0x7f800000;

export function firstNonFinite(args: i32, start: i32, end: i32, scratch: i32): void {
  if (start >= end) return;
  const inputs = word(args, INPUTS);
  let distance = 0;
  for (let input = 0; input < inputs && distance === 0; input++) {
    const operand = FIRST_INPUT + input * INPUT_WORDS;
    const index = firstOf(args, operand, word(args, operand + SIZE), scratch);
    if (index >= 0) distance = word(args, ELEMENTS) - word(args, operand + OFFSET) - index;
  }
  store<i32>(word(args, RESULT), distance);
  finish(args, RESULT, 0, 1, scratch);
}

/** The index of the first element of an operand that is NaN or infinite, or -1. */
function firstOf(args: i32, operand: i32, size: i32, scratch: i32): i32 {
  for (let start = 0; start < size; start += PART) {
    const end = min(start + PART, size);
    const found = firstIn(elements(args, operand, start, end, scratch), end - start);
    if (found >= 0) return start + found;
  }
  return -1;
}

function firstIn(address: i32, count: i32): i32 {
  const exponent = i32x4.splat(EXPONENT);
  let index = 0;
  for (; index + 16 <= count; index += 16) {
    const at = address + (index << 2);
    const faults = v128.or(
      v128.or(faultsAt(at, exponent), faultsAt(at + 16, exponent)),
      v128.or(faultsAt(at + 32, exponent), faultsAt(at + 48, exponent)),
    );
    if (v128.any_true(faults)) break;
  }
  for (; index < count; index++) if ((load<i32>(address + (index << 2)) & EXPONENT) === EXPONENT) return index;
  return -1;
}

function faultsAt(address: i32, exponent: v128): v128 {
  return i32x4.eq(v128.and(v128.load(address), exponent), exponent);
}
