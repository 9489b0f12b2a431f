import { expect, test } from "vitest";
import { StepHistory } from "../../../src/web/shared/step-history.ts";

const weights = (step: number) => new Float32Array(200).fill(step);

test("the history keeps the first and the latest records, at about equal distances", () => {
  let history = new StepHistory<{ step: number; weights: Float32Array }>(100);
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
  const once = new StepHistory(100).with({ step: 4 });
  expect(once.with({ step: 4 })).toBe(once);
});
