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
import type { StepBench } from "../../src/bench/step.ts";
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
      const { axis, value, flops } = stepCase;
      return {
        row: growthRow(axis, value, flops / rate),
        costs: { preparationSeconds: 0.1, referenceSeconds: flops / judgeRate },
      } as never;
    },
  };
  const { ceilings } = reportOf();
  const bench = { ceilings, clock: "timestamps", settings: quickly } as unknown as StepBench;
  await measureGrowth(bench, cases, listener);
  return { rows, left, attempts };
}

describe("growth", () => {
  test("varies one axis at a time, from 784-128-10 at batch size 64 and a GPT of width 128 and context 64", () => {
    const valuesOf = (axis: string) => cases.filter((each) => each.axis === axis).map(({ value }) => value);
    expect(valuesOf("batch")).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192]);
    expect(valuesOf("width")).toEqual([16, 32, 64, 128, 256, 512, 1024, 2048, 4096]);
    expect(valuesOf("depth")).toEqual([1, 2, 4, 8, 16]);
    expect(valuesOf("context")).toEqual([16, 32, 64, 128, 256, 512]);
    expect(valuesOf("text-width")).toEqual([32, 64, 128, 256, 512]);
    const shared = cases.filter(({ batch, network }) => batch === 64 && network === "784-128-10");
    expect(shared.map(({ name }) => name)).toEqual(["growth batch 64", "growth width 128", "growth depth 1"]);
    const sharedGpt = cases.filter(({ network, context }) => network === "gpt 2 × 128" && context === 64);
    expect(sharedGpt.map(({ name }) => name)).toEqual(["growth context 64", "growth text-width 128"]);
  });

  test("measures the base case, which is on every axis, once", async () => {
    const { rows, left, attempts } = await grow(1e13, 1e13);
    expect(left).toEqual([]);
    expect(rows.map(({ name }) => name)).toEqual(cases.map(({ name }) => name));
    expect(attempts).toBe(cases.length - 3);
  });

  test("computes slopes between rows of an axis, and the tokens per second of a GPT", async () => {
    const { rows } = await grow(1e11, 1e13);
    const row = (name: string) => rows.find((each) => each.name === `growth ${name}`)!;
    for (const axis of ["batch 1", "width 16", "depth 1", "context 16", "text-width 32"])
      expect(row(axis)).not.toHaveProperty("slope");
    // The simulated time is proportional to FLOPs, nearly all of them in products with width² weights.
    expect(row("batch 4096").slope).toBeCloseTo(1, 2);
    expect(row("text-width 512").slope).toBeCloseTo(1.96, 2);
    expect(row("context 512").tokensPerSecond).toBe(512 * row("context 512").imagesPerSecond);
    expect(row("batch 64")).not.toHaveProperty("tokensPerSecond");
  });

  test("counts the FLOPs of the products of a GPT", () => {
    const flopsOf = (name: string) => cases.find((each) => each.name === name)!.flops;
    // 2 blocks with 12 · 128² weights, and 65 · 128 of the embedding, each used twice forward and four times backward.
    const weights = 2 * 12 * 128 ** 2 + 65 * 128;
    expect(flopsOf("growth context 64")).toBe(2 * 64 * (6 * weights + 2 * 12 * 64 * 128) + 14 * weights);
  });

  test("skips and reports cases with a predicted time over 20 s", async () => {
    const { rows, left } = await grow(1e9, 0.3e9);
    expect(left.map(({ name }) => name)).toEqual(["growth batch 8192", "growth context 512", "growth text-width 512"]);
    expect(left[0]!.why).toMatch(/^784-128-10 at batch size 8192 would take about \d+ s, more than the limit of 20 s$/);
    expect(left[1]!.why).toMatch(/^gpt 2 × 128 with context 512 at batch size 2 would take about \d+ s/);
    expect(rows).toHaveLength(cases.length - 3);
  });

  test("skips a case that exceeds the device's limits, and measures the others", async () => {
    const { rows, left } = await grow(1e13, 1e13, ({ axis, value }) => axis === "width" && value === 2048);
    expect(left).toEqual([{ name: "growth width 2048", why: "too large" }]);
    expect(rows.some(({ name }) => name === "growth width 4096")).toBe(true);
  });

  test("predicts the time of compiling, checking and timing", () => {
    const base = cases.find(({ name }) => name === "growth depth 1")!;
    const known: Experience = { stepCase: base, preparationSeconds: 2, referenceSeconds: 3, stepSeconds: 0.5 };
    expect(predictSeconds(base, known, 1)).toBeCloseTo(2 + 3 + (3 + 4) * 0.5);
    expect(predictSeconds(base, known, 7)).toBeCloseTo(2 + 3 + 3 * 0.5 + 7);
    const deep = cases.find(({ name }) => name === "growth depth 2")!;
    const ratio = deep.flops / base.flops;
    expect(predictSeconds(deep, known, 1)).toBeCloseTo(3 + ratio * (3 + 7 * 0.5));
  });

  test("predicts the time of a large kernel from five runs in proportion to its FLOPs", () => {
    const known = { flops: 2e9, seconds: { median: 0.25, lowerQuartile: 0.2, upperQuartile: 0.3, samples: 3 } };
    expect(predictKernelSeconds(128e9, known)).toBeCloseTo(5 * 64 * 0.25);
  });
});
