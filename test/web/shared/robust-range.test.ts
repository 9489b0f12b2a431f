import { expect, test } from "vitest";
import { robustRange } from "../../../src/web/shared/robust-range.ts";

const falling = Array.from({ length: 200 }, (_, step) => 2.3 * Math.exp(-step / 40) + 0.1);

test("the range contains the ends of a curve, including its first values", () => {
  const [least, most] = robustRange([falling])!;
  expect(least).toBeLessThanOrEqual(falling.at(-1)!);
  expect(most).toBeGreaterThanOrEqual(falling[0]!);
  expect(most).toBeLessThan(2.6);
});

test.each([1, 2])("%i spikes in a row, one at the end or one below do not stretch the axis", (length) => {
  for (const at of [50, 198]) {
    const spiked = falling.with(at, 4000);
    if (length === 2) spiked[at + 1] = 5000;
    expect(robustRange([spiked])![1]).toBeLessThan(2.6);
  }
  expect(robustRange([falling.with(100, -4000)])![0]).toBeGreaterThan(-0.2);
});

test("a lasting level is not a spike, and neither is a value in a short series", () => {
  const risen = falling.map((value, step) => (step >= 190 ? 50 : value));
  expect(robustRange([risen])![1]).toBeGreaterThan(50);
  expect(robustRange([[1, 2, 100]])![1]).toBeGreaterThan(100);
});

test("the range contains all series, and ignores values that are not finite", () => {
  const [least, most] = robustRange([falling, [3, NaN, Infinity]])!;
  expect(most).toBeGreaterThan(3);
  expect(most).toBeLessThan(4);
  expect(least).toBeLessThan(0.2);
  expect(robustRange([[NaN], []])).toBeUndefined();
  const [below, above] = robustRange([[5, 5, 5]])!;
  expect(below).toBeLessThan(5);
  expect(above).toBeGreaterThan(5);
});
