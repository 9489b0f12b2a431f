import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Backend } from "../../src/backends/backend.ts";
import { makeClassificationDataset, standardization } from "../../src/data/dataset.ts";
import { DeviceError } from "../../src/errors.ts";
import { epochOrder } from "../../src/data/order.ts";
import { dense, dropout, initializers, optimizers, schedules, sequential } from "../../src/nn/index.ts";
import { createTrainer, type TrainerOptions } from "../../src/train/index.ts";
import { backends } from "../backends.ts";
import { bytePictures, changedBackend, clouds, finish, smallModel, valuesOf } from "./examples.ts";

/** A backend for the tests of a describe, the options of a small run on it, and the state after a whole run. */
function smallRuns({ create }: (typeof backends)[number]) {
  let backend: Backend;
  beforeAll(async () => {
    backend = await create();
  });
  afterAll(() => backend.dispose());

  const options = (changes: Partial<TrainerOptions> = {}): TrainerOptions => ({
    model: smallModel(),
    dataset: clouds(60),
    backend,
    learningRate: 0.02,
    batchSize: 10,
    epochs: 4,
    ...changes,
  });

  async function trained(changes: Partial<TrainerOptions> = {}, pieces: readonly number[] = []) {
    const trainer = await createTrainer(options(changes));
    for (const maxSteps of pieces) await finish(trainer, { maxSteps });
    await finish(trainer);
    const snapshot = await trainer.snapshot();
    trainer.dispose();
    return snapshot;
  }

  return { getBackend: () => backend, options, trained };
}

describe.each(backends)("training on $name", (tested) => {
  const { options, trained } = smallRuns(tested);

  test("learns to classify separable classes", async () => {
    const trainer = await createTrainer(options({ epochs: 12 }));
    const before = await trainer.evaluate(clouds(60));
    const events = await finish(trainer, { every: 6 });
    const after = await trainer.evaluate(clouds(60));
    expect(after.accuracy).toBeGreaterThanOrEqual(0.98);
    expect(after.loss).toBeLessThan(before.loss / 3);
    expect(events.at(-1)!.accuracy).toBeGreaterThan(events[0]!.accuracy);
    trainer.dispose();
  });

  test("learns from bytes with two axes and a normalization, with any loss", async () => {
    const dataset = bytePictures(60);
    for (const loss of ["meanSquaredError", "halfSumOfSquares", "sigmoidBinaryCrossEntropy"] as const) {
      const normalization = standardization(dataset.features);
      const run = { batchSize: "full", epochs: 60, learningRate: 0.05 } as const;
      const model = smallModel(2, [15]);
      const trainer = await createTrainer(options({ model, dataset, normalization, loss, ...run }));
      await finish(trainer);
      expect((await trainer.evaluate(dataset)).accuracy).toBeGreaterThanOrEqual(0.98);
      trainer.dispose();
    }
  });

  test("gives the same bits for the same seed, and others for another seed", async () => {
    const layers = [dense(6, { activation: "relu" }), dropout(0.2), dense(3)];
    const model = () => sequential(layers, { inputShape: [4], seed: 3 });
    const first = await trained({ model: model(), seed: 8 });
    expect(await trained({ model: model(), seed: 8 })).toEqual(first);
    expect(await trained({ model: model(), seed: 9 })).not.toEqual(first);
  });

  test("gives the same bits when a run is divided into several calls", async () => {
    const model = () => sequential([dense(6, { activation: "relu" }), dropout(0.2), dense(3)], { inputShape: [4] });
    const changes = { optimizer: optimizers.adamW(), schedule: schedules.cosine() };
    const whole = await trained({ ...changes, model: model() });
    expect(whole.step).toBe(24);
    expect(await trained({ ...changes, model: model() }, [1, 4, 1, 7])).toEqual(whole);
  });

  test("visits each example at most once per epoch, in the order of the epoch", async () => {
    // Each example is a separate feature, so its weights change by lr · ½ / batch when it is visited, and otherwise
    // never.
    const count = 10;
    const features = Float32Array.from({ length: count * count }, (_, index) => Number(index % (count + 1) === 0));
    const labels = Uint32Array.from({ length: count }, (_, index) => index % 2);
    const dataset = makeClassificationDataset({
      name: "unit vectors",
      features,
      shape: [count],
      labels,
      classes: ["a", "b"],
    });
    const model = sequential([dense(2, { bias: false, weights: initializers.zeros })], { inputShape: [count] });
    const trainer = await createTrainer(
      options({ model, dataset, optimizer: optimizers.sgd(), learningRate: 0.6, batchSize: 3, epochs: 2, seed: 5 }),
    );
    expect([trainer.stepsPerEpoch, trainer.totalSteps]).toEqual([3, 6]);
    const changedBy = async () => {
      const { values } = (await trainer.snapshot()).parameters["layers.0.weight"]!;
      return Array.from({ length: count }, (_, example) => Math.abs(values[2 * example]!));
    };
    for (let step = 1; step <= 3; step++) {
      await finish(trainer, { maxSteps: 1 });
      const visited = new Set(epochOrder(count, 5, 0).subarray(0, 3 * step));
      (await changedBy()).forEach((change, example) => expect(change).toBeCloseTo(visited.has(example) ? 0.1 : 0, 6));
    }
    const first = await changedBy();
    await finish(trainer, { maxSteps: 3 });
    const second = await changedBy();
    const visited = new Set(epochOrder(count, 5, 1).subarray(0, 9));
    second.forEach((change, example) => expect(change > first[example]! + 0.01).toBe(visited.has(example)));
    trainer.dispose();
  });

  test("clipping limits the change of a step", async () => {
    const changes = { model: smallModel(6), optimizer: optimizers.sgd(), learningRate: 1, maxSteps: 1 };
    const [before, clipped] = [smallModel(6), await trained({ ...changes, clipNorm: 0.01 })];
    let squares = 0;
    before.parameters.forEach(({ attributes }) => {
      const { name, initial } = attributes as { name: string; initial: Float32Array };
      clipped.parameters[name]!.values.forEach((value, index) => (squares += (value - initial[index]!) ** 2));
    });
    expect(Math.sqrt(squares)).toBeCloseTo(0.01, 5);
  });

  test("reports a loss that is not finite if it is ignored", async () => {
    const dataset = clouds(60);
    dataset.features[17] = NaN;
    const trainer = await createTrainer(options({ dataset, batchSize: "full", epochs: 1, onNonFinite: "ignore" }));
    expect((await finish(trainer))[0]!.loss).toBeNaN();
    trainer.dispose();
  });
});

