import { describe, expect, test } from "vitest";
import { createCpuBackend } from "../../src/backends/cpu/index.ts";
import { makeRegressionDataset } from "../../src/data/dataset.ts";
import { makeStream } from "../../src/data/stream.ts";
import { dense, initializers, optimizers, sequential } from "../../src/nn/index.ts";
import {
  createTrainer,
  fitUntil,
  runToEnd,
  type Stop,
  type StoppingOptions,
  type StoppingProgress,
  type Trainer,
  type TrainerOptions,
} from "../../src/train/index.ts";
import { equal } from "../../src/ops/elementwise/index.ts";
import { mean } from "../../src/ops/reduce/index.ts";
import { backends } from "../backends.ts";
import { clouds, finish, smallModel, valuesOf } from "./examples.ts";

const trainerOf = (changes: Partial<TrainerOptions> = {}): Promise<Trainer> =>
  createTrainer({
    model: smallModel(),
    dataset: clouds(60),
    backend: createCpuBackend(),
    learningRate: 0.02,
    batchSize: 10,
    epochs: 50,
    ...changes,
  });

async function runUntil(
  trainer: Trainer,
  options: StoppingOptions,
): Promise<{ events: StoppingProgress[]; stop: Stop }> {
  const events: StoppingProgress[] = [];
  const stop = await runToEnd(fitUntil(trainer, options), (event) => events.push(event));
  return { events, stop };
}

/**
 * One weight w, starting at 1, with the loss w² for one example. Each step with learning rate 0.1 multiplies w by 0.8,
 * and the gradient is 2w.
 */
const parabola = (changes: Partial<TrainerOptions> = {}) =>
  createTrainer({
    model: sequential([dense(1, { bias: false, weights: initializers.constant(1) })], { inputShape: [1] }),
    dataset: makeRegressionDataset({
      name: "parabola",
      features: Float32Array.of(1),
      shape: [1],
      targets: Float32Array.of(0),
      outputs: ["w"],
    }),
    backend: createCpuBackend(),
    optimizer: optimizers.sgd(),
    learningRate: 0.1,
    batchSize: "full",
    epochs: 100,
    ...changes,
  });

test("without a reason to stop, fitUntil trains like fit and says that all steps were made", async () => {
  const plain = await finish(await trainerOf(), { every: 7 });
  const { events, stop } = await runUntil(await trainerOf(), { every: 7 });
  expect(stop).toEqual({ kind: "finished", step: 300, parametersOf: 300, reason: "all 300 steps were made" });
  const numbers = (all: typeof plain) => all.map(({ step, loss, accuracy }) => [step, loss, accuracy]);
  expect(numbers(events)).toEqual(numbers(plain));
  expect(events.at(-1)!.examplesPerSecond * events.at(-1)!.seconds).toBeCloseTo(3000, 6);
});

test("fitUntil pauses at checks and at the multiples of other numbers of steps", async () => {
  const trainer = await trainerOf({ epochs: 5 });
  const pauses: number[] = [];
  const options = { pauseEvery: [7, 12], checkEvery: 10, every: 30, validation: clouds(6, { seed: 2 }) };
  for await (const { step, validation } of fitUntil(trainer, options)) {
    if (trainer.step === step) pauses.push(step);
    expect(validation !== undefined).toBe(step % 10 === 0);
  }
  expect(pauses).toEqual([7, 10, 12, 14, 20, 21, 24, 28, 30]);
  await expect(fitUntil(trainer, { pauseEvery: [7, 0] }).next()).rejects.toThrow("pauseEvery: 0 is out of range");
});

