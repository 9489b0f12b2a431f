import { expect, test } from "vitest";
import { halfOf, valueOfHalf } from "../src/float16.ts";

test("every float16 keeps its bits, and numbers between two go to the nearest, ties to even", () => {
  const wrong: number[] = [];
  for (let bits = 0; bits < 0x7c00; bits++) {
    const value = valueOfHalf(bits);
    // The number after the largest would be 2^16.
    const next = bits + 1 === 0x7c00 ? 65_536 : valueOfHalf(bits + 1);
    const middle = (value + next) / 2;
    const shift = (next - value) / 1024;
    const made = [value, -value, middle, middle - shift, middle + shift].map(halfOf);
    const wanted = [bits, bits | 0x8000, bits + (bits & 1), bits, bits + 1];
    if (made.join() !== wanted.join()) wrong.push(bits);
  }
  expect(wrong).toEqual([]);
  expect([Infinity, -Infinity, NaN, 1e30].map(halfOf)).toEqual([0x7c00, 0xfc00, 0x7e00, 0x7c00]);
  expect(valueOfHalf(0x7e00)).toBeNaN();
});
