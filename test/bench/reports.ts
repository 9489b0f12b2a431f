/* Reports with made-up results. */
import type { BenchmarkReport, DetailedStepRow, GrowthRow, KernelRow } from "../../src/bench/report.ts";
import type { Spread } from "../../src/bench/statistics.ts";

export const spreadAround = (median: number): Spread => ({
  median,
  lowerQuartile: 0.9 * median,
  upperQuartile: 1.1 * median,
  samples: 5,
});

const rates = { flopsPerSecond: 1.25e10, bytesPerSecond: 3e9, boundBy: "arithmetic", shareOfCeiling: 0.25 } as const;

export function kernelRow(name: string, seconds: number): KernelRow {
  return {
    name,
    kernel: name,
    shapes: "[64, 784] [784, 128] → [64, 128]",
    dispatches: 1,
    flops: 1e6,
    bytes: 1e5,
    clock: "timestamps",
    seconds: spreadAround(seconds),
    ...rates,
  };
}

export function stepRow(name: string, seconds: number, kernels: readonly KernelRow[]): DetailedStepRow {
  return {
    name,
    network: "784-128-10",
    batch: 64,
    dispatches: 7,
    flops: 4e7,
    bytes: 4e6,
    seconds: spreadAround(seconds),
    imagesPerSecond: 64 / seconds,
    compileSeconds: 0.2,
    gpuBytes: 5e7,
    ...rates,
    kernels,
    encoding: { secondsPerStep: 3e-5, secondsPerDispatch: 4e-6, secondsPerSubmit: 1e-4 },
    trainingImagesPerSecond: 50 / seconds,
  };
}

export function growthRow(axis: GrowthRow["axis"], value: number, seconds: number): GrowthRow {
  const {
    kernels: _,
    encoding: __,
    trainingImagesPerSecond: ___,
    ...row
  } = stepRow(`growth ${axis} ${value}`, seconds, []);
  return { ...row, axis, value };
}

export function reportOf(parts: Partial<BenchmarkReport> = {}): BenchmarkReport {
  return {
    format: 1,
    environment: {
      date: "2025-11-22T10:00:00.000Z",
      version: "0.1.0",
      adapter: { name: "llvmpipe (mesa software)", software: true },
      driver:
        "a driver whose description has many words, so many that they do not fit into a line of the report at all",
      runtime: "Node v20.0.0, Dawn (webgpu 0.6.2)",
      system: "linux x64, a CPU, 2 cores",
      tuned: false,
    },
    scope: { quick: false, growth: true, filter: "" },
    clock: "timestamps",
    ceilings: { flopsPerSecond: 7e10, bytesPerSecond: 5e9, copiedBytes: 2 ** 26 },
    kernels: [],
    steps: [],
    growth: [],
    leftOut: [],
    wrong: [],
    ...parts,
  };
}
