import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Backend } from "../../src/backends/backend.ts";
import { DivergedError } from "../../src/errors.ts";
import { dense, optimizers, sequential } from "../../src/nn/index.ts";
import {
  createTrainer,
  type Checkpoint,
  type SkippedStep,
  type TrainerOptions,
  type TrainingProgress,
} from "../../src/train/index.ts";
import { backends } from "../backends.ts";
import { clouds, finish, valuesOf } from "./examples.ts";

/** Four batches an epoch in their own order; every feature of the third is NaN or beyond float32 when squared. */
function spoiled(value: number) {
  const dataset = clouds(40);
  // Afterwards, since NaN is refused when a data set is made.
  dataset.features[25 * 4] = value;
  return dataset;
}

const network = () => sequential([dense(6, { activation: "relu" }), dense(3)], { inputShape: [4] });

describe.each(backends)("steps that are not finite on $name", ({ create }) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await create();
  });
  afterAll(() => backend.dispose());

  const options = (changes: Partial<TrainerOptions> = {}): TrainerOptions => ({
    model: network(),
    dataset: spoiled(NaN),
    backend,
    learningRate: 0.02,
    batchSize: 10,
    epochs: 3,
    seed: 3,
    ...changes,
  });

  /** The steps whose batch holds the spoiled example, as a run that leaves them out tells. */
  async function faultySteps(changes: Partial<TrainerOptions> = {}) {
    const trainer = await createTrainer(options({ onNonFinite: "skip", ...changes }));
    const skipped: SkippedStep[] = [];
    for (const event of await finish(trainer, { every: 1 })) {
      // Not the other way round: the loss can be finite where its gradient is not.
      if (event.skipped.length === 0) expect(event.loss).toBeLessThan(Infinity);
      skipped.push(...event.skipped);
    }
    const values = valuesOf(await trainer.snapshot());
    trainer.dispose();
    return { skipped, values };
  }

  test("are left out where asked, and spoil no parameter", async () => {
    const { skipped, values } = await faultySteps();
    expect(skipped).toHaveLength(3);
    // One in every epoch of four steps.
    expect(skipped.map(({ step }) => Math.ceil(step / 4))).toEqual([1, 2, 3]);
    for (const { place, learningRate } of skipped)
      expect({ place, learningRate }).toEqual({ place: "layers.0.weight", learningRate: 0.02 });
    expect(Object.values(values).flat().every(Number.isFinite)).toBe(true);
  });

  test("in parts of a batch are found as well", async () => {
    const whole = await faultySteps();
    const parts = await faultySteps({ microBatchSize: 3 });
    expect(parts.skipped).toEqual(whole.skipped);
  });

  test("halve the learning rate where asked, also of a run that goes on from a checkpoint", async () => {
    const kept: Checkpoint[] = [];
    const run = async (resumeFrom?: Checkpoint) => {
      const trainer = await createTrainer(options({ onNonFinite: "halve", resumeFrom }));
      const save = async (checkpoint: Checkpoint) => void kept.push(checkpoint);
      const events = await finish(trainer, { every: 1, checkpoint: { everySteps: 5, save } });
      const values = valuesOf(await trainer.snapshot());
      trainer.dispose();
      return { rates: events.map(({ step, learningRate }) => ({ step, learningRate })), values };
    };
    const whole = await run();
    const { skipped } = await faultySteps();
    for (const { step, learningRate } of whole.rates) {
      expect(learningRate).toBe(0.02 / 2 ** skipped.filter((one) => one.step <= step).length);
    }
    const resumed = await run(kept[1]);
    expect(resumed.values).toEqual(whole.values);
    expect(resumed.rates).toEqual(whole.rates.filter(({ step }) => step > 10));
  });

  test("stop the run before them, with the step, the layer and the rate; a later call begins there", async () => {
    const { skipped } = await faultySteps();
    const trainer = await createTrainer(options({ onNonFinite: "stop" }));
    const events: TrainingProgress[] = [];
    const looping = async () => {
      for await (const event of trainer.fit({ every: 1 })) events.push(event);
    };
    const [{ step }] = skipped as [SkippedStep];
    for (let again = 0; again < 2; again++) {
      const error = await looping().catch((failure: unknown) => failure);
      expect(error).toBeInstanceOf(DivergedError);
      expect((error as DivergedError).step).toBe(step);
      expect((error as DivergedError).message).toMatch(
        `step ${step}: the gradient of layers.0.weight is not finite, at learning rate 0.02`,
      );
      expect(trainer.step).toBe(step - 1);
    }
    expect(events.map((event) => event.step)).toEqual(Array.from({ length: step - 1 }, (_, index) => index + 1));
    const until = await createTrainer(options());
    await finish(until, { maxSteps: step - 1, every: 1 });
    const { "guard.stopped": stopped, ...values } = valuesOf(await trainer.snapshot());
    expect(stopped).toEqual([0]);
    expect(values).toEqual(valuesOf(await until.snapshot()));
    expect((await trainer.snapshot()).unreported).toEqual({ steps: 0, loss: 0, correct: 0, gradientNorm: 0 });
    trainer.dispose();
    until.dispose();
  });

  test("are told by the gradient where the loss is finite, and by the loss where it alone is not", async () => {
    // Squares of 1e25 are beyond float32 in the gradient of the first weights only, whose inputs they are.
    const model = sequential([dense(3)], { inputShape: [4] });
    const sgd = optimizers.sgd();
    const far = await faultySteps({ model, optimizer: sgd, dataset: spoiled(1e30), loss: "meanSquaredError" });
    expect(far.skipped.length).toBeGreaterThan(0);
    expect(far.skipped[0]!.place).toBe("layers.0.weight");
  });

  test("cost a dispatch more, and one of a single element to remember", async () => {
    const plain = await createTrainer(options());
    for (const [onNonFinite, more] of [
      ["stop", 2],
      ["skip", 1],
      ["halve", 2],
    ] as const) {
      const guarded = await createTrainer(options({ onNonFinite }));
      if (backend.kind === "webgpu") expect(guarded.dispatches.length).toBe(plain.dispatches.length + more);
      guarded.dispose();
    }
    plain.dispose();
  });

  test("change no bit of a run without them", async () => {
    const run = async (onNonFinite?: "stop" | "skip" | "halve") => {
      const trainer = await createTrainer(options({ dataset: clouds(40), onNonFinite }));
      const events = await finish(trainer, { every: 1 });
      const values = valuesOf(await trainer.snapshot());
      trainer.dispose();
      for (const name of ["guard.stopped", "guard.slowed"]) delete values[name];
      return { losses: events.map(({ loss }) => loss), values };
    };
    const plain = await run();
    for (const choice of ["stop", "skip", "halve"] as const) expect(await run(choice)).toEqual(plain);
  });
});
