import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Backend } from "../../src/backends/backend.ts";
import { createCpuBackend } from "../../src/backends/cpu/index.ts";
import type { MnistSource } from "../../src/node/mnist-source.ts";
import type { Trainer } from "../../src/train/index.ts";
import { acquireBackend } from "../gpu.ts";
import { acquireWasmBackend } from "../wasm.ts";
import { loadDigits, recipe } from "./recipe.ts";

async function losses(trainer: Trainer, steps: number): Promise<number[]> {
  const result: number[] = [];
  for await (const { loss } of trainer.fit({ every: 1, maxSteps: steps })) result.push(loss);
  return result;
}

describe.each([
  ["webgpu", acquireBackend],
  ["wasm", acquireWasmBackend],
] as const)("losses on %s", (_, acquire) => {
  let backend: Backend;
  let digits: MnistSource;

  beforeAll(async () => {
    [backend, digits] = await Promise.all([acquire(), loadDigits()]);
  });
  afterAll(() => backend.dispose());

  test(
    "the loss of each of the first 200 steps, and the parameters after 20, agree with the CPU's",
    { timeout: 300_000 },
    async () => {
      const [gpu, cpu] = [await recipe(backend, digits.train, 5), await recipe(createCpuBackend(), digits.train, 5)];
      const first = [await losses(gpu, 20), await losses(cpu, 20)] as const;
      const [actual, expected] = [(await gpu.snapshot()).parameters, (await cpu.snapshot()).parameters];
      let apart = 0;
      for (const [name, { values }] of Object.entries(expected)) {
        values.forEach((value, index) => (apart = Math.max(apart, Math.abs(actual[name]!.values[index]! - value))));
      }
      const rest = [await losses(gpu, 180), await losses(cpu, 180)] as const;
      const onGpu = [...first[0], ...rest[0]];
      const onCpu = [...first[1], ...rest[1]];
      const largest = Math.max(...onGpu.map((loss, step) => Math.abs(loss / onCpu[step]! - 1)));
      console.log(
        `largest relative difference of a loss ${largest.toExponential(1)}, of a parameter ${apart.toExponential(1)}`,
      );
      expect(onGpu.length).toBe(200);
      expect(onCpu[199]).toBeLessThan(0.5 * onCpu[0]!);
      expect(largest).toBeLessThanOrEqual(1e-3);
      expect(apart).toBeLessThanOrEqual(1e-4);
    },
  );
});