describe("patience", () => {
  // A validation set with other centers: its loss first falls and then rises.
  const validation = clouds(30, { seed: 9, noise: 2 });

  test("stops after a number of checks without a lower validation loss, and restores the parameters of the lowest", async () => {
    const trainer = await trainerOf();
    const { events, stop } = await runUntil(trainer, { validation, patience: 4, checkEvery: 5, every: 10 });
    const checks = events.filter((event) => event.validation);
    expect(checks.map(({ step }) => step)).toEqual(Array.from(checks.keys(), (index) => 5 * index + 5));
    expect(events.map(({ step }) => step)).toEqual(checks.map(({ step }) => step));
    const losses = checks.map((event) => event.validation!.loss);
    const best = losses.indexOf(Math.min(...losses));
    expect(losses.length).toBe(best + 5);
    expect(stop).toMatchObject({ kind: "patience", step: 5 * (best + 5), parametersOf: 5 * (best + 1) });
    expect(stop.reason).toBe(
      `the validation loss was lowest, ${losses[best]!.toPrecision(6)}, at step ${5 * (best + 1)}, 4 checks ago`,
    );
    expect((await trainer.evaluate(validation)).loss).toBe(losses[best]);
    const again = await trainerOf();
    await finish(again, { maxSteps: stop.parametersOf });
    expect(valuesOf(await trainer.snapshot())).toEqual(valuesOf(await again.snapshot()));
    expect(trainer.step).toBe(stop.parametersOf);
  });

  test("is as patient with a stream as with a data set of the same examples", async () => {
    const stream = makeStream({
      name: "validation",
      tensors: { features: { shape: [4], dtype: "float32" }, labels: { shape: [], dtype: "uint32" } },
      classes: validation.classes,
      stepsPerEpoch: 3,
      *batches(fromStep, size) {
        for (let first = fromStep * size; ; first += size) {
          const features = validation.features.slice(4 * first, 4 * (first + size)) as Float32Array;
          yield { features, labels: validation.labels.slice(first, first + size) };
        }
      },
    });
    const stopped = async (given: StoppingOptions["validation"] & object) => {
      const trainer = await trainerOf();
      const { events, stop } = await runUntil(trainer, { validation: given, patience: 2, checkEvery: 5 });
      const losses = events.flatMap((event) => (event.validation ? [event.validation.loss] : []));
      return { losses, values: valuesOf(await trainer.snapshot()), parametersOf: stop.parametersOf };
    };
    const [wanted, found] = [await stopped(validation), await stopped(stream)];
    expect(found).toEqual({ ...wanted, losses: wanted.losses.map((loss): unknown => expect.closeTo(loss, 6)) });
    const source = { batches: 3 } as never;
    await expect(stopped(source)).rejects.toThrow(/^fitUntil validation: .* is not a data set/);
  });

  test("restores the best parameters also at the end of the run", async () => {
    const { events, stop } = await runUntil(await trainerOf({ maxSteps: 60 }), {
      validation,
      patience: 1000,
      checkEvery: 6,
    });
    const losses = events.flatMap((event) => (event.validation ? [[event.validation.loss, event.step]] : []));
    const [, step] = losses.reduce((best, next) => (next[0]! < best[0]! ? next : best));
    expect(stop).toMatchObject({
      kind: "maxSteps",
      reason: "the maximum of 60 steps was reached",
      step: 60,
      parametersOf: step,
    });
  });

  test("ignores an improvement smaller than minImprovement", async () => {
    const { stop } = await runUntil(await trainerOf(), {
      validation: clouds(30),
      patience: 3,
      checkEvery: 5,
      minImprovement: 100,
    });
    expect(stop).toMatchObject({ kind: "patience", step: 20, parametersOf: 5 });
  });

  test("does not change the results of training", async () => {
    const plain = await finish(await trainerOf({ maxSteps: 40 }), { every: 1 });
    const { events } = await runUntil(await trainerOf({ maxSteps: 40 }), { validation, checkEvery: 3, every: 1 });
    expect(events.map(({ loss }) => loss)).toEqual(plain.map(({ loss }) => loss));
  });
});

