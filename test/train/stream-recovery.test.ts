/*
 * Lost devices while training on a stream, whose batches are read again.
 */
import { describe, expect, test } from "vitest";
import { makeStream, type StreamBatch } from "../../src/data/stream.ts";
import { DeviceLostError } from "../../src/errors.ts";
import { createTrainer, runToEnd, type TrainingProgress } from "../../src/train/index.ts";
import { acquireLosableWasm } from "../wasm.ts";
import { finish, smallModel, valuesOf } from "./examples.ts";
import { batchesOf, dataset, described, logOf, run, saving, streamOf } from "./stream-examples.ts";

test.each([
  ["its batches are a function", () => streamOf(dataset, 6)],
  ["it saves its position", () => makeStream({ ...described(dataset), stepsPerEpoch: 6, batches: saving() })],
])("a lost device is replaced, and a stream is read again from the last snapshot: %s", async (_name, stream) => {
  const { backend, lose } = await acquireLosableWasm();
  const options = { ...run, model: smallModel(), backend, snapshotSeconds: 0.001 };
  const plain = await createTrainer({ ...options, dataset });
  const wanted = logOf(await finish(plain, { every: 1 }));
  const trainer = await createTrainer({ ...options, dataset: stream() });
  const events: TrainingProgress[] = [];
  for await (const event of trainer.fit({ every: 1, stepsPerSubmit: 2 })) {
    events.push(event);
    if (event.step === 9) lose();
  }
  expect(logOf(events)).toEqual(wanted);
  expect(valuesOf(await trainer.snapshot())).toEqual(valuesOf(await plain.snapshot()));
  backend.dispose();
});

describe("while a call waits for a batch, another call replaces a lost device, and", () => {
  /** A stream whose batch 9 arrives only if it is read again, and what resolves when it is awaited. */
  function stuckStream() {
    let isAwaited = () => {};
    const awaited = new Promise<void>((resolve) => (isAwaited = resolve));
    let isFirst = true;
    const stream = makeStream({
      ...described(dataset),
      stepsPerEpoch: 6,
      async *batches(fromStep, size) {
        for (let step = fromStep; ; step++) {
          if (step === 9 && isFirst) {
            isFirst = false;
            isAwaited();
            await new Promise(() => {});
          }
          yield batchesOf(dataset, step, size);
        }
      },
    });
    return { stream, awaited };
  }

  test.each([
    ["", undefined],
    [", with a signal", new AbortController().signal],
  ])("fit goes on behind the repeated steps%s", async (_name, signal) => {
    const { backend, lose } = await acquireLosableWasm();
    const options = { ...run, model: smallModel(), backend };
    const plain = await createTrainer({ ...options, dataset });
    const wanted = logOf(await finish(plain, { every: 1 }));
    const { stream, awaited } = stuckStream();
    const trainer = await createTrainer({ ...options, dataset: stream });
    const events: TrainingProgress[] = [];
    const training = runToEnd(trainer.fit({ every: 1, stepsPerSubmit: 2, signal }), (event) => events.push(event));
    await awaited;
    await expect.poll(() => events.length).toBe(9);
    lose();
    await trainer.evaluate(dataset);
    await training;
    expect(logOf(events)).toEqual(wanted);
    expect(valuesOf(await trainer.snapshot())).toEqual(valuesOf(await plain.snapshot()));
    backend.dispose();
  });

  test("profile measures the step on the other device", async () => {
    const { backend, lose } = await acquireLosableWasm();
    const { stream } = stuckStream();
    const trainer = await createTrainer({ ...run, model: smallModel(), backend, dataset: stream });
    await finish(trainer, { maxSteps: 9 });
    const profiling = trainer.profile();
    lose();
    await trainer.evaluate(dataset);
    expect(await profiling).toHaveLength(trainer.dispatches.length);
    expect(trainer.step).toBe(10);
    backend.dispose();
  });
});

test("a lost device ends the run if the stream can only be read once, and the error says so", async () => {
  const { backend, lose } = await acquireLosableWasm();
  const once = makeStream({ ...described(dataset), batches: onceOf() });
  const trainer = await createTrainer({ ...run, model: smallModel(), backend, dataset: once, maxSteps: 30 });
  const training = (async () => {
    for await (const { step } of trainer.fit({ every: 1, stepsPerSubmit: 2 })) if (step === 9) lose();
  })();
  await expect(training).rejects.toThrow(DeviceLostError);
  await expect(training).rejects.toThrow(/the steps cannot be repeated: stream can only be read once/);
  backend.dispose();
});

/** Batches that can be read once. */
function* onceOf(): Generator<StreamBatch> {
  for (let step = 0; ; step++) yield batchesOf(dataset, step, 10);
}
