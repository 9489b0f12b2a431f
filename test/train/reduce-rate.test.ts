/*
 * The learning rate that fitUntil reduces when the validation loss stops improving.
 */
import { expect, test } from "vitest";
import { createCpuBackend } from "../../src/backends/cpu/index.ts";
import { OptionError } from "../../src/errors.ts";
import { unitScale } from "../../src/data/dataset.ts";
import { loadCheckpoint, saveCheckpoint } from "../../src/formats/checkpoint.ts";
import {
  createTrainer,
  fitUntil,
  runToEnd,
  type Checkpoint,
  type StoppingMemory,
  type StoppingOptions,
  type StoppingState,
  type Trainer,
  type TrainerOptions,
} from "../../src/train/index.ts";
import { acquireLosableWasm } from "../wasm.ts";
import { clouds, finish, smallModel, valuesOf } from "./examples.ts";

const RATE = 0.002;
const dataset = clouds(60);
const model = smallModel();
const trainerOf = (changes: Partial<TrainerOptions> = {}) => {
  const options = { model, dataset, backend: createCpuBackend(), learningRate: RATE, batchSize: 10 };
  return createTrainer({ ...options, epochs: 12, maxSteps: 70, ...changes });
};

/** Its centers are others than those of training: its loss rises, falls to its minimum at the fourth check, and rises. */
const validation = clouds(30, { seed: 9, noise: 2 });
const checked = { validation, checkEvery: 5, every: 5, reduceRate: { patience: 2, factor: 0.5, smallest: 0.1 } };

/** What ReduceLROnPlateau(factor=0.5, patience=1, threshold=0, min_lr=0.0002) of PyTorch 1.13 made of these losses. */
const FACTORS = [1, 1, 1, 1, 1, 1, 0.5, 0.5, 0.25, 0.25, 0.125, 0.125, 0.1, 0.1];
const scheduled = () => trainerOf({ schedule: (step) => FACTORS[Math.floor(step / 5)]! });

async function ratesOf(trainer: Trainer, options: StoppingOptions): Promise<number[]> {
  const rates: number[] = [];
  await runToEnd(fitUntil(trainer, options), ({ step, learningRate }) => {
    if (step % 5 === 0) rates.push(learningRate / RATE);
  });
  return rates;
}

const endOf = async (trainer: Trainer) => valuesOf(await trainer.snapshot());

test("the rate is reduced after as many checks as PyTorch does, and in the steps after the check", async () => {
  const [trainer, other] = [await trainerOf(), await scheduled()];
  expect(await ratesOf(trainer, checked)).toEqual(FACTORS);
  await other.fit();
  expect(await endOf(trainer)).toEqual(await endOf(other));
});

test("what improves by less than minImprovement is no new lowest loss, and the default factor is 0.1", async () => {
  const rates = await ratesOf(await trainerOf(), { ...checked, reduceRate: { patience: 2 }, minImprovement: 0.01 });
  expect(rates.map((rate) => Math.round(Math.log10(rate)))).toEqual([
    0, 0, 0, -1, -1, -2, -2, -3, -3, -4, -4, -5, -5, -6,
  ]);
});

test("a run continues from any checkpoint with the same rates and bits", async () => {
  const files: { bytes: Uint8Array; memory: string }[] = [];
  const memory: StoppingMemory = {};
  const save = (checkpoint: Checkpoint) => {
    const { step } = checkpoint;
    const file = {
      model,
      loss: "softmaxCrossEntropy",
      normalization: unitScale,
      classes: dataset.classes,
      step,
    } as const;
    files.push({ bytes: saveCheckpoint(file, checkpoint), memory: JSON.stringify(memory.state) });
  };
  const whole = await trainerOf();
  await fitUntil(whole, { ...checked, memory, checkpoint: { everySteps: 3, save } });
  expect(files).toHaveLength(24);
  for (const { bytes, memory: kept } of files) {
    const { state: resumeFrom } = loadCheckpoint(bytes, "a checkpoint");
    const resumed = await trainerOf({ resumeFrom });
    const state = JSON.parse(kept) as StoppingState;
    const expected = FACTORS.slice(Math.floor(resumeFrom.step / 5));
    expect(await ratesOf(resumed, { ...checked, memory: { state } })).toEqual(expected);
    expect(await endOf(resumed)).toEqual(await endOf(whole));
  }
});

test("steps that are repeated on another device have the rates that they had", async () => {
  const { backend, lose } = await acquireLosableWasm();
  const plain = await trainerOf({ backend });
  await fitUntil(plain, checked);
  const lossy = await trainerOf({ backend, snapshotSeconds: Infinity });
  for await (const { step } of fitUntil(lossy, checked)) if (step === 60) lose();
  expect(await endOf(lossy)).toEqual(await endOf(plain));
  backend.dispose();
});

test("a call of fit takes its own factor, and one without it the plain rate, also if steps are repeated", async () => {
  const { backend, lose } = await acquireLosableWasm();
  const trainer = await trainerOf({ backend, snapshotSeconds: Infinity });
  const first = await finish(trainer, { every: 5, maxSteps: 20, rateFactor: (step) => (step < 10 ? 1 : 0.25) });
  const second = await finish(trainer, { every: 5, maxSteps: 10 });
  lose();
  const end = await endOf(trainer);
  const factors = [1, 1, 0.25, 0.25, 1, 1];
  expect([...first, ...second].map(({ learningRate }) => learningRate / RATE)).toEqual(factors);
  const other = await trainerOf({ backend, schedule: (step) => factors[Math.floor(step / 5)]! });
  await finish(other, { maxSteps: 30 });
  expect(end).toEqual(await endOf(other));
  backend.dispose();
});

test("options that do not fit are refused", async () => {
  const trainer = await trainerOf();
  const refusal = (options: object) => fitUntil(trainer, options as StoppingOptions).next();
  const reduced = (reduceRate: object) => refusal({ validation, reduceRate });
  await expect(refusal({ reduceRate: { patience: 2 } })).rejects.toThrow(
    /reduceRate: reduceRate needs a validation set/,
  );
  await expect(reduced({})).rejects.toThrow(OptionError);
  await expect(reduced({ patience: 0 })).rejects.toThrow(/^fitUntil reduceRate patience: 0 is out of range/);
  await expect(reduced({ patience: 1, factor: 1 })).rejects.toThrow(/^fitUntil reduceRate factor: 1 is out of range/);
  await expect(reduced({ patience: 1, smallest: 1 })).rejects.toThrow(/^fitUntil reduceRate smallest: 1 is out/);
  await expect(reduced({ patience: 1, cooldown: 1 })).rejects.toThrow(/there is no option "cooldown"/);
  await expect(finish(trainer, { rateFactor: 0.5 as never })).rejects.toThrow(
    /^fit rateFactor: 0.5 is not a function of the step/,
  );
});
