import { describe, expect, test } from "vitest";

// The scripts are plain JavaScript, since parts of them run from the archive: these are the types in their JSDoc.
interface Recipes {
  plannedRecipes(options: Record<string, string>): {
    target: number;
    seeds: number;
    recipes: Record<string, unknown>[];
  };
}

interface Summaries {
  summarize(found: {
    reports: { runs: object[] }[];
    benchmark?: object;
    cnn?: object;
    gpt?: object;
    products?: object;
    variants?: object;
    background?: object;
    tilings?: Record<string, string>;
    target: number;
  }): {
    recipes: { name: string; seeds: number; modes: Record<string, object> }[];
    goals: { goal: string; measured: string; reached: boolean | null }[];
  };
  summaryLines(summary: object): string[];
}

const load = async <Module>(name: string) => (await import(`../../bench/pack/${name}.mjs`)) as Module;
const { plannedRecipes } = await load<Recipes>("recipes");
const { summarize, summaryLines } = await load<Summaries>("summary");

describe("the recipes", () => {
  test("are the agreed ones, with five seeds", () => {
    expect(plannedRecipes({})).toEqual({
      target: 0.98,
      seeds: 5,
      recipes: [
        { name: "batch 64", batch: 64, width: 128, epochs: 10, learningRate: 2e-3 },
        { name: "batch 512", batch: 512, width: 256, epochs: 10, learningRate: 4e-3 },
      ],
    });
  });

  test("are shortened by options, and invalid options are refused", () => {
    const { seeds, recipes } = plannedRecipes({ epochs: "2", "max-steps": "30", seeds: "1" });
    expect(seeds).toBe(1);
    expect(recipes[1]).toMatchObject({ batch: 512, epochs: 2, maxSteps: 30 });
    for (const text of ["0", "-1", "1.5", "many", ""]) expect(() => plannedRecipes({ seeds: text })).toThrow("--seeds");
  });
});