describe("tolerances", () => {
  test("of the loss: stops at the third check at which the change was below it", async () => {
    const { stop, events } = await runUntil(await parabola(), { lossTolerance: 1e-3, checkEvery: 1 });
    // The loss at step t is 0.64^(t−1), so its change is 0.36 · 0.64^(t−2), which is below 1e-3 from t = 16 on.
    expect(stop).toEqual({
      kind: "lossTolerance",
      step: 17 + 1,
      parametersOf: 18,
      reason: "the loss changed by less than 0.001 at 3 checks in a row",
    });
    expect(events.at(-1)!.step).toBe(18);
  });

  test.each(backends)("of the gradient norm, on $name", async ({ create }) => {
    const trainer = await parabola({ backend: await create(), gradientNorm: true });
    const { stop, events } = await runUntil(trainer, { gradientTolerance: 0.01, checkEvery: 1, stays: 2, every: 1 });
    events.forEach(({ gradientNorm }, index) => expect(gradientNorm).toBeCloseTo(2 * 0.8 ** index, 6));
    // 2 · 0.8^(t−1) is below 0.01 from t = 25 on.
    expect(stop).toMatchObject({ kind: "gradientTolerance", step: 26, parametersOf: 26 });
  });

  test("use the norm before clipping, which is the same with micro-batches", async () => {
    const normsOf = async (changes: Partial<TrainerOptions>) =>
      (await finish(await trainerOf({ gradientNorm: true, maxSteps: 1, ...changes }), { every: 1 })).map(
        (event) => event.gradientNorm!,
      );
    const [whole, clipped, divided] = [
      await normsOf({}),
      await normsOf({ clipNorm: 0.01 }),
      await normsOf({ microBatchSize: 4 }),
    ];
    expect(whole[0]).toBeGreaterThan(0.1);
    expect(clipped[0]).toBeCloseTo(whole[0]!, 6);
    expect(divided[0]).toBeCloseTo(whole[0]!, 6);
    expect((await finish(await trainerOf({ maxSteps: 1 })))[0]).not.toHaveProperty("gradientNorm");
  });
});

test("maxSeconds ends the training at the next event", async () => {
  const { stop, events } = await runUntil(await trainerOf({ epochs: 100_000 }), { maxSeconds: 0.05, every: 10 });
  expect(stop).toMatchObject({ kind: "maxSeconds", reason: "0.05 seconds have passed" });
  expect(stop.step).toBeLessThan(600_000);
  expect(events.at(-1)!.seconds).toBeGreaterThanOrEqual(0.05);
  expect(events.at(-2)?.seconds ?? 0).toBeLessThan(0.05);
});

describe("restore", () => {
  test("moves a trainer back to a step, and training continues with the same bits", async () => {
    const trainer = await trainerOf();
    await finish(trainer, { maxSteps: 20 });
    const kept = await trainer.snapshot();
    const after = await finish(trainer, { maxSteps: 15, every: 1 });
    trainer.restore(kept);
    expect(trainer.step).toBe(20);
    const again = await finish(trainer, { maxSteps: 15, every: 1 });
    expect(again.map(({ step, loss }) => [step, loss])).toEqual(after.map(({ step, loss }) => [step, loss]));
  });

  test("is refused during training, and for a snapshot of another network", async () => {
    const trainer = await trainerOf();
    const snapshot = await trainer.snapshot();
    for await (const _ of trainer.fit({ maxSteps: 1 }))
      expect(() => trainer.restore(snapshot)).toThrow(/^restore: this trainer is already training/);
    const other = await parabola();
    expect(() => other.restore(snapshot)).toThrow(/Use the model and the optimizer/);
  });
});

test.each<[StoppingOptions, RegExp]>([
  [{ patience: 2 }, /patience: patience needs a validation set/],
  [{ patience: 0, validation: clouds(6) }, /patience: 0 is out of range/],
  [{ checkEvery: 1.5 }, /checkEvery: 1\.5/],
  [{ lossTolerance: 0 }, /lossTolerance: 0/],
  [{ gradientTolerance: -1 }, /gradientTolerance: -1/],
  [{ gradientTolerance: 1 }, /gradientTolerance: this trainer does not measure.*gradientNorm: true/],
  [{ minImprovement: NaN }, /minImprovement: NaN/],
  [{ stays: 0 }, /stays: 0/],
  [{ maxSeconds: 0 }, /maxSeconds: 0/],
])("%o is refused", async (options, message) => {
  await expect(runUntil(await trainerOf({ maxSteps: 30 }), options)).rejects.toThrow(message);
});

test("a signal ends the training after the submitted steps", async () => {
  const controller = new AbortController();
  const run = fitUntil(await trainerOf(), { every: 5, signal: controller.signal });
  let result = await run.next();
  while (!result.done) {
    controller.abort();
    result = await run.next();
  }
  expect(result.value).toMatchObject({ kind: "aborted" });
  expect(result.value.step).toBeLessThan(300);
});