describe.each(backends)("micro-batches on $name", (tested) => {
  const { getBackend, options, trained } = smallRuns(tested);

  const adamW = () => optimizers.adamW({ weightDecay: 0.1 });
  test.each([
    ["SGD, micro-batches that divide the batch", 5, { optimizer: optimizers.sgd(), learningRate: 0.2 }],
    ["SGD with a remainder", 4, { optimizer: optimizers.sgd(), learningRate: 0.2 }],
    ["AdamW, clipped, with a remainder", 7, { optimizer: adamW(), clipNorm: 0.5, schedule: schedules.cosine() }],
    ["the full batch with a remainder", 8, { optimizer: optimizers.sgd(), batchSize: "full", learningRate: 0.2 }],
  ] as const)("a batch in parts is the whole batch: %s", async (_, microBatchSize, changes) => {
    const run = async (more: Partial<TrainerOptions>) => {
      const trainer = await createTrainer(options({ model: smallModel(4), epochs: 2, ...changes, ...more }));
      const events = await finish(trainer, { every: 1 });
      const snapshot = await trainer.snapshot();
      trainer.dispose();
      return { events, values: valuesOf(snapshot), sizes: [trainer.batchSize, trainer.microBatchSize] };
    };
    const whole = await run({});
    const parts = await run({ microBatchSize });
    expect(whole.sizes[1]).toBe(whole.sizes[0]);
    expect(parts.sizes).toEqual([whole.sizes[0], microBatchSize]);
    for (const [name, values] of Object.entries(whole.values)) {
      parts.values[name]!.forEach((value, index) => expect(Math.abs(value - values[index]!)).toBeLessThanOrEqual(1e-6));
    }
    whole.events.forEach(({ loss, accuracy, step }, index) => {
      expect(parts.events[index]).toMatchObject({ accuracy, step });
      expect(Math.abs(parts.events[index]!.loss - loss)).toBeLessThanOrEqual(1e-6);
    });
  });

  describe("dropout", () => {
    const model = (rate: number) => sequential([dropout(rate), dense(3)], { inputShape: [40] });
    const dataset = clouds(60, { width: 40 });
    /** Without shuffling, so that a seed affects only dropout. */
    const full = { dataset, batchSize: "full", optimizer: optimizers.sgd(), epochs: 2 } as const;

    test("is applied in training, with masks from the trainer's seed", async () => {
      const first = await trained({ ...full, model: model(0.5), seed: 1 });
      expect(await trained({ ...full, model: model(0.5), seed: 1 })).toEqual(first);
      expect(await trained({ ...full, model: model(0.5), seed: 2 })).not.toEqual(first);
      expect(await trained({ ...full, model: model(0), seed: 1 })).not.toEqual(first);
    });

    test("draws new masks for each part of a batch, and the same ones at every repetition", async () => {
      const same = {
        ...dataset,
        features: dataset.features.map((_, index) => index % 40),
        labels: new Uint32Array(60),
      };
      const losses: number[][] = [];
      const watched = changedBackend(getBackend(), {
        async aroundRun(run) {
          const traces = await run();
          if (traces.loss) losses.push([...traces.loss]);
          return traces;
        },
      });
      const changes = { ...full, dataset: same, backend: watched, microBatchSize: 20, epochs: 1 };
      await trained({ ...changes, model: model(0) });
      await trained({ ...changes, model: model(0.5) });
      await trained({ ...changes, model: model(0.5) });
      // Parts of equal examples have equal losses, except for dropout.
      expect(losses.map((parts) => new Set(parts).size)).toEqual([1, 3, 3]);
      expect(losses[2]).toEqual(losses[1]);
    });
  });

  test("divides a batch that is larger than the backend's tensors into equal parts", async () => {
    // The widest layer has 6 outputs, 4 · 6 bytes per example, so 8 examples fit and 10 are divided into two parts of
    // 5.
    const limited = changedBackend(getBackend(), { maxTensorBytes: 8 * 24 });
    const trainer = await createTrainer(options({ backend: limited }));
    expect(trainer.microBatchSize).toBe(5);
    await finish(trainer);
    trainer.dispose();
  });
});

