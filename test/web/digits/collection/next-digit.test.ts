import { expect, test } from "vitest";
import { nextDigit } from "../../../../src/web/digits/collection/next-digit.ts";

test("asks for each digit in turn, and skips those of which there are more", () => {
  const none = new Array<number>(10).fill(0);
  expect(nextDigit(none, 0)).toBe(1);
  expect(nextDigit(none, 9)).toBe(0);
  const counts = [...none];
  const asked = Array.from({ length: 30 }, () => {
    const digit = nextDigit(counts, 4);
    counts[digit]!++;
    return digit;
  });
  // 4 is the current digit all the time.
  expect(counts[4]).toBe(0);
  expect(asked.slice(0, 9)).toEqual([5, 6, 7, 8, 9, 0, 1, 2, 3]);
  expect(Math.max(...counts) - Math.min(...counts.toSpliced(4, 1))).toBeLessThanOrEqual(1);
  expect(nextDigit([3, 3, 3, 2, 3, 3, 2, 3, 3, 3], 3)).toBe(6);
});
