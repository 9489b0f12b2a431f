import { describe, expect, test } from "vitest";
import type { Backend } from "../../src/backends/backend.ts";
import { createCpuBackend } from "../../src/backends/cpu/index.ts";
import { DeviceError } from "../../src/errors.ts";
import { schedules } from "../../src/nn/index.ts";
import { createTrainer, type TrainerOptions } from "../../src/train/index.ts";
import { SubmitPace } from "../../src/train/pace.ts";
import { changedBackend, clouds, finish, smallModel } from "./examples.ts";

const options = (changes: Partial<TrainerOptions> = {}): TrainerOptions => ({
  model: smallModel(),
  dataset: clouds(63),
  backend: createCpuBackend(),
  learningRate: 0.02,
  batchSize: 10,
  epochs: 5,
  ...changes,
});

/** A backend whose runs finish some time after they were called, and which counts concurrent runs. */
function slowBackend(milliseconds: number): { backend: Backend; counts: { now: number; most: number } } {
  const counts = { now: 0, most: 0 };
  const backend = changedBackend(createCpuBackend(), {
    async aroundRun(run) {
      counts.now++;
      counts.most = Math.max(counts.most, counts.now);
      const result = await run();
      await new Promise((resolve) => setTimeout(resolve, milliseconds));
      counts.now--;
      return result;
    },
  });
  return { backend, counts };
}

describe("events", () => {
  test("come at multiples of steps and at the end, with the epoch and learning rate of their step", async () => {
    const trainer = await createTrainer(options({ schedule: schedules.step({ every: 10, factor: 0.5 }) }));
    const events = await finish(trainer, { every: 7 });
    expect(events.map(({ step, epoch, learningRate }) => [step, epoch, learningRate])).toEqual([
      [7, 2, 0.02],
      [14, 3, 0.01],
      [21, 4, 0.005],
      [28, 5, 0.005],
      [30, 5, 0.005],
    ]);
    for (const event of events) expect(event).toMatchObject({ totalSteps: 30, epochs: 5 });
  });

  test("the schedule ends at the trainer's maxSteps, not at that of a call of fit", async () => {
    const trainer = await createTrainer(options({ schedule: schedules.cosine(), learningRate: 1, maxSteps: 20 }));
    const rates = [...(await finish(trainer, { every: 1, maxSteps: 7 })), ...(await finish(trainer, { every: 1 }))];
    expect(rates).toHaveLength(20);
    rates.forEach(({ learningRate }, step) => {
      expect(learningRate).toBeCloseTo((1 + Math.cos((Math.PI * step) / 20)) / 2, 14);
    });
  });

  test("report means of loss and accuracy over the steps since the previous event", async () => {
    const single = await finish(await createTrainer(options()), { every: 1 });
    const sparse = await finish(await createTrainer(options()), { every: 7 });
    expect(single.map(({ step }) => step)).toEqual(Array.from({ length: 30 }, (_, index) => index + 1));
    let from = 0;
    for (const { step, loss, accuracy } of sparse) {
      const covered = single.slice(from, step);
      const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
      expect(loss).toBeCloseTo(mean(covered.map((event) => event.loss)), 12);
      expect(accuracy).toBeCloseTo(mean(covered.map((event) => event.accuracy)), 12);
      from = step;
    }
  });

  test("come about a hundred times per run by default, also if it is divided into several calls", async () => {
    const trainer = await createTrainer(options({ epochs: 50 }));
    const steps = (await finish(trainer, { maxSteps: 100 })).map(({ step }) => step);
    expect(steps).toEqual([...Array.from({ length: 33 }, (_, index) => 3 * index + 3), 100]);
    expect(await finish(trainer)).toHaveLength(67);
    expect(await finish(trainer)).toEqual([]);
    expect(await finish(await createTrainer(options({ maxSteps: 4 })))).toHaveLength(4);
  });

  test("measure the speed from the first submit to the last completion of the call", async () => {
    const { backend } = slowBackend(20);
    const trainer = await createTrainer(options({ backend, maxSteps: 3 }));
    const start = performance.now();
    const events = await finish(trainer);
    const seconds = (performance.now() - start) / 1000;
    const last = events.at(-1)!;
    expect(last.seconds).toBeLessThanOrEqual(seconds);
    expect(last.seconds).toBeGreaterThanOrEqual(0.019);
    expect(last.examplesPerSecond).toBeCloseTo(30 / last.seconds, 6);
  });
});