describe("the summary", () => {
  const seed = (seconds: number, ...accuracyAtEpoch: number[]) => ({
    seconds,
    imagesPerSecond: 1000 / seconds,
    accuracy: accuracyAtEpoch.at(-1)!,
    secondsAtEpoch: accuracyAtEpoch.map((_, epoch) => (seconds * (epoch + 1)) / accuracyAtEpoch.length),
    accuracyAtEpoch,
  });
  const recipe = { name: "batch 64", batch: 64, width: 128, steps: 20 };
  const wgrad = {
    mode: "wgrad",
    ...recipe,
    seeds: [seed(0.4, 0.97, 0.981), seed(0.8, 0.98, 0.982), seed(0.6, 0.96, 0.979)],
  };
  const eager = { mode: "PyTorch eager", ...recipe, seeds: [seed(3, 0.97, 0.98)] };
  const graphs = { mode: "PyTorch CUDA graphs", ...recipe, seeds: [seed(0.5, 0.9, 0.95)] };

  test("has medians of all modes, and the goals", () => {
    const benchmark = {
      ceilings: { flopsPerSecond: 50e12 },
      kernels: [
        { flops: 2 * 1024 ** 3, flopsPerSecond: 40e12 },
        { flops: 2 * 4096 ** 3, flopsPerSecond: 35e12 },
      ],
    };
    const slowest = [{ kernel: "matmul", shapes: "[2] → [3]", grid: [4, 2, 1], microseconds: 61.26 }];
    const summary = summarize({
      reports: [{ runs: [wgrad] }, { runs: [eager, graphs] }],
      benchmark,
      cnn: { testAccuracy: 0.9931, seconds: 9.9, imagesPerSecond: 36_659.4, steps: 1872 },
      gpt: { parameters: 809_856, batch: 12, context: 64, millisecondsPerStep: 2.5, dispatches: 191, slowest },
      products: {
        size: 4096,
        products: [
          { name: "float32", times: [{ tiling: "tile 64×64, 4×4 outputs", milliseconds: 4 }] },
          { name: "float16, subgroup matrices", skipped: "no subgroup matrices" },
        ],
      },
      variants: {
        variants: [
          { name: "cnn", milliseconds: 0.75, cpuMilliseconds: 0.1, difference: 2e-6, stepBytes: 47_300_000 },
          { name: "cnn, precision float16", failed: "Error: no" },
        ],
      },
      background: {
        slowdown: 0.015,
        delays: 2,
        delaysAlone: 1,
        tuned: { submits: 900 },
        choices: { "64×128 · 128×8": "a" },
        sameBits: true,
      },
      tilings: { "64×128 · 128×8": "4×2 outputs" },
      target: 0.98,
    });
    expect(summary.recipes).toHaveLength(1);
    expect(summary.recipes[0]!.modes).toMatchObject({
      wgrad: { seconds: 0.6, accuracy: 0.981, firstEpoch: 2, secondsToTarget: 0.4 },
      "PyTorch eager": { seconds: 3, firstEpoch: 2, secondsToTarget: 3 },
      "PyTorch CUDA graphs": { seconds: 0.5, firstEpoch: null, secondsToTarget: null },
    });
    expect(summary.goals).toEqual([
      {
        goal: "98.00 % on the test set in under 1 s, whole schedule",
        measured: "0.600 s (batch 64), 98.10 %",
        reached: true,
      },
      { goal: "batch 64: images/s at least 3 × PyTorch eager", measured: "5.00 ×", reached: true },
      { goal: "batch 64: images/s at least 1 × PyTorch CUDA graphs", measured: "0.83 ×", reached: false },
      { goal: "99.30 % with the preset cnn in under 10 s", measured: "9.900 s, 99.31 %", reached: true },
      {
        goal: "float32 product 4096³: at least 60 % of the measured multiply-add ceiling",
        measured: "70.00 %",
        reached: true,
      },
      {
        goal: "the tuner in the background: no more submits 10 ms longer, 2.00 % on average, the same bits",
        measured: "2 of 900 submits (1 without it), 1.50 %, the same bits",
        reached: false,
      },
    ]);
    expect(summaryLines(summary)).toEqual([
      "784-128-10, batch 64, 20 steps, medians of 3 seeds",
      "                                       wgrad       PyTorch eager PyTorch CUDA graphs",
      "images/s                               1,667                 333               2,000",
      "whole schedule, s                      0.600               3.000               0.500",
      "final test accuracy                  98.10 %             98.00 %             95.00 %",
      "first epoch at 98.00 %                     2                   2                none",
      "s to the end of it                     0.400               3.000                none",
      "",
      "preset cnn, 1872 steps: 9.900 s, 36,659 images/s, test accuracy 99.31 %",
      "",
      "GPT of 809,856 parameters, 12 × 64 tokens: 2.500 ms a step, 191 dispatches; the slowest:",
      "     61.3 µs  4×2×1       matmul  [2] → [3]",
      "",
      "4096³, float32",
      "      4.000 ms  34.36 TFLOP/s  tile 64×64, 4×4 outputs",
      "4096³, float16, subgroup matrices: no subgroup matrices",
      "",
      "cnn: 0.750 ms a step, 0.100 ms of CPU time, 47.30 MB, losses differ by 2.0e-6",
      "cnn, precision float16: Error: no",
      "",
      "classes of products chosen by the tuner in the background: 1",
      "64×128 · 128×8: a",
      "",
      "Tilings: by the tuner for 1 classes of products, else defaults",
      "",
      "yes  98.00 % on the test set in under 1 s, whole schedule: 0.600 s (batch 64), 98.10 %",
      "yes  batch 64: images/s at least 3 × PyTorch eager: 5.00 ×",
      "no   batch 64: images/s at least 1 × PyTorch CUDA graphs: 0.83 ×",
      "yes  99.30 % with the preset cnn in under 10 s: 9.900 s, 99.31 %",
      "yes  float32 product 4096³: at least 60 % of the measured multiply-add ceiling: 70.00 %",
      "no   the tuner in the background: no more submits 10 ms longer, 2.00 % on average, the same bits: 2 of 900 submits (1 without it), 1.50 %, the same bits",
    ]);
  });

  test("has no result for a mode that is absent or failed", () => {
    const failed = { ...graphs, seeds: [], failed: "RuntimeError: no capture" };
    const summary = summarize({ reports: [{ runs: [wgrad] }, { runs: [failed] }], target: 0.99 });
    expect(summary.goals.map(({ measured, reached }) => [measured, reached])).toEqual([
      ["accuracy not reached", false],
      ["not measured", null],
      ["not measured", null],
      ["not measured", null],
      ["not measured", null],
      ["not measured", null],
    ]);
    const others = { reports: [], benchmark: { ceilings: { flopsPerSecond: 50e12 }, kernels: [] }, target: 0.98 };
    const small = { size: 512, products: [{ name: "float32", times: [{ tiling: "a", milliseconds: 1 }] }] };
    expect(summarize({ ...others, products: small }).goals[4]).toMatchObject({ reached: null });
    expect(summarize({ ...others, products: { ...small, size: 4096 } }).goals[4]).toMatchObject({ reached: true });
    const slow = summarize({
      reports: [],
      cnn: { testAccuracy: 0.9929, seconds: 6, imagesPerSecond: 1 },
      target: 0.99,
    });
    expect(slow.goals[3]).toMatchObject({ measured: "6.000 s, 99.29 %", reached: false });
    expect(summaryLines(slow)).toContain("Tilings: defaults");
    expect(summaryLines(summary)[2]).toBe(
      "images/s                               1,667                   –                   –",
    );
    expect(summarize({ reports: [], target: 0.98 }).goals.every(({ reached }) => reached === null)).toBe(true);
  });
});
