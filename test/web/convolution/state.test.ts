import { expect, test } from "vitest";
import { FilterHistory } from "../../../src/web/convolution/state/filter-history.ts";

const weights = (step: number) => new Float32Array(200).fill(step);

test("the history keeps the first and the latest filters, at about equal distances", () => {
  let history = new FilterHistory();
  for (let step = 0; step <= 5000; step++) history = history.with({ step, weights: weights(step) });
  const steps = history.records.map(({ step }) => step);
  expect(steps[0]).toBe(0);
  expect(steps.at(-1)).toBeGreaterThan(4800);
  expect(steps.length).toBeGreaterThan(40);
  expect(steps.length).toBeLessThanOrEqual(100);
  const distances = steps.slice(1).map((step, index) => step - steps[index]!);
  expect(Math.max(...distances)).toBeLessThanOrEqual(4 * Math.min(...distances));
  expect(history.records.every(({ step, weights: [first] }) => step === first)).toBe(true);
});

test("the history does not repeat a step", () => {
  const once = new FilterHistory().with({ step: 4, weights: weights(4) });
  expect(once.with({ step: 4, weights: weights(4) })).toBe(once);
});
