/*
 * firstNonFinite: which element of all inputs together is the first that is NaN or infinite, by its bits: its distance from
 * their end, 0 if there is none. One unit. A computed operand is written to scratch memory, PART elements at most at a time.
 */
import { elements, finish, word } from "./operand";

// Words of the argument block. src/ops/non-finite/wasm.ts writes them.
const RESULT = 0;
const ELEMENTS = 3;
const INPUTS = 4;
const FIRST_INPUT = 5;
/** Of each input: an operand, the number of its first element, and how many it has. */
const INPUT_WORDS = 5;

const PART = 2048;

export function firstNonFinite(args: i32, start: i32, end: i32, scratch: i32): void {
  if (start >= end) return;
  let found = 0;
  for (let input = 0; input < word(args, INPUTS) && found === 0; input++) {
    const operand = FIRST_INPUT + input * INPUT_WORDS;
    const size = word(args, operand + 4);
    for (let part = 0; part < size; part += PART) {
      const count = min(PART, size - part);
      const position = firstIn(elements(args, operand, part, part + count, scratch), count);
      if (position === count) continue;
      found = word(args, ELEMENTS) - word(args, operand + 3) - part - position;
      break;
    }
  }
  store<i32>(word(args, RESULT), found);
  finish(args, RESULT, 0, 1, scratch);
}

/** The position of the first element that is not finite, or `count`. */
function firstIn(address: i32, count: i32): i32 {
  const magnitude = i32x4.splat(0x7fff_ffff);
  const vectors = count & ~15;
  let largest = i32x4.splat(0);
  // Without its sign, a float32 that is not finite is an integer of at least 0x7f80_0000.
  for (let element = 0; element < vectors; element += 16) {
    const at = address + (element << 2);
    const first = i32x4.max_s(v128.and(v128.load(at), magnitude), v128.and(v128.load(at, 16), magnitude));
    const second = i32x4.max_s(v128.and(v128.load(at, 32), magnitude), v128.and(v128.load(at, 48), magnitude));
    largest = i32x4.max_s(largest, i32x4.max_s(first, second));
  }
  const from = v128.any_true(i32x4.ge_s(largest, i32x4.splat(0x7f80_0000))) ? 0 : vectors;
  for (let element = from; element < count; element++)
    if ((load<i32>(address + (element << 2)) & 0x7fff_ffff) >= 0x7f80_0000) return element;
  return count;
}
