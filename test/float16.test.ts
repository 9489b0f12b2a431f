import { expect, test } from "vitest";
import { halfOf, halvesOf, valueOfHalf, valuesOfHalves } from "../src/float16.ts";

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

test("many values at once have the bits of each alone", () => {
  const all = Uint16Array.from({ length: 2 ** 16 }, (_, bits) => bits);
  for (const scale of [1, 2 ** -20, 2 ** 30]) {
    const values = valuesOfHalves(all, scale);
    const wrong = values.findIndex((value, bits) => !Object.is(value, Math.fround(valueOfHalf(bits) * scale)));
    expect(wrong).toBe(-1);
  }
  // Each float16, the middle to the next one, and the float32 numbers beside the middle.
  const exact = Float32Array.from(all, valueOfHalf);
  const middles = exact.map((value, index) => (value + (exact[index + 1] ?? 0)) / 2);
  const words = new Uint32Array(middles.buffer);
  const beside = [1, -1].map((step) => new Float32Array(words.map((word) => word + step).buffer));
  const others = Float32Array.of(65_519.99, 65_520, 1e6, -1e6, 1e-30, -1e-30, 2 ** -25, 3 * 2 ** -26, NaN, Infinity);
  for (const values of [exact, middles, ...beside, others])
    for (const scale of [1, 2 ** -3, 2 ** 140, 2 ** -140]) {
      const wrong = halvesOf(values, scale).findIndex((bits, index) => bits !== halfOf(values[index]! * scale));
      expect(wrong).toBe(-1);
    }
});
