/*
 * Replaces the subnormal numbers among float32 elements [start, end) by 0. What is normal, zero, infinite or NaN
 * keeps its bits. Units are elements.
 */
import { loadLanes, storeLanes, word } from "./operand";

// The word of the argument block, which src/backends/wasm/flush.ts writes.
const ADDRESS = 0;

const EXPONENT = 0x7f800000;

export function flushSubnormals(args: i32, start: i32, end: i32, _scratch: i32): void {
  let address = word(args, ADDRESS) + (start << 2);
  for (let left = end - start; left > 0; left -= 4) {
    const values = loadLanes(address, left);
    const hasNoExponent = i32x4.eq(v128.and(values, i32x4.splat(EXPONENT)), i32x4.splat(0));
    const isSubnormal = v128.and(hasNoExponent, f32x4.ne(values, f32x4.splat(0)));
    // Storing what has not changed would cost the time of the memory.
    if (v128.any_true(isSubnormal)) storeLanes(address, v128.andnot(values, isSubnormal), left);
    address += 16;
  }
}
