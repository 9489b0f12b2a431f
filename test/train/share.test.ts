import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Backend } from "../../src/backends/backend.ts";
import { makeStream } from "../../src/data/stream.ts";
import { optimizers, schedules, type Augmentation } from "../../src/nn/index.ts";
import { add, multiply } from "../../src/ops/elementwise/index.ts";
import { randomNormal } from "../../src/ops/random/index.ts";
import { createTrainer, type Trainer, type TrainerOptions } from "../../src/train/index.ts";
import { backends } from "../backends.ts";
import { acquireLosableBackend } from "../gpu.ts";
import { changedBackend, dropoutRun, finish, smallModel, valuesOf } from "./examples.ts";

const noise: Augmentation = {
  name: "noise",
  apply: ({ features, ...rest }, { keyAt }) => ({
    ...rest,
    features: add(features!, multiply(randomNormal(features!.shape, keyAt(0)), 0.1)),
  }),
};

/** The points of `dropoutRun` as batches: step s has the examples from 10 s on. */
const stream = makeStream({
  name: "points",
  tensors: { features: { shape: [4], dtype: "float32" }, labels: { shape: [], dtype: "uint32" } },
  classes: dropoutRun.dataset.classes,
  stepsPerEpoch: 6,
  *batches(fromStep, batchSize) {
    const { features, labels } = dropoutRun.dataset;
    for (let step = fromStep; ; step++) {
      const first = (step * batchSize) % 60;
      yield {
        features: features.slice(4 * first, 4 * (first + batchSize)),
        labels: labels.slice(first, first + batchSize),
      };
    }
  },
});

describe.each(backends)("a share of a run on $name", ({ create }) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await create();
  });
  afterAll(() => backend.dispose());

  /** Plain gradient descent has no state that depends on the number of the trainer's own step. */
  const options = (changes: Partial<TrainerOptions> = {}): TrainerOptions => ({
    ...dropoutRun,
    backend,
    augment: [noise],
    optimizer: optimizers.sgd(),
    schedule: schedules.cosine(),
    ...changes,
  });
  const rows = (maxTensorBytes: number) => ({ backend: changedBackend(backend, { maxTensorBytes }) });

  test.each<[string, () => Partial<TrainerOptions>]>([
    ["all examples on the device", () => ({})],
    ["examples in a window", () => rows(240)],
    ["a divided batch", () => ({ microBatchSize: 4 })],
    ["a stream", () => ({ dataset: stream })],
  ])("has the examples, masks, noise and learning rates of its steps: %s", async (_name, changes) => {
    const [whole, shared] = [await createTrainer(options(changes())), await createTrainer(options(changes()))];
    const start = await whole.snapshot();
    whole.restore({ ...start, step: 27 });
    const wanted = await finish(whole, { every: 1, maxSteps: 8 });
    const events = await finish(shared, { every: 1, maxSteps: 8, share: { firstStep: 27 } });
    expect(shared.step).toBe(8);
    expect(events.map(({ loss }) => loss)).toEqual(wanted.map(({ loss }) => loss));
    expect(events.map(({ epoch }) => epoch)).toEqual([5, 5, 5, 6, 6, 6, 6, 6]);
    expect(events.map(({ learningRate }) => learningRate)).toEqual(wanted.map(({ learningRate }) => learningRate));
    expect(valuesOf(await shared.snapshot())).toEqual(valuesOf(await whole.snapshot()));
    whole.dispose();
    shared.dispose();
  });

  test("lets the schedule advance by several steps of the run", async () => {
    const trainer = await createTrainer(options());
    const share = { firstStep: 40, scheduleStep: 20, scheduleStride: 4 };
    const events = await finish(trainer, { every: 1, maxSteps: 3, share });
    const rates = [20, 24, 28].map((step) => 0.02 * schedules.cosine()(step, 120));
    expect(events.map(({ learningRate }) => learningRate)).toEqual(rates);
    trainer.dispose();
  });

  test("counts the trainer's own steps for the bias corrections of Adam", async () => {
    const firstUpdate = async (share?: { firstStep: number }) => {
      const trainer = await createTrainer(
        options({ model: smallModel(), optimizer: optimizers.adam(), schedule: () => 1 }),
      );
      const before = valuesOf(await trainer.snapshot());
      await finish(trainer, { maxSteps: 1, ...(share && { share }) });
      const after = valuesOf(await trainer.snapshot());
      trainer.dispose();
      return before["layers.1.bias"]!.map((value, index) => Math.abs(after["layers.1.bias"]![index]! - value));
    };
    // With the correction of step 100, the first update would be 3.2 times as large as the learning rate.
    for (const change of await firstUpdate({ firstStep: 100 })) expect(change).toBeCloseTo(0.02, 5);
  });

  test("a call without a share continues with the steps of the trainer's own number", async () => {
    const [plain, mixed] = [await createTrainer(options()), await createTrainer(options())];
    await finish(mixed, { maxSteps: 6, share: { firstStep: 60 } });
    plain.restore(await mixed.snapshot());
    const wanted = await finish(plain, { every: 1, maxSteps: 6 });
    expect(await finish(mixed, { every: 1, maxSteps: 6 })).toMatchObject(
      wanted.map(({ loss, step }) => ({ loss, step })),
    );
    plain.dispose();
    mixed.dispose();
  });

  test.each([
    [{ firstStep: -1 }, /share firstStep.*-1.*at least 0/],
    [{ firstStep: 0.5 }, /share firstStep/],
    [{ firstStep: 0, scheduleStride: 0 }, /share scheduleStride.*at least 1/],
    [{ firstStep: 118 }, /share: its last step is 121, and the run has 120/],
  ])("refuses %j", async (share, message) => {
    const trainer = await createTrainer(options());
    await expect(finish(trainer, { maxSteps: 3, share })).rejects.toThrow(message);
    expect(trainer.step).toBe(0);
    trainer.dispose();
  });
});

test("a device that is lost in a later share repeats the steps of that share", async () => {
  const { backend, lose } = await acquireLosableBackend();
  const run = async (lossAt: number): Promise<Trainer> => {
    const trainer = await createTrainer({ ...dropoutRun, backend, snapshotSeconds: Infinity });
    await finish(trainer, { maxSteps: 20, share: { firstStep: 80 } });
    for await (const { step } of trainer.fit({ every: 1, maxSteps: 20, stepsPerSubmit: 2, share: { firstStep: 40 } }))
      if (step === lossAt) lose();
    return trainer;
  };
  const plain = await run(Infinity);
  const wanted = valuesOf(await plain.snapshot());
  plain.dispose();
  const recovered = await run(32);
  expect(valuesOf(await recovered.snapshot())).toEqual(wanted);
  backend.dispose();
});
