/*
 * Helpers that all kernels share. A kernel has the type (args, start, end, scratch): the byte address of its argument
 * block, which consists of 4-byte words; the range [start, end) of units of work; and the byte address of memory that
 * no other thread uses.
 * An operand takes three words of the block: its address; the table index of a function that computes it instead, or 0;
 * and the address of that function's argument block. A result does too: its address, and the function that computes the
 * epilogue.
 * Addresses can exceed 2³¹, so they are compared as u32.
 */

/** The word of an argument block at an index. */
export function word(args: i32, index: i32): i32 {
  return load<i32>(args + (index << 2));
}

/** The address of an operand's element `start`. Writes elements [start, end) of a computed operand to `scratch`. */
export function elements(args: i32, operand: i32, start: i32, end: i32, scratch: i32): i32 {
  const fill = word(args, operand + 1);
  if (fill === 0) return word(args, operand) + (start << 2);
  call_indirect<void>(<u32>fill, word(args, operand + 2), start, end, scratch);
  return scratch;
}

/** Computes the epilogue on the stored results [start, end). */
export function finish(args: i32, result: i32, start: i32, end: i32, scratch: i32): void {
  const index = word(args, result + 1);
  if (index !== 0) call_indirect<void>(<u32>index, word(args, result + 2), start, end, scratch);
}

/** Loads the first `count` lanes, at least 1; the others are 0. */
export function loadLanes(address: i32, count: i32): v128 {
  if (count >= 4) return v128.load(address);
  let value = v128.load32_zero(address);
  if (count > 1) value = v128.load32_lane(address, value, 1, 4);
  if (count > 2) value = v128.load32_lane(address, value, 2, 8);
  return value;
}

/** Stores the first `count` lanes, 1 to 4. The memory after them may belong to another thread. */
export function storeLanes(address: i32, value: v128, count: i32): void {
  if (count >= 4) {
    v128.store(address, value);
    return;
  }
  v128.store_lane<f32>(address, value, 0);
  if (count > 1) v128.store_lane<f32>(address, value, 1, 4);
  if (count > 2) v128.store_lane<f32>(address, value, 2, 8);
}
