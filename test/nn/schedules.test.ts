import { describe, expect, test } from "vitest";
import { OptionError } from "../../src/errors.ts";
import { schedules } from "../../src/nn/index.ts";

const at = (schedule: ReturnType<typeof schedules.constant>, steps: number[], total = 90) =>
  steps.map((step) => schedule(step, total));

function expectClose(found: number[], wanted: number[]) {
  found.forEach((value, index) => expect(value).toBeCloseTo(wanted[index]!, 14));
}

describe("schedules", () => {
  test("constant", () => expect(at(schedules.constant(), [0, 50, 89])).toEqual([1, 1, 1]));

  test("step decays at multiples", () => {
    expectClose(at(schedules.step({ every: 10, factor: 0.5 }), [0, 9, 10, 19, 20, 35]), [1, 1, 0.5, 0.5, 0.25, 0.125]);
    expectClose(at(schedules.step(), [0, 29, 30, 60, 89]), [1, 1, 0.1, 0.01, 0.01]);
  });

  test("exponential passes through the same points without jumps", () => {
    expectClose(at(schedules.exponential({ every: 10, factor: 0.25 }), [0, 5, 10, 20]), [1, 0.5, 0.25, 0.0625]);
    expectClose(at(schedules.exponential(), [0, 45, 90]), [1, 10 ** -1.5, 1e-3]);
  });

  test("cosine goes from 1 through the middle to its final value", () => {
    expectClose(at(schedules.cosine(), [0, 30, 45, 60, 90]), [1, 0.75, 0.5, 0.25, 0]);
    expectClose(at(schedules.cosine({ final: 0.2 }), [0, 45, 90]), [1, 0.6, 0.2]);
  });

  test("warmup rises linearly, and then follows the other schedule", () => {
    expectClose(at(schedules.warmup(4), [0, 1, 3, 4, 80]), [0.25, 0.5, 1, 1, 1]);
    expectClose(at(schedules.warmup(10, schedules.cosine()), [0, 9, 10, 50, 90]), [0.1, 1, 1, 0.5, 0]);
  });

  test("a run with only warm-up steps does not divide by zero", () => {
    expect(at(schedules.warmup(100, schedules.cosine()), [0, 99, 100], 100)).toEqual([0.01, 1, 1]);
  });

  test.each([
    () => schedules.step({ every: 0 }),
    () => schedules.step({ factor: 0 }),
    () => schedules.exponential({ factor: NaN }),
    () => schedules.exponential({ every: 1.5 }),
    () => schedules.cosine({ final: 2 }),
    () => schedules.warmup(0),
  ])("%s is refused", (make) => {
    expect(make).toThrow(OptionError);
  });
});
