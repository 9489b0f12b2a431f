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

/** Measures with made-up costs: of a case's operations a second each, for the GPU and for the CPU that checks. */
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

describe("how cost grows", () => {
  test("one axis at a time, from 784-128-10 at batch 64", () => {
    const valuesOf = (axis: string) => cases.filter((each) => each.axis === axis).map(({ value }) => value);
    expect(valuesOf("batch")).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192]);
    expect(valuesOf("width")).toEqual([16, 32, 64, 128, 256, 512, 1024, 2048, 4096]);
    expect(valuesOf("depth")).toEqual([1, 2, 4, 8, 16]);
    const shared = cases.filter(({ batch, hidden }) => batch === 64 && hidden.join() === "128");
    expect(shared.map(({ name }) => name)).toEqual(["growth batch 64", "growth width 128", "growth depth 1"]);
  });

  test("where the axes cross, a case is measured once", async () => {
    const { rows, left, attempts } = await grow(1e13, 1e13);
    expect(left).toEqual([]);
    expect(rows.map(({ name }) => name)).toEqual(cases.map(({ name }) => name));
    expect(attempts).toBe(cases.length - 2);
  });

  test("cases predicted over 20 s are left out and named", async () => {
    const { rows, left } = await grow(1e9, 0.3e9);
    expect(left.map(({ name }) => name)).toEqual(["growth batch 8192"]);
    expect(left[0]!.why).toMatch(/^784-128-10 at batch 8192 would take \d+ s by prediction, and 20 s are the most$/);
    expect(rows).toHaveLength(cases.length - 1);
  });

  test("a case that the device cannot hold is left out, and the others are measured", async () => {
    const { rows, left } = await grow(1e13, 1e13, ({ axis, value }) => axis === "width" && value === 2048);
    expect(left).toEqual([{ name: "growth width 2048", why: "too large" }]);
    expect(rows.some(({ name }) => name === "growth width 4096")).toBe(true);
  });

  test("a prediction counts compiling, checking and timing", () => {
    const base = cases.find(({ name }) => name === "growth depth 1")!;
    const known: Experience = { stepCase: base, compileSeconds: 2, checkSeconds: 3, stepSeconds: 0.5 };
    expect(predictSeconds(base, known, 1)).toBeCloseTo(2 + 3 + 4 * 0.5);
    expect(predictSeconds(base, known, 7)).toBeCloseTo(2 + 3 + 7);
    const deep = cases.find(({ name }) => name === "growth depth 2")!;
    const ratio = stepFlops(deep) / stepFlops(base);
    expect(predictSeconds(deep, known, 1)).toBeCloseTo(3 + ratio * (3 + 2));
  });

  test("for a large kernel, five runs of as many more operations", () => {
    const known = { flops: 2e9, seconds: { median: 0.25, lowerQuartile: 0.2, upperQuartile: 0.3, samples: 3 } };
    expect(predictKernelSeconds(128e9, known)).toBeCloseTo(5 * 64 * 0.25);
  });
});