describe("a training that is awaited", () => {
  test("trains to the end, once", async () => {
    const trainer = await parabola();
    const training = trainer.fit({ maxSteps: 30 });
    expect(trainer.step).toBe(0);
    expect(await training).toBeUndefined();
    expect(trainer.step).toBe(30);
    await training;
    expect(trainer.step).toBe(30);
    await Promise.all([trainer.fit(), trainer.snapshot()]);
    expect(trainer.step).toBe(trainer.totalSteps);
  });

  test("gives why it stopped, also after a loop", async () => {
    const options = { lossTolerance: 0.01, checkEvery: 1 };
    const stop = await fitUntil(await parabola(), options);
    expect(stop).toMatchObject({ kind: "lossTolerance", step: expect.any(Number) });
    const training = fitUntil(await parabola(), options);
    let steps = 0;
    for await (const { step } of training) steps = step;
    expect(steps).toBe(stop.step);
    expect(await training).toEqual(stop);
  });

  test("goes on where a loop over some events has stopped", async () => {
    const trainer = await parabola();
    const training = trainer.fit({ every: 10, pauseEvery: 10 });
    expect((await training.next()).value).toMatchObject({ step: 10 });
    await training;
    expect(trainer.step).toBe(trainer.totalSteps);
  });

  test("after a loop that failed or was left, fails too", async () => {
    const failing = (await parabola()).fit({ every: 0 });
    await expect(failing.next()).rejects.toThrow(/^fit every: 0 is out of range/);
    await expect(failing).rejects.toThrow(/^fit every: 0 is out of range/);
    const trainer = await parabola();
    const left = fitUntil(trainer, { checkEvery: 1 });
    for await (const { step } of left) if (step > 0) break;
    await expect(left).rejects.toThrow(/^await: the loop over the events .* was left before its end/);
    await fitUntil(trainer);
    expect(trainer.step).toBe(trainer.totalSteps);
  });

  test("fails with the errors of the training, which leave the trainer usable", async () => {
    const trainer = await parabola();
    await expect(trainer.fit({ every: 0 })).rejects.toThrow(/^fit every: 0 is out of range/);
    const failing = trainer.fit({
      maxSteps: 5,
      checkpoint: { everySteps: 2, save: () => Promise.reject(new Error("full")) },
    });
    await expect(failing).rejects.toThrow("full");
    await trainer.fit();
    expect(trainer.step).toBe(trainer.totalSteps);
  });
});

describe("runToEnd", () => {
  test("trains to the end without a loop, and again does nothing", async () => {
    const trainer = await parabola();
    expect(await runToEnd(trainer.fit())).toBeUndefined();
    expect(trainer.step).toBe(trainer.totalSteps);
    const events: unknown[] = [];
    await runToEnd(trainer.fit(), (event) => events.push(event));
    expect(events).toEqual([]);
  });

  test("ends the training if the function throws, so that another call of fit continues", async () => {
    const trainer = await parabola();
    const fails = runToEnd(trainer.fit({ every: 10, pauseEvery: 10 }), () =>
      Promise.reject(new Error("the page closed")),
    );
    await expect(fails).rejects.toThrow("the page closed");
    expect(trainer.step).toBeLessThan(trainer.totalSteps);
    await runToEnd(trainer.fit());
    expect(trainer.step).toBe(trainer.totalSteps);
  });

  test("names the metrics of the trainer in the events and evaluations", async () => {
    const trainer = await createTrainer({
      model: smallModel(),
      dataset: clouds(60),
      backend: createCpuBackend(),
      learningRate: 0.02,
      batchSize: 10,
      epochs: 2,
      metrics: { one: (outputs) => mean(equal(outputs, outputs)) },
    });
    const found: (number | undefined)[] = [];
    await runToEnd(fitUntil(trainer, { validation: clouds(20) }), ({ metrics, validation }) => {
      found.push(metrics!.one, validation?.metrics!.one);
    });
    expect(new Set(found)).toEqual(new Set([1, undefined]));
  });

  test("refuses anything but a training", async () => {
    const trainer = await parabola();
    await expect(runToEnd(trainer as never)).rejects.toThrow(/^runToEnd: the given .* is not a training\. Give what/);
    await expect(runToEnd((await trainer.fit()) as never)).rejects.toThrow(
      /undefined is not a training.*without await/,
    );
  });
});
