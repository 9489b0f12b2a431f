import { afterAll, beforeAll, expect, test } from "vitest";
import type { Backend } from "../../src/backends/backend.ts";
import type { MnistSource } from "../../src/node/mnist-source.ts";
import { acquireBackend, withFloat16 } from "../gpu.ts";
import { loadDigits, recipe } from "./recipe.ts";

let backend: Backend;
let digits: MnistSource;

beforeAll(async () => {
  [backend, digits] = await Promise.all([acquireBackend(), loadDigits()]);
});
afterAll(() => backend.dispose());

const SEEDS = [1, 2];

async function accuracyOf(precision: "float32" | "float16", seed: number): Promise<number> {
  const trainer = await recipe(backend, digits.train, seed, { precision, epochs: 1 });
  for await (const { loss } of trainer.fit()) expect(loss).toBeGreaterThan(0);
  const { accuracy } = await trainer.evaluate(digits.test);
  trainer.dispose();
  return accuracy;
}

test(
  "with float16 products the test accuracy after an epoch is within 0.1 point of float32's",
  { timeout: 400_000 },
  () =>
    withFloat16(backend, async () => {
      const differences: number[] = [];
      for (const seed of SEEDS) {
        const [single, half] = [await accuracyOf("float32", seed), await accuracyOf("float16", seed)];
        console.log(
          `${digits.source}, ${backend.adapter.name}, seed ${seed}: float32 ${(100 * single).toFixed(2)} %, float16 ${(100 * half).toFixed(2)} %`,
        );
        expect(half).toBeGreaterThan(0.9);
        differences.push(half - single);
      }
      const mean = differences.reduce((sum, difference) => sum + difference, 0) / SEEDS.length;
      expect(Math.abs(mean)).toBeLessThanOrEqual(0.001);
    }),
);
