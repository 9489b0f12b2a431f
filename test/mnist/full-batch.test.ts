import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Backend } from "../../src/backends/backend.ts";
import { dense, optimizers, schedules, sequential } from "../../src/nn/index.ts";
import type { MnistSource } from "../../src/node/mnist-source.ts";
import { acquireBackend } from "../gpu.ts";
import { acquireWasmBackend } from "../wasm.ts";
import { loadDigits, recipe } from "./recipe.ts";

describe.each([
  ["webgpu", acquireBackend],
  ["wasm", acquireWasmBackend],
] as const)("full-batch steps on %s", (_, acquire) => {
  let backend: Backend;
  let digits: MnistSource;

  beforeAll(async () => {
    [backend, digits] = await Promise.all([acquire(), loadDigits()]);
  });
  afterAll(() => backend.dispose());

  test(
    "784-200-10 with full-batch steps: each loss is that of the whole training set before the step",
    { timeout: 400_000 },
    async () => {
      const trainer = await recipe(backend, digits.train, 1, {
        model: sequential([dense(200, { activation: "sigmoid" }), dense(10)], { inputShape: [784] }),
        optimizer: optimizers.sgd(),
        schedule: schedules.constant(),
        learningRate: 0.5,
        batchSize: "full",
        epochs: 2,
      });
      expect(trainer.batchSize).toBe(digits.train.count);
      // As float32, 60,000 images take 188 MB.
      const tooLarge = 4 * 784 * digits.train.count > backend.maxTensorBytes;
      expect(trainer.microBatchSize < trainer.batchSize).toBe(tooLarge);
      const before = await trainer.evaluate(digits.train);
      const events = [];
      for await (const event of trainer.fit({ every: 1, maxSteps: 1 })) events.push(event);
      const after = await trainer.evaluate(digits.train);
      for await (const event of trainer.fit({ every: 1, maxSteps: 1 })) events.push(event);
      expect(events.map(({ step, epoch }) => [step, epoch])).toEqual([
        [1, 1],
        [2, 2],
      ]);
      expect(Math.abs(events[0]!.loss / before.loss - 1)).toBeLessThan(1e-5);
      expect(Math.abs(events[1]!.loss / after.loss - 1)).toBeLessThan(1e-5);
      expect(events[1]!.accuracy).toBeCloseTo(after.accuracy, 6);
      expect(after.loss).toBeLessThan(before.loss);
      trainer.dispose();
    },
  );
});
