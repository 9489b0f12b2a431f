import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Backend } from "../../src/backends/backend.ts";
import { createCpuBackend } from "../../src/backends/cpu/index.ts";
import type { MnistSource } from "../../src/node/mnist-source.ts";
import { acquireBackend } from "../gpu.ts";
import { acquireWasmBackend } from "../wasm.ts";
import { loadDigits, recipe } from "./recipe.ts";

const STEPS = { before: 20, all: 200 };

/** The losses of the first steps of a training, and the parameters after some of them. */
async function trained(backend: Backend, { train }: MnistSource) {
  const trainer = await recipe(backend, train, 5);
  const losses: number[] = [];
  const run = async (steps: number) => {
    for await (const { loss } of trainer.fit({ every: 1, maxSteps: steps })) losses.push(loss);
  };
  await run(STEPS.before);
  const { parameters } = await trainer.snapshot();
  await run(STEPS.all - STEPS.before);
  trainer.dispose();
  return { losses, parameters };
}

let digits: MnistSource;
let expected: Awaited<ReturnType<typeof trained>>;
beforeAll(async () => {
  digits = await loadDigits();
  expected = await trained(createCpuBackend(), digits);
}, 300_000);

describe.each([
  ["webgpu", acquireBackend],
  ["wasm", acquireWasmBackend],
] as const)("losses on %s", (_, acquire) => {
  let backend: Backend;

  beforeAll(async () => {
    backend = await acquire();
  });
  afterAll(() => backend.dispose());

  test(
    "the loss of each of the first 200 steps, and the parameters after 20, agree with the CPU's",
    { timeout: 300_000 },
    async () => {
      const { losses, parameters } = await trained(backend, digits);
      let apart = 0;
      for (const [name, { values }] of Object.entries(expected.parameters)) {
        values.forEach((value, index) => (apart = Math.max(apart, Math.abs(parameters[name]!.values[index]! - value))));
      }
      const largest = Math.max(...losses.map((loss, step) => Math.abs(loss / expected.losses[step]! - 1)));
      console.log(
        `largest relative difference of a loss ${largest.toExponential(1)}, of a parameter ${apart.toExponential(1)}`,
      );
      expect(losses.length).toBe(STEPS.all);
      expect(expected.losses[STEPS.all - 1]).toBeLessThan(0.5 * expected.losses[0]!);
      expect(largest).toBeLessThanOrEqual(1e-3);
      expect(apart).toBeLessThanOrEqual(1e-4);
    },
  );
});
