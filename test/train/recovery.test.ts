import { describe, expect, test, vi } from "vitest";
import { createCpuBackend } from "../../src/backends/cpu/index.ts";
import { DeviceError, DeviceLostError, OptionError } from "../../src/errors.ts";
import { createTrainer, type Recovery, type Trainer, type TrainingProgress } from "../../src/train/index.ts";
import { backends } from "../backends.ts";
import { acquireLosableBackend } from "../gpu.ts";
import { acquireLosableWasm } from "../wasm.ts";
import { dropoutRun as options, finish, smallModel, valuesOf } from "./examples.ts";

const logOf = (events: readonly TrainingProgress[]) =>
  events.map(({ step, epoch, loss, accuracy, learningRate }) => ({ step, epoch, loss, accuracy, learningRate }));

describe.each([
  ["webgpu", acquireLosableBackend],
  ["wasm", acquireLosableWasm],
] as const)("a device of %s lost while training", (_kind, acquireLosable) => {
  test.each([
    ["goes back to the newest snapshot", 0.001],
    ["goes back to the start if there is none", Infinity],
  ])("%s, and ends with the same bits and log as a run without a loss", async (_name, snapshotSeconds) => {
    const { backend, lose } = await acquireLosable();
    const plain = await createTrainer({ ...options, backend });
    const expected = logOf(await finish(plain, { every: 3, stepsPerSubmit: 2 }));
    const wanted = valuesOf(await plain.snapshot());
    plain.dispose();

    const recoveries: Recovery[] = [];
    const trainer = await createTrainer({
      ...options,
      backend,
      snapshotSeconds,
      onRecovery: (one) => recoveries.push(one),
    });
    const events: TrainingProgress[] = [];
    for await (const event of trainer.fit({ every: 3, stepsPerSubmit: 2 })) {
      events.push(event);
      if (event.step !== 60) continue;
      // On a busy machine, the first snapshot may still be read. Values are read in the order in which they were asked for.
      if (snapshotSeconds !== Infinity) await trainer.snapshot();
      lose();
    }
    expect(recoveries).toHaveLength(1);
    expect(recoveries[0]!.reason).toMatch(/device was lost/);
    expect(recoveries[0]!.toStep).toBeGreaterThanOrEqual(60);
    if (snapshotSeconds === Infinity) expect(recoveries[0]!.fromStep).toBe(0);
    else expect(recoveries[0]!.fromStep).toBeGreaterThan(0);
    expect(logOf(events)).toEqual(expected);
    expect(valuesOf(await trainer.snapshot())).toEqual(wanted);
    trainer.dispose();
    backend.dispose();
  });

  test("a second loss within a minute ends the run and says so", async () => {
    const { backend, lose } = await acquireLosable();
    const trainer = await createTrainer({ ...options, backend });
    const looping = async () => {
      for await (const { step } of trainer.fit({ every: 1, stepsPerSubmit: 2 })) if (step === 6 || step === 12) lose();
    };
    await expect(looping()).rejects.toThrow(/device was lost.*twice within a minute.*train on the CPU/);
    await expect(trainer.evaluate(options.dataset)).rejects.toThrow(DeviceLostError);
    backend.dispose();
  });

  test.each(["restart", "createSession"] as const)(
    "if %s fails while the device is replaced, calls fail with that error, and later ones try again",
    async (method) => {
      const { backend, lose } = await acquireLosable();
      const recoveries: Recovery[] = [];
      const trainer = await createTrainer({ ...options, backend, onRecovery: (one) => recoveries.push(one) });
      await finish(trainer, { maxSteps: 30 });
      const before = await trainer.evaluate(options.dataset);
      const shortage = new DeviceError({ what: "there is not enough memory" });
      vi.spyOn(backend, method).mockImplementationOnce(() => {
        throw shortage;
      });
      lose();
      await backend.lost;
      const calls = [trainer.snapshot(), trainer.evaluate(options.dataset), trainer.predict(options.dataset.features)];
      // A call that notices the loss after the others have failed tries again itself.
      const outcomes = await Promise.allSettled(calls);
      const reasons = new Set(outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason] : [])));
      expect([...reasons]).toEqual([shortage]);
      expect(await trainer.evaluate(options.dataset)).toEqual(before);
      expect(recoveries).toMatchObject([{ fromStep: 0, toStep: 30 }]);
      expect(trainer.step).toBe(30);
      backend.dispose();
    },
  );

  test("a loss during evaluation or prediction is also recovered, with the current parameters", async () => {
    const { backend, lose } = await acquireLosable();
    const trainer = await createTrainer({ ...options, backend });
    await finish(trainer, { maxSteps: 30 });
    const before = await trainer.evaluate(options.dataset);
    const other = await createTrainer({ ...options, backend });
    lose();
    await backend.lost;
    expect(await trainer.evaluate(options.dataset)).toEqual(before);
    expect(trainer.step).toBe(30);
    // The other trainer of the same backend finds that the device was already replaced.
    expect(await finish(other, { every: 120 })).toHaveLength(1);
    backend.dispose();
  });

  test.each([
    ["evaluate", (trainer: Trainer) => trainer.evaluate(options.dataset)],
    ["predict", (trainer: Trainer) => trainer.predict(options.dataset.features)],
    ["snapshot", (trainer: Trainer) => trainer.snapshot()],
    [
      "all three at once",
      (trainer: Trainer) =>
        Promise.all([trainer.evaluate(options.dataset), trainer.predict(options.dataset.features), trainer.snapshot()]),
    ],
  ])("during %s in the loop counts as one loss, with steps and checkpoints in flight", async (_name, call) => {
    const { backend, lose } = await acquireLosable();
    const pace = { every: 1, stepsPerSubmit: 2 };
    const plain = await createTrainer({ ...options, backend });
    const expected = logOf(await finish(plain, pace));
    const wanted = valuesOf(await plain.snapshot());
    for (let attempt = 0; attempt < 6; attempt++) {
      const recoveries: Recovery[] = [];
      const saved: number[] = [];
      const trainer = await createTrainer({
        ...options,
        backend,
        snapshotSeconds: 0.001,
        onRecovery: (one) => recoveries.push(one),
      });
      const events: TrainingProgress[] = [];
      const checkpoint = { everySteps: 4, save: async ({ step }: { step: number }) => void saved.push(step) };
      for await (const event of trainer.fit({ ...pace, checkpoint })) {
        events.push(event);
        if (event.step !== 20 + attempt) continue;
        const called = attempt % 2 === 0 ? call(trainer) : undefined;
        lose();
        await (called ?? call(trainer));
      }
      expect(recoveries).toHaveLength(1);
      expect(logOf(events)).toEqual(expected);
      expect(valuesOf(await trainer.snapshot())).toEqual(wanted);
      expect(saved.at(-1)).toBe(120);
      expect(saved.every((step, index) => step % 4 === 0 && step > (saved[index - 1] ?? 0))).toBe(true);
      trainer.dispose();
    }
    backend.dispose();
  });

  test("during profiling is a DeviceLostError, after which training continues", async () => {
    const { backend, lose } = await acquireLosable();
    const trainer = await createTrainer({ ...options, backend });
    await finish(trainer, { maxSteps: 6 });
    const profiling = trainer.profile();
    lose();
    await expect(profiling).rejects.toThrow(DeviceLostError);
    expect(trainer.step).toBe(6);
    const plain = await createTrainer({ ...options, backend: createCpuBackend() });
    await finish(trainer);
    await finish(plain);
    const [found, wanted] = [await trainer.evaluate(options.dataset), await plain.evaluate(options.dataset)];
    expect(found.loss).toBeCloseTo(wanted.loss, 4);
    backend.dispose();
  });

  test("disposing of the backend is not recovered", async () => {
    const { backend } = await acquireLosable();
    const recoveries: Recovery[] = [];
    const trainer = await createTrainer({ ...options, backend, onRecovery: (one) => recoveries.push(one) });
    await finish(trainer, { maxSteps: 6 });
    trainer.dispose();
    backend.dispose();
    await backend.restart();
    expect(recoveries).toEqual([]);
  });
});

