import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Backend } from "../../src/backends/backend.ts";
import { createCpuBackend } from "../../src/backends/cpu/index.ts";
import { columnMoments, makeRegressionDataset } from "../../src/data/dataset.ts";
import { dense, functionalModel, sequential, type Layer } from "../../src/nn/index.ts";
import { add, square, subtract } from "../../src/ops/elementwise/index.ts";
import { mean } from "../../src/ops/reduce/index.ts";
import { createTrainer, nonFiniteChoices, type TrainerOptions } from "../../src/train/index.ts";
import { backends } from "../backends.ts";
import { finish } from "./examples.ts";

const MOMENTUM = 0.25;

/** Returns its input, and records the moments of its columns. */
const watching = (): Layer => ({
  config: { type: "watching" },
  build({ inputShape, state }) {
    const runningMean = state("runningMean", inputShape, 0);
    const runningVariance = state("runningVariance", inputShape, 1);
    return {
      outputShape: inputShape,
      apply(x, { training, recordMoments }) {
        if (!training) return x;
        const batchMean = mean(x, { axes: 0 });
        const variance = mean(square(subtract(x, batchMean)), { axes: 0 });
        const count = x.shape[0]!;
        recordMoments({ runningMean, runningVariance, mean: batchMean, variance, count, momentum: MOMENTUM });
        return x;
      },
    };
  },
});

/** Two columns, one of them far from 0. */
function line(count: number, spoiled?: number) {
  const features = Float32Array.from({ length: 2 * count }, (_, index) =>
    index % 2 === 0 ? Math.sin(index) : 1000 + Math.cos(3 * index),
  );
  if (spoiled !== undefined) features[2 * spoiled] = 3e38;
  const targets = Float32Array.from({ length: count }, (_, index) => index / count);
  return makeRegressionDataset({ name: "line", features, shape: [2], targets, outputs: ["y"] });
}

const options = { learningRate: 1e-9, epochs: 3, batchSize: "full" } as const;
const model = () => sequential([watching(), dense(1)], { inputShape: [2] });

describe.each(backends)("running statistics on $name", ({ create }) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await create();
  });
  afterAll(() => backend.dispose());

  async function statistics(changes: Partial<TrainerOptions>) {
    const trainer = await createTrainer({ ...options, model: model(), dataset: line(20), backend, ...changes });
    await finish(trainer);
    const { parameters } = await trainer.snapshot();
    trainer.dispose();
    return [...parameters["layers.0.runningMean"]!.values, ...parameters["layers.0.runningVariance"]!.values];
  }

  test.each([20, 10, 7, 6, 1])("follow the moments of the whole batch in parts of %i", async (microBatchSize) => {
    const found = await statistics({ microBatchSize });
    const { features, count } = line(20);
    const wanted = columnMoments(features, 2);
    const share = 1 - (1 - MOMENTUM) ** options.epochs;
    wanted.forEach(({ mean: center, deviation }, column) => {
      const unbiased = (deviation ** 2 * count) / (count - 1);
      expect(Math.abs(found[column]! / (share * center) - 1)).toBeLessThan(1e-5);
      // A difference of sums of squares would have an error of 1000² · 2⁻²⁴ = 0.06.
      expect(Math.abs(found[2 + column]! - (share * unbiased + (1 - share)))).toBeLessThan(1e-3);
    });
  });

  test("follow the two uses of a shared layer in a divided step, one after the other", async () => {
    const trainer = async (microBatchSize: number) => {
      const layer = watching();
      const shared = functionalModel({ inputs: { x: [2] } }, ({ x }, { use }) => ({
        y: use(dense(1), add(use(layer, x, "watching"), use(layer, square(x)))),
      }));
      const made = await createTrainer({ ...options, model: shared, dataset: line(20), backend, microBatchSize });
      await finish(made, { maxSteps: 1 });
      const { parameters } = await made.snapshot();
      made.dispose();
      return [...parameters["layers.watching.runningMean"]!.values];
    };
    const [whole, divided] = [await trainer(20), await trainer(6)];
    whole.forEach((value, column) => expect(Math.abs(divided[column]! / value - 1)).toBeLessThan(1e-5));
    expect(whole[1]).toBeGreaterThan(200_000);
  });

  test.each(nonFiniteChoices.filter((choice) => choice !== "ignore"))(
    "do not change in a divided step that is not finite, with %s",
    async (onNonFinite) => {
      const run = { ...options, backend, onNonFinite, microBatchSize: 5, epochs: 2 };
      const trainer = await createTrainer({ ...run, model: model(), dataset: line(12, 3) });
      const training = finish(trainer);
      if (onNonFinite === "stop") await expect(training).rejects.toThrow(/not finite/);
      else await training;
      const { parameters } = await trainer.snapshot();
      expect([...parameters["layers.0.runningMean"]!.values]).toEqual([0, 0]);
      expect([...parameters["layers.0.runningVariance"]!.values]).toEqual([1, 1]);
      trainer.dispose();
    },
  );
});

test("a step after one with infinite moments starts its moments anew", async () => {
  const trainer = await createTrainer({
    learningRate: 1e-9,
    model: model(),
    dataset: line(8, 1),
    backend: createCpuBackend(),
    batchSize: 4,
    microBatchSize: 2,
    onNonFinite: "skip",
    epochs: 4,
  });
  const events = await finish(trainer, { every: 8 });
  expect(events[0]!.skipped).toHaveLength(4);
  const { parameters } = await trainer.snapshot();
  const share = 1 - (1 - MOMENTUM) ** 4;
  const [, mean1 = NaN] = parameters["layers.0.runningMean"]!.values;
  expect(mean1 / share / 1000).toBeCloseTo(1, 2);
  expect([...parameters["layers.0.runningVariance"]!.values].every(Number.isFinite)).toBe(true);
  trainer.dispose();
});
