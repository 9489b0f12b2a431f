import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { Backend } from "../../src/backends/backend.ts";
import { DeviceError, OptionError } from "../../src/errors.ts";
import { createTrainer, type Recovery, type TrainerOptions } from "../../src/train/index.ts";
import { backends } from "../backends.ts";
import { acquireBackend, acquireLosableBackend } from "../gpu.ts";
import { clouds, finish, smallModel, valuesOf } from "./examples.ts";

const options = (backend: Backend, seed = 1): TrainerOptions => ({
  model: smallModel(seed),
  dataset: clouds(60),
  backend,
  learningRate: 0.02,
  batchSize: 10,
  epochs: 20,
  seed,
});

describe.each(backends)("trainers on $name", ({ create }) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await create();
  });
  afterAll(() => backend.dispose());

  test("end their loop without another event if they are disposed of in it, and refuse all later calls", async () => {
    const trainer = await createTrainer(options(backend));
    const steps: number[] = [];
    for await (const { step } of trainer.fit({ every: 1, stepsPerSubmit: 3 })) {
      steps.push(step);
      if (step === 10) trainer.dispose();
    }
    expect(steps.at(-1)).toBe(10);
    trainer.dispose();
    const uses = [
      () => finish(trainer),
      () => trainer.evaluate(clouds(60)),
      () => trainer.predict(new Float32Array(4)),
      () => trainer.snapshot(),
    ];
    for (const use of uses) {
      await expect(use()).rejects.toThrow(OptionError);
      await expect(use()).rejects.toThrow(/this trainer was disposed of\. Create another trainer/);
    }
  });

  test("end their loop if they are disposed of while it waits", async () => {
    const trainer = await createTrainer(options(backend));
    const looping = finish(trainer, { every: 1000 });
    await new Promise((resolve) => setTimeout(resolve, 1));
    trainer.dispose();
    expect((await looping).length).toBeLessThanOrEqual(1);
  });

  test("give the same bits when two train at once on one backend as when each trains alone", async () => {
    const alone = await Promise.all(
      [1, 2].map(async (seed) => {
        const trainer = await createTrainer(options(backend, seed));
        await finish(trainer);
        return valuesOf(await trainer.snapshot());
      }),
    );
    const [one, other] = await Promise.all([1, 2].map((seed) => createTrainer(options(backend, seed))));
    const together = async (trainer: NonNullable<typeof one>) => {
      for await (const { step } of trainer.fit({ every: 7, stepsPerSubmit: 2 }))
        if (step === 63) await trainer.evaluate(clouds(60));
      return valuesOf(await trainer.snapshot());
    };
    expect(await Promise.all([together(one!), together(other!)])).toEqual(alone);
  });
});

test("disposing of a backend during a loop ends it with a clear error and without recovery", async () => {
  const backend = await acquireBackend();
  const onRecovery = vi.fn<(recovery: Recovery) => void>();
  const trainer = await createTrainer({ ...options(backend), onRecovery });
  const looping = async () => {
    for await (const { step } of trainer.fit({ every: 1, stepsPerSubmit: 3 })) if (step === 10) backend.dispose();
  };
  const error = await looping().catch((failure: unknown) => failure);
  expect(error).toBeInstanceOf(DeviceError);
  expect((error as Error).message).toMatch(/the backend was disposed of/);
  expect(onRecovery).not.toHaveBeenCalled();
});

test("an error that the device reports during training is thrown by fit and names the kernel", async () => {
  const said = vi.spyOn(console, "error");
  const { backend, device } = await acquireLosableBackend();
  const trainer = await createTrainer(options(backend));
  await finish(trainer, { maxSteps: 6 });
  const kernel = trainer.dispatches[1]!.kernel;
  const gpu = device();
  const prototype = Object.getPrototypeOf(gpu.createCommandEncoder().beginComputePass()) as GPUComputePassEncoder;
  const { setPipeline, dispatchWorkgroups } = prototype;
  let label = "";
  prototype.setPipeline = function (pipeline) {
    ({ label } = pipeline);
    setPipeline.call(this, pipeline);
  };
  prototype.dispatchWorkgroups = function (x, y, z) {
    dispatchWorkgroups.call(this, label === kernel ? 100_000 : x, y, z);
  };
  try {
    const failing = finish(trainer);
    await expect(failing).rejects.toThrow(DeviceError);
    await expect(failing).rejects.toThrow(`kernel ${kernel}: `);
    await expect(failing).rejects.toThrow(/100000/);
    expect(said).not.toHaveBeenCalled();
  } finally {
    Object.assign(prototype, { setPipeline, dispatchWorkgroups });
    said.mockRestore();
    backend.dispose();
  }
});