test("a second loss for another reason also says the first", async () => {
  const { backend, lose } = await acquireLosableWasm();
  const trainer = await createTrainer({ ...options, backend });
  lose("a thread died");
  await trainer.snapshot();
  lose("a function failed");
  await expect(trainer.snapshot()).rejects.toThrow(
    /lost \(a function failed\), twice within a minute; the first time, the device was lost \(a thread died\)\. /,
  );
  backend.dispose();
});

describe.each(backends)("a snapshot on $name", ({ create }) => {
  test("continues in another trainer with the same bits and events", async () => {
    const backend = await create();
    const whole = await createTrainer({ ...options, backend });
    const expected = logOf(await finish(whole, { every: 5 }));
    const first = await createTrainer({ ...options, backend });
    await finish(first, { maxSteps: 35 });
    const snapshot = await first.snapshot();
    const second = await createTrainer({ ...options, backend, resumeFrom: snapshot });
    expect(second.step).toBe(35);
    expect(logOf(await finish(second, { every: 5 }))).toEqual(expected.slice(7));
    expect(valuesOf(await second.snapshot())).toEqual(valuesOf(await whole.snapshot()));
    backend.dispose();
  });

  test("of another network or optimizer is refused by name", async () => {
    const backend = await create();
    const snapshot = await (await createTrainer({ ...options, backend })).snapshot();
    const wider = createTrainer({ ...options, model: smallModel(), backend, resumeFrom: snapshot });
    await expect(wider).rejects.toThrow(OptionError);
    await expect(wider).rejects.toThrow(/layers\.1\.weight: the snapshot does not contain it/);
    const parameters = { ...snapshot.parameters, "layers.0.bias": { shape: [5], values: new Float32Array(5) } };
    const resumed = createTrainer({ ...options, backend, resumeFrom: { ...snapshot, parameters } });
    await expect(resumed).rejects.toThrow(
      /layers\.0\.bias: its shape is \[5\] in the snapshot and \[6\] in this trainer/,
    );
    const optimizer = { ...snapshot.optimizer, velocity: { shape: [1], values: new Float32Array(1) } };
    const other = createTrainer({ ...options, backend, resumeFrom: { ...snapshot, optimizer } });
    await expect(other).rejects.toThrow(/velocity: this trainer does not have it/);
    backend.dispose();
  });
});
