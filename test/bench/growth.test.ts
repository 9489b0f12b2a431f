import { describe, expect, test } from "vitest";
import {
  growthCases,
  measureGrowth,
  predictKernelSeconds,
  predictSeconds,
  type Experience,
  type GrowthCase,
} from "../../src/bench/growth.ts";
import { quickly } from "../../src/bench/replay.ts";
import type { GrowthRow, LeftOut } from "../../src/bench/report.ts";
import { stepFlops, type StepBench } from "../../src/bench/step.ts";
import { DeviceError } from "../../src/errors.ts";
import { growthRow, reportOf } from "./reports.ts";

const cases = growthCases();

/** Measures with simulated costs, from rates in FLOPs per second for the GPU and for the CPU that checks results. */
async function grow(rate: number, judgeRate: number, refuse: (stepCase: GrowthCase) => boolean = () => false) {
  const rows: GrowthRow[] = [];
  const left: LeftOut[] = [];
  let attempts = 0;
  const listener = {
    measured: (row: GrowthRow) => void rows.push(row),
    leftOut: (each: LeftOut) => void left.push(each),
    async attempt(name: string): Promise<never> {
      attempts++;
      const stepCase = cases.find((each) => each.name === name)!;
      if (refuse(stepCase)) throw new DeviceError({ where: "batch", what: "too large" });
      const flops = stepFlops(stepCase);
      const row = growthRow(stepCase.axis, stepCase.value, flops / rate);
      return { row, costs: { compileSeconds: 0.1, checkSeconds: flops / judgeRate } } as never;
    },
  };
  const { ceilings } = reportOf();
  const bench = { ceilings, clock: "timestamps", settings: quickly } as unknown as StepBench;
  await measureGrowth(bench, cases, listener);
  return { rows, left, attempts };
}

describe("growth", () => {
  test("varies one axis at a time, from 784-128-10 at batch size 64", () => {
    const valuesOf = (axis: string) => cases.filter((each) => each.axis === axis).map(({ value }) => value);
    expect(valuesOf("batch")).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192]);
    expect(valuesOf("width")).toEqual([16, 32, 64, 128, 256, 512, 1024, 2048, 4096]);
    expect(valuesOf("depth")).toEqual([1, 2, 4, 8, 16]);
    const shared = cases.filter(({ batch, hidden }) => batch === 64 && hidden.join() === "128");
    expect(shared.map(({ name }) => name)).toEqual(["growth batch 64", "growth width 128", "growth depth 1"]);
  });

  test("measures the base case, which is on every axis, once", async () => {
    const { rows, left, attempts } = await grow(1e13, 1e13);
    expect(left).toEqual([]);
    expect(rows.map(({ name }) => name)).toEqual(cases.map(({ name }) => name));
    expect(attempts).toBe(cases.length - 2);
  });

  test("skips and reports cases with a predicted time over 20 s", async () => {
    const { rows, left } = await grow(1e9, 0.3e9);
    expect(left.map(({ name }) => name)).toEqual(["growth batch 8192"]);
    expect(left[0]!.why).toMatch(/^784-128-10 at batch size 8192 would take about \d+ s, more than the limit of 20 s$/);
    expect(rows).toHaveLength(cases.length - 1);
  });

  test("skips a case that exceeds the device's limits, and measures the others", async () => {
    const { rows, left } = await grow(1e13, 1e13, ({ axis, value }) => axis === "width" && value === 2048);
    expect(left).toEqual([{ name: "growth width 2048", why: "too large" }]);
    expect(rows.some(({ name }) => name === "growth width 4096")).toBe(true);
  });

  test("predicts the time of compiling, checking and timing", () => {
    const base = cases.find(({ name }) => name === "growth depth 1")!;
    const known: Experience = { stepCase: base, compileSeconds: 2, checkSeconds: 3, stepSeconds: 0.5 };
    expect(predictSeconds(base, known, 1)).toBeCloseTo(2 + 3 + 4 * 0.5);
    expect(predictSeconds(base, known, 7)).toBeCloseTo(2 + 3 + 7);
    const deep = cases.find(({ name }) => name === "growth depth 2")!;
    const ratio = stepFlops(deep) / stepFlops(base);
    expect(predictSeconds(deep, known, 1)).toBeCloseTo(3 + ratio * (3 + 2));
  });

  test("predicts the time of a large kernel from five runs in proportion to its FLOPs", () => {
    const known = { flops: 2e9, seconds: { median: 0.25, lowerQuartile: 0.2, upperQuartile: 0.3, samples: 3 } };
    expect(predictKernelSeconds(128e9, known)).toBeCloseTo(5 * 64 * 0.25);
  });
});
