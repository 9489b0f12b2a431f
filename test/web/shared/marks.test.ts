import { expect, test } from "vitest";
import { range } from "../../../src/web/shared/address/codec.ts";
import { marksOf, nearestMark } from "../../../src/web/shared/marks.ts";

test("a slider for real numbers has six round marks for each power of ten within the range", () => {
  expect(marksOf(range(0.002, 0.1, "any", 0.01))).toEqual([
    0.002, 0.003, 0.005, 0.007, 0.01, 0.015, 0.02, 0.03, 0.05, 0.07, 0.1,
  ]);
  const rates = marksOf(range(1e-6, 10, "any", 0.01));
  expect([rates[0], rates.at(-1), rates.length]).toEqual([1e-6, 10, 43]);
});

test("a slider for whole numbers has the powers of two within the range", () => {
  expect(marksOf(range(1, 1024, 1, 64))).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]);
  expect(marksOf(range(3, 20, 1, 4))).toEqual([4, 8, 16]);
});

test("a value between two marks belongs to the one whose ratio to it is nearest to 1", () => {
  const marks = [1, 4, 16];
  expect([0.001, 1, 1.9, 2.1, 7.9, 8.1, 500].map((value) => nearestMark(marks, value))).toEqual([0, 0, 0, 1, 1, 2, 2]);
});