describe.each(backends)("snapshots and profiles on $name", (tested) => {
  const { getBackend, options, trained } = smallRuns(tested);

  test("a snapshot belongs to its step, even if later steps are in flight", async () => {
    const trainer = await createTrainer(options());
    const pending: ReturnType<typeof trainer.snapshot>[] = [];
    const seen: number[] = [];
    for await (const event of trainer.fit({ every: 1 })) {
      seen.push(event.step);
      if (event.step === 5 || event.step === 9) pending.push(trainer.snapshot());
    }
    const snapshots = await Promise.all(pending);
    snapshots.forEach(({ step }, index) => expect(step).toBeGreaterThanOrEqual([5, 9][index]!));
    expect(snapshots.some(({ step }, index) => step > [5, 9][index]!)).toBe(true);
    expect(snapshots[0]!.step).toBeLessThan(24);
    for (const snapshot of snapshots) expect(await trained({ maxSteps: snapshot.step })).toMatchObject(snapshot);
    trainer.dispose();
  });

  test("a snapshot lists parameters and optimizer states with their shapes", async () => {
    const snapshot = await trained({ maxSteps: 2 });
    expect(Object.entries(snapshot.parameters).map(([name, { shape }]) => [name, shape])).toEqual([
      ["layers.0.weight", [4, 6]],
      ["layers.0.bias", [6]],
      ["layers.1.weight", [6, 3]],
      ["layers.1.bias", [3]],
    ]);
    expect(Object.entries(snapshot.optimizer).map(([name, { shape }]) => [name, shape])).toEqual([
      ["adam.firstMoment", [256]],
      ["adam.secondMoment", [256]],
      ["guard.stopped", []],
    ]);
    const start = await createTrainer(options());
    expect((await start.snapshot()).step).toBe(0);
    start.dispose();
  });

  test("profile makes a regular step and measures each dispatch, if the device can", async () => {
    const trainer = await createTrainer(options());
    await finish(trainer, { maxSteps: 6 });
    if (getBackend().kind === "cpu") {
      await expect(trainer.profile()).rejects.toThrow(DeviceError);
      expect(trainer.step).toBe(6);
    } else {
      const nanoseconds = await trainer.profile();
      expect(nanoseconds).toHaveLength(trainer.dispatches.length);
      expect(nanoseconds.every((time) => time >= 0)).toBe(true);
      expect(trainer.step).toBe(7);
    }
    const events = await finish(trainer, { every: 1 });
    expect(events[0]!.step).toBe(getBackend().kind === "cpu" ? 7 : 8);
    expect(valuesOf(await trainer.snapshot())).toEqual(valuesOf(await trained()));
    trainer.dispose();
    const divided = await createTrainer(options({ microBatchSize: 4 }));
    await expect(divided.profile()).rejects.toThrow(/Use a GPU, and a batch that is not divided into parts/);
    divided.dispose();
  });
});