describe("submits", () => {
  test("has at most two runs in flight, and leaving the loop waits for them", async () => {
    const { backend, counts } = slowBackend(5);
    const trainer = await createTrainer(options({ backend }));
    for await (const { step } of trainer.fit({ every: 1 })) {
      expect(counts.now).toBeLessThanOrEqual(2);
      if (step === 12) break;
    }
    expect(counts).toEqual({ now: 0, most: 2 });
    const reached = trainer.step;
    expect(reached).toBeGreaterThan(12);
    const [next] = await finish(trainer, { every: 1, maxSteps: 1 });
    expect(next!.step).toBe(reached + 1);
  });

  test("waits for them also after an error inside the loop, and frees the trainer", async () => {
    const { backend, counts } = slowBackend(5);
    const trainer = await createTrainer(options({ backend }));
    const looping = async () => {
      for await (const { step } of trainer.fit({ every: 1 })) if (step === 2) throw new Error("mine");
    };
    await expect(looping()).rejects.toThrow("mine");
    expect(counts.now).toBe(0);
    expect(await finish(trainer, { maxSteps: 1 })).toHaveLength(1);
  });

  test("fails the loop if the device fails in flight, even while the caller is busy", async () => {
    let runs = 0;
    const backend = changedBackend(createCpuBackend(), {
      aroundRun: (run) => (++runs === 3 ? Promise.reject(new DeviceError({ what: "the device was lost" })) : run()),
    });
    const trainer = await createTrainer(options({ backend }));
    const looping = async () => {
      for await (const { step } of trainer.fit({ every: 1 })) await new Promise((resolve) => setTimeout(resolve, step));
    };
    await expect(looping()).rejects.toThrow(DeviceError);
  });

  test("does not cross the end of a shuffled epoch, but crosses that of full batches", async () => {
    const submitsOf = async (batchSize: number | "full", epochs: number) => {
      const submits: { first: number; count: number }[] = [];
      const backend = changedBackend(createCpuBackend(), {
        aroundRun(run, first, count) {
          submits.push({ first, count });
          return run();
        },
      });
      await finish(await createTrainer(options({ backend, batchSize, epochs })));
      return submits;
    };
    const shuffled = await submitsOf(10, 40);
    expect(shuffled.some(({ count }) => count > 1)).toBe(true);
    for (const { first, count } of shuffled) expect((first % 6) + count).toBeLessThanOrEqual(6);
    const full = await submitsOf("full", 240);
    expect(full.some(({ count }) => count > 1)).toBe(true);
    for (const submits of [shuffled, full]) {
      expect(submits.reduce((next, { first, count }) => (first === next ? next + count : NaN), 0)).toBe(240);
    }
  });
});

describe("a signal", () => {
  test("ends the loop after all events of the submitted steps", async () => {
    const { backend, counts } = slowBackend(5);
    const trainer = await createTrainer(options({ backend }));
    const controller = new AbortController();
    const steps: number[] = [];
    for await (const { step } of trainer.fit({ every: 1, stepsPerSubmit: 3, signal: controller.signal })) {
      steps.push(step);
      if (step === 7) controller.abort();
    }
    // Steps 7 to 9 are one submit, and the next submit was already in flight.
    expect(steps).toEqual(Array.from({ length: 12 }, (_, index) => index + 1));
    expect(trainer.step).toBe(12);
    expect(counts.now).toBe(0);
    expect((await finish(trainer, { every: 1, maxSteps: 1 })).map(({ step }) => step)).toEqual([13]);
  });

  test("yields a last event if the number of steps is not a multiple of `every`", async () => {
    const { backend } = slowBackend(1);
    const trainer = await createTrainer(options({ backend }));
    const controller = new AbortController();
    const steps: number[] = [];
    for await (const { step } of trainer.fit({ every: 5, stepsPerSubmit: 1, signal: controller.signal })) {
      steps.push(step);
      controller.abort();
    }
    expect(steps).toEqual([5, trainer.step]);
    expect(trainer.step).toBeGreaterThan(5);
  });

  test("that was already aborted prevents all steps", async () => {
    const trainer = await createTrainer(options());
    expect(await finish(trainer, { signal: AbortSignal.abort() })).toEqual([]);
    expect(trainer.step).toBe(0);
  });
});

describe("the pace of submits", () => {
  /** Submits one after the other on a device that takes `perStep` milliseconds per step. */
  function paced(perStep: number, submits: number, target?: number): number[] {
    const pace = new SubmitPace(target);
    let now = 0;
    return Array.from({ length: submits }, () => {
      const { steps } = pace;
      const submitted = now;
      now += perStep * steps;
      pace.record(steps, { submitted, returned: submitted, finished: now });
      return steps;
    });
  }

  test("doubles up to about 100 ms per submit and to 256 steps", () => {
    expect(paced(3, 8)).toEqual([1, 2, 4, 8, 16, 32, 33, 33]);
    expect(paced(0.01, 11)).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 256, 256]);
    expect(paced(200, 3)).toEqual([1, 1, 1]);
    expect(paced(3, 6, 30)).toEqual([1, 2, 4, 8, 10, 10]);
  });

  test("measures a submit from the end of the previous one", () => {
    const pace = new SubmitPace();
    pace.record(1, { submitted: 0, returned: 0, finished: 10 });
    expect(pace.steps).toBe(2);
    pace.record(1, { submitted: 0, returned: 0, finished: 20 });
    expect(pace.steps).toBe(4);
  });

  test("shrinks at once when steps become slower", () => {
    const pace = new SubmitPace();
    pace.record(1, { submitted: 0, returned: 0, finished: 1 });
    pace.record(2, { submitted: 1, returned: 1, finished: 2 });
    pace.record(4, { submitted: 2, returned: 2, finished: 402 });
    expect(pace.steps).toBe(1);
  });

  test("uses the duration of the call if the work was done in it", () => {
    const pace = new SubmitPace();
    pace.record(1, { submitted: 0, returned: 120, finished: 240 });
    pace.record(1, { submitted: 120, returned: 240, finished: 240 });
    expect(pace.steps).toBe(1);
  });
});
