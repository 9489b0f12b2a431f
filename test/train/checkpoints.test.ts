import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Backend } from "../../src/backends/backend.ts";
import { createTrainer, type Checkpoint, type FitOptions } from "../../src/train/index.ts";
import { backends } from "../backends.ts";
import { acquireLosableBackend } from "../gpu.ts";
import { dropoutRun as options, finish, valuesOf } from "./examples.ts";

/** A whole run with its log, its final state and the checkpoints that were saved. */
async function run(backend: Backend, resumeFrom?: Checkpoint, fit: FitOptions = {}) {
  const kept: Checkpoint[] = [];
  const trainer = await createTrainer({ ...options, backend, resumeFrom });
  const save = async (checkpoint: Checkpoint) => void kept.push(checkpoint);
  const events = await finish(trainer, { every: 9, checkpoint: { everySteps: 25, save }, ...fit });
  const log = events.map(({ step, epoch, loss, accuracy, learningRate }) => ({
    step,
    epoch,
    loss,
    accuracy,
    learningRate,
  }));
  const end = valuesOf(await trainer.snapshot());
  trainer.dispose();
  return { log, end, kept };
}

describe.each(backends)("checkpoints on $name", ({ create }) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await create();
  });
  afterAll(() => backend.dispose());

  test("are taken at multiples and at the end; from each, a run continues with the same log and bits", async () => {
    const whole = await run(backend);
    expect(whole.kept.map(({ step }) => step)).toEqual([25, 50, 75, 100, 120]);
    expect(whole.kept.map(({ unreported }) => unreported.steps)).toEqual([7, 5, 3, 1, 0]);
    for (const checkpoint of whole.kept) {
      // As a file would store it.
      const unreported = JSON.parse(JSON.stringify(checkpoint.unreported)) as Checkpoint["unreported"];
      const resumed = await run(backend, { ...checkpoint, unreported });
      expect(resumed.log).toEqual(whole.log.filter(({ step }) => step > checkpoint.step));
      expect(resumed.end).toEqual(whole.end);
      expect(resumed.kept).toEqual(whole.kept.filter(({ step }) => step > checkpoint.step));
    }
  });

  test("end an aborted run at any step, and it continues as if it had not been aborted", async () => {
    const whole = await run(backend, undefined, { every: 7 });
    const abort = new AbortController();
    const trainer = await createTrainer({ ...options, backend });
    const kept: Checkpoint[] = [];
    const save = async (checkpoint: Checkpoint) => void kept.push(checkpoint);
    const log = [];
    for await (const { step, loss } of trainer.fit({
      every: 7,
      stepsPerSubmit: 5,
      signal: abort.signal,
      checkpoint: { everySeconds: 1000, save },
    })) {
      log.push({ step, loss });
      if (step === 49) abort.abort();
    }
    expect(kept).toHaveLength(1);
    const [last] = kept;
    expect(last!.step).toBe(trainer.step);
    expect(last!.step).toBeLessThan(70);
    expect(last!.unreported.steps).toBe(last!.step % 7);
    expect(await trainer.snapshot()).toEqual(last);
    const resumed = await run(backend, last, { every: 7 });
    const rest = resumed.log.map(({ step, loss }) => ({ step, loss }));
    // The last event before the pause reports how far the run got, and is not part of the log of the whole run.
    expect(log.at(-1)!.step).toBe(last!.step);
    expect([...log.filter(({ step }) => step % 7 === 0), ...rest]).toEqual(
      whole.log.map(({ step, loss }) => ({ step, loss })),
    );
    expect(resumed.end).toEqual(whole.end);
  });

  test("include the metrics that no event has reported when the loop is left", async () => {
    const whole = await run(backend, undefined, { every: 40 });
    const trainer = await createTrainer({ ...options, backend });
    for await (const { step } of trainer.fit({ every: 40, stepsPerSubmit: 16 })) if (step === 40) break;
    expect(trainer.step).toBeGreaterThan(40);
    const events = await finish(trainer, { every: 40 });
    expect(events.map(({ step, loss, accuracy }) => ({ step, loss, accuracy }))).toEqual(
      whole.log.slice(1).map(({ step, loss, accuracy }) => ({ step, loss, accuracy })),
    );
  });

  test("are saved one at a time, and training waits for a slow save instead of skipping it", async () => {
    let now = 0;
    const steps: number[] = [];
    const save = async ({ step }: Checkpoint) => {
      expect(++now).toBe(1);
      await new Promise((resolve) => setTimeout(resolve, 15));
      steps.push(step);
      now--;
    };
    await run(backend, undefined, { checkpoint: { everySteps: 10, save } });
    expect(steps).toEqual([10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120]);
  });

  test("are saved by a function that returns no promise, whose error also ends fit", async () => {
    const kept: Checkpoint[] = [];
    const save = (checkpoint: Checkpoint) => {
      if (kept.push(checkpoint) === 3) throw new Error("the list is full");
    };
    await expect(run(backend, undefined, { checkpoint: { everySteps: 50, save } })).rejects.toThrow("the list is full");
    expect(kept.map(({ step }) => step)).toEqual([50, 100, 120]);
    await run(backend, undefined, { checkpoint: { everySteps: 50, save: (checkpoint) => kept.push(checkpoint) } });
    expect(kept.map(({ step }) => step)).toEqual([50, 100, 120, 50, 100, 120]);
  });

  test("by time are taken at the end of submits", async () => {
    const steps: number[] = [];
    const save = async ({ step, unreported }: Checkpoint) => {
      // The end has its own event.
      expect(unreported.steps).toBe(step === 120 ? 0 : step % 9);
      steps.push(step);
    };
    const fit = { stepsPerSubmit: 4, checkpoint: { everySeconds: 1e-6, save } };
    await run(backend, undefined, fit);
    // An epoch of six steps also ends a submit.
    expect(steps).toEqual(
      Array.from({ length: 120 }, (_, index) => index + 1).filter((step) => step % 6 === 4 || step % 6 === 0),
    );
  });

  test("that fail to save end fit with the reason, and invalid options are refused", async () => {
    const save = async () => {
      throw new Error("the disk is full");
    };
    await expect(run(backend, undefined, { checkpoint: { everySteps: 25, save } })).rejects.toThrow("the disk is full");
    await expect(run(backend, undefined, { checkpoint: { everySteps: 1000, save } })).rejects.toThrow(
      "the disk is full",
    );
    await expect(run(backend, undefined, { checkpoint: { save } })).rejects.toThrow(
      /either everySteps or everySeconds/,
    );
    await expect(run(backend, undefined, { checkpoint: { everySteps: 0.5, save } })).rejects.toThrow(
      /everySteps: 0\.5 is out of range/,
    );
  });
});

test("a device lost between checkpoints changes neither them nor the log", async () => {
  const { backend, lose } = await acquireLosableBackend();
  const whole = await run(backend);
  const kept: Checkpoint[] = [];
  const save = async (checkpoint: Checkpoint) => void kept.push(checkpoint);
  const trainer = await createTrainer({ ...options, backend });
  const log = [];
  for await (const { step, loss } of trainer.fit({
    every: 9,
    stepsPerSubmit: 3,
    checkpoint: { everySteps: 25, save },
  })) {
    log.push({ step, loss });
    if (step === 63) lose();
  }
  expect(log).toEqual(whole.log.map(({ step, loss }) => ({ step, loss })));
  expect(kept).toEqual(whole.kept);
  backend.dispose();
});
