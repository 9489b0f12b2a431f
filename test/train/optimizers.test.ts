import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Backend } from "../../src/backends/backend.ts";
import { createCpuBackend } from "../../src/backends/cpu/index.ts";
import { dense, dropout, optimizers, schedules, sequential, type Optimizer } from "../../src/nn/index.ts";
import { createTrainer, type TrainerOptions } from "../../src/train/index.ts";
import { backends } from "../backends.ts";
import { acquireBackend } from "../gpu.ts";
import { bytePictures, finish } from "./examples.ts";

/** Sizes that are no multiple of a tile, a matrix of each kind (tall, wide, square), and dropout. */
const makeModel = () =>
  sequential([dense(17, { activation: "tanh" }), dropout(0.1), dense(17, { activation: "relu" }), dense(3)], {
    inputShape: [15],
  });

const cases: [string, () => Optimizer, number][] = [
  ["adagrad", () => optimizers.adagrad(), 0.02],
  ["lion", () => optimizers.lion({ weightDecay: 0.1 }), 0.001],
  ["muon", () => optimizers.muon({ weightDecay: 0.01, rateOfOthers: 0.1 }), 0.02],
];

const optionsFor = (backend: Backend, optimizer: Optimizer, learningRate: number): TrainerOptions => ({
  model: makeModel(),
  dataset: bytePictures(61),
  normalization: { scale: 1 / 40, offset: -3.2 },
  backend,
  optimizer,
  learningRate,
  schedule: schedules.oneCycle(),
  clipNorm: 1,
  batchSize: 10,
  epochs: 6,
});

describe("adagrad, lion and muon on webgpu and on the CPU in float64", () => {
  let gpu: Backend;
  beforeAll(async () => {
    gpu = await acquireBackend();
  });
  afterAll(() => gpu.dispose());

  test.each(cases)("%s has the same losses at every step", async (_, make, rate) => {
    const curve = async (backend: Backend) => {
      const trainer = await createTrainer(optionsFor(backend, make(), rate));
      const events = await finish(trainer, { every: 1 });
      trainer.dispose();
      return events.map(({ loss }) => loss);
    };
    const found = await curve(gpu);
    const wanted = await curve(createCpuBackend({ precision: "float64" }));
    expect(found.length).toBe(36);
    expect(wanted.at(-1)!).toBeLessThan(wanted[0]! / 1.5);
    found.forEach((loss, step) => expect(Math.abs(loss - wanted[step]!)).toBeLessThan(1e-5));
  });
});

describe.each(backends)("adagrad, lion and muon on $name", ({ create }) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await create();
  });
  afterAll(() => backend.dispose());

  test.each(cases)("%s continues from a snapshot with the same bits, whole and in parts", async (_, make, rate) => {
    for (const microBatchSize of [10, 4]) {
      const options = { ...optionsFor(backend, make(), rate), microBatchSize };
      const whole = await createTrainer(options);
      await finish(whole, { maxSteps: 13 });
      const middle = await whole.snapshot();
      await finish(whole);
      const resumed = await createTrainer({ ...options, model: makeModel(), resumeFrom: middle });
      await finish(resumed);
      expect(await resumed.snapshot()).toEqual(await whole.snapshot());
      whole.dispose();
      resumed.dispose();
    }
  });
});
