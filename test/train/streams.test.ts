import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Backend } from "../../src/backends/backend.ts";
import { createCpuBackend } from "../../src/backends/cpu/index.ts";
import { epochOrder } from "../../src/data/order.ts";
import { makeStream, type DataStream, type StreamBatch } from "../../src/data/stream.ts";
import { takeExamples } from "../../src/data/split.ts";
import { DataError, OptionError } from "../../src/errors.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import type { Batch } from "../../src/nn/batch.ts";
import { accuracy as correct } from "../../src/nn/metrics.ts";
import { createTrainer, type Snapshot, type TrainerOptions } from "../../src/train/index.ts";
import { backends } from "../backends.ts";
import { bytePictures, changedBackend, finish, smallModel, valuesOf } from "./examples.ts";
import { batchesOf, dataset, described, logOf, pause, run, saving, streamOf } from "./stream-examples.ts";

describe.each(backends)("a stream on $name", ({ create }) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await create();
  });
  afterAll(() => backend.dispose());

  async function trained(options: Partial<TrainerOptions>) {
    const trainer = await createTrainer({ ...run, model: smallModel(), dataset, backend, ...options });
    const events = await finish(trainer, { every: 3 });
    const values = valuesOf(await trainer.snapshot());
    const found = { events: logOf(events), values, dispatches: trainer.dispatches.length };
    trainer.dispose();
    return found;
  }

  test.each([10, 4])("trains to the same bits as a data set with the same batches, in parts of %i", async (part) => {
    const wanted = await trained({ microBatchSize: part });
    const { events, values } = await trained({ microBatchSize: part, dataset: streamOf(dataset, 6) });
    expect(values).toEqual(wanted.values);
    expect(events).toEqual(wanted.events);
  });

  test("passes bytes through a window of few steps, whole and in parts", async () => {
    const pictures = bytePictures(60);
    const small = changedBackend(backend, { maxTensorBytes: 700 });
    for (const microBatchSize of [10, 7]) {
      const options = { model: smallModel(1, [15]), normalization: { scale: 1 / 64, offset: -2 }, microBatchSize };
      const wanted = await trained({ ...options, dataset: pictures });
      const found = await trained({ ...options, dataset: streamOf(pictures, 6), backend: small });
      expect(found.values).toEqual(wanted.values);
      expect(found.events).toEqual(wanted.events);
    }
  });
});

const cpu = createCpuBackend();
const start = (stream: DataStream, more: Partial<TrainerOptions> = {}) =>
  createTrainer({ ...run, model: smallModel(), dataset: stream, backend: cpu, ...more });

describe("a stream", () => {
  test("continues from a snapshot, and from a step that it left, with the same bits", async () => {
    const whole = await start(streamOf(dataset, 6));
    const events = await finish(whole, { every: 1 });
    const first = await start(streamOf(dataset, 6));
    const front = await finish(first, { every: 1, maxSteps: 7 });
    const snapshot = await first.snapshot();
    const middle = await finish(first, { every: 1, maxSteps: 4 });
    const second = await start(streamOf(dataset, 6), { resumeFrom: snapshot });
    const back = await finish(second, { every: 1 });
    expect(logOf([...front, ...back])).toEqual(logOf(events));
    expect(valuesOf(await second.snapshot())).toEqual(valuesOf(await whole.snapshot()));
    first.restore(snapshot);
    expect(logOf(await finish(first, { every: 1 }))).toEqual(logOf([...middle, ...events.slice(11)]));
    expect(valuesOf(await first.snapshot())).toEqual(valuesOf(await whole.snapshot()));
  });

  test("is read ahead while the device works, but not without limit nor beyond the run", async () => {
    let read = 0;
    const stream = makeStream({
      ...described(dataset),
      *batches(fromStep, size) {
        for (let step = fromStep; ; step++, read++) yield batchesOf(dataset, step, size);
      },
    });
    const trainer = await start(stream, { maxSteps: 150, epochs: 1 });
    await pause();
    expect(read).toBe(63);
    await finish(trainer, { maxSteps: 10, stepsPerSubmit: 1 });
    await pause();
    expect(read).toBe(73);
    const events = await finish(trainer);
    expect(events.at(-1)).toMatchObject({ step: 150, epoch: 1, totalSteps: 150 });
    expect(read).toBe(149);
  });

  test("that is slow lets other work run, and a signal end the wait", async () => {
    let give = () => {};
    const stream = makeStream({
      ...described(dataset),
      async *batches(fromStep, size) {
        for (let step = fromStep; ; step++) {
          if (step === 4) await new Promise<void>((resolve) => (give = resolve));
          yield batchesOf(dataset, step, size);
        }
      },
    });
    const trainer = await start(stream, { maxSteps: 8 });
    const abort = new AbortController();
    const steps: number[] = [];
    for await (const { step } of trainer.fit({ every: 2, signal: abort.signal })) {
      steps.push(step);
      if (step === 4) setTimeout(() => abort.abort(), 20);
    }
    expect(steps).toEqual([2, 4]);
    give();
    expect((await finish(trainer, { every: 2 })).map(({ step }) => step)).toEqual([6, 8]);
  });

  test("may end after each epoch, and is closed at the end of the run", async () => {
    const opened: number[] = [];
    let closed = 0;
    const stream = makeStream({
      ...described(dataset),
      stepsPerEpoch: 6,
      *batches(fromStep, size) {
        opened.push(fromStep);
        try {
          for (let step = fromStep; step === fromStep || step % 6 !== 0; step++) yield batchesOf(dataset, step, size);
        } finally {
          closed++;
        }
      },
    });
    const trainer = await start(stream);
    const wanted = await start(streamOf(dataset, 6));
    expect(logOf(await finish(trainer))).toEqual(logOf(await finish(wanted)));
    expect(opened).toEqual([0, 6, 12, 18]);
    await expect.poll(() => closed).toBe(4);
  });

  test("that ends early, fails or has a wrong batch ends fit after the steps before, and fit can try again", async () => {
    let faults = 1;
    const failing = (fault: (batch: StreamBatch) => StreamBatch | undefined) =>
      makeStream({
        ...described(dataset),
        *batches(fromStep, size) {
          for (let step = fromStep; ; step++) {
            const batch = batchesOf(dataset, step, size);
            const given = step === 3 && faults-- > 0 ? fault(batch) : batch;
            if (!given) return;
            yield given;
          }
        },
      });
    const cases: [(batch: StreamBatch) => StreamBatch | undefined, RegExp][] = [
      [() => undefined, /^stream: the batches end before batch 3, counted from 0, which is not the end of an epoch/],
      [
        () => {
          throw new TypeError("the disk is gone");
        },
        /^stream: reading batch 3, counted from 0, failed: the disk is gone/,
      ],
      [
        ({ labels }) => ({ labels: labels! }),
        /^stream: features of batch 3, counted from 0, is missing. Give a Float32Array/,
      ],
      [({ features }) => ({ features: features!, labels: new Uint8Array(10) }), /labels of batch 3.* of another type/],
      [({ labels }) => ({ labels: labels!, features: new Float32Array(8) }), /has 8 values, not 40. Give 10 examples/],
      [
        ({ features }) => ({ features: features!, labels: new Uint32Array(10).fill(3, 4) }),
        /label 3 of example 4 of batch 3, counted from 0, is outside 0 … 2/,
      ],
    ];
    for (const [fault, message] of cases) {
      faults = 1;
      const trainer = await start(failing(fault), { maxSteps: 6 });
      const fit = finish(trainer, { every: 1 });
      await expect(fit).rejects.toThrow(DataError);
      await expect(fit).rejects.toThrow(message);
      expect(trainer.step).toBe(3);
      expect((await finish(trainer, { every: 1 })).map(({ step }) => step)).toEqual([4, 5, 6]);
    }
  });

  test("with an end is evaluated batch by batch, like a data set of the same examples", async () => {
    const metrics = { share: (outputs: Tensor, { labels }: Batch) => correct(outputs, labels!) };
    const options = { ...run, backend: cpu, model: smallModel(), dataset, averageDecay: 0.9, metrics };
    const trainer = await createTrainer(options);
    await finish(trainer, { maxSteps: 9 });
    for (const average of [false, true]) {
      const wanted = await trainer.evaluate(dataset, { average });
      const found = await trainer.evaluate(streamOf(dataset, 6), { average });
      expect(found.count).toBe(60);
      expect(found.loss).toBeCloseTo(wanted.loss, 6);
      expect([found.accuracy, found.metrics!.share]).toEqual([
        expect.closeTo(wanted.accuracy, 12),
        expect.closeTo(wanted.accuracy, 6),
      ]);
    }
    const part = await trainer.evaluate(streamOf(dataset, 2));
    const examples = epochOrder(60, 1, 0).slice(0, 20);
    expect(part.loss).toBeCloseTo((await trainer.evaluate(takeExamples(dataset, examples, "part"))).loss, 6);
    const short = makeStream({ ...described(dataset), stepsPerEpoch: 3, batches: () => [batchesOf(dataset, 0, 10)] });
    await expect(trainer.evaluate(short)).rejects.toThrow(/^stream: the batches end before batch 1/);
    await expect(trainer.evaluate(streamOf(dataset))).rejects.toThrow(/does not say how many batches.*stepsPerEpoch/);
    const once = makeStream({ ...described(dataset), stepsPerEpoch: 6, batches: saving() });
    await expect(trainer.evaluate(once)).rejects.toThrow(/has no start to evaluate from.*Give batches as a function/);
    trainer.dispose();
  });
});

describe("resuming a stream", () => {
  test("that can only be read once is refused, though it trains", async () => {
    const list = Array.from({ length: 6 }, (_, step) => batchesOf(dataset, step, 10));
    const once = makeStream({ ...described(dataset), batches: list, stepsPerEpoch: 6 });
    const trainer = await start(once, { epochs: 2 });
    const middle = await trainer.snapshot();
    expect((await finish(trainer, { every: 6 })).map(({ step }) => step)).toEqual([6, 12]);
    expect(() => trainer.restore(middle)).toThrow(/can only be read once, and not again from batch 0 on/);
    const snapshot = await trainer.snapshot();
    const resumed = start(once, { epochs: 3, resumeFrom: snapshot });
    await expect(resumed).rejects.toThrow(OptionError);
    await expect(resumed).rejects.toThrow(/not again from batch 12 on.* Give batches as a function/);
  });

  test("that saves its position continues from a snapshot, in another trainer and in its own", async () => {
    const start1 = () => start(makeStream({ ...described(dataset), stepsPerEpoch: 6, batches: saving() }));
    const whole = await start1();
    const events = await finish(whole, { every: 1 });
    const first = await start1();
    await finish(first, { maxSteps: 7 });
    const snapshot = JSON.parse(JSON.stringify(await first.snapshot())) as Snapshot;
    expect(snapshot.stream).toEqual({ position: 7 });
    const taken = { ...(await first.snapshot()), stream: snapshot.stream };
    const second = await start(makeStream({ ...described(dataset), stepsPerEpoch: 6, batches: saving() }), {
      resumeFrom: taken,
    });
    expect(logOf(await finish(second, { every: 1 }))).toEqual(logOf(events.slice(7)));
    await finish(first, { maxSteps: 4 });
    first.restore(taken);
    expect(logOf(await finish(first, { every: 1 }))).toEqual(logOf(events.slice(7)));
    for (const trainer of [first, second])
      expect(valuesOf(await trainer.snapshot())).toEqual(valuesOf(await whole.snapshot()));
    const { stream: _stream, ...without } = taken;
    const unknown = start(makeStream({ ...described(dataset), batches: saving() }), {
      maxSteps: 9,
      resumeFrom: without,
    });
    await expect(unknown).rejects.toThrow(/the position of this stream before batch 7, counted from 0, is not known/);
  });

  test.each<[string, RegExp, (features: Float32Array) => Float32Array]>([
    ["is not finite", /step 6: .*not finite/, (features) => features.fill(NaN)],
    ["has a wrong size", /features of batch 5.* has 39 values/, (features) => features.subarray(1)],
  ])("a batch that %s is read again from a saved position", async (_name, message, spoil) => {
    let left = 1;
    const source = saving((step, features) => (step === 5 && left-- > 0 ? spoil(features) : features));
    const trainer = await start(makeStream({ ...described(dataset), batches: source }), { maxSteps: 12 });
    await expect(finish(trainer)).rejects.toThrow(message);
    expect(trainer.step).toBe(5);
    await finish(trainer);
    const wanted = await start(makeStream({ ...described(dataset), batches: saving() }), { maxSteps: 12 });
    await finish(wanted);
    expect(valuesOf(await trainer.snapshot())).toEqual(valuesOf(await wanted.snapshot()));
  });

  test("a step that is not finite is read again when the run continues", async () => {
    const stream = (spoiled: () => boolean) =>
      makeStream({
        ...described(dataset),
        *batches(fromStep, size) {
          for (let step = fromStep; ; step++) {
            const { features, labels } = batchesOf(dataset, step, size);
            yield { features: step === 5 && spoiled() ? features!.map(() => NaN) : features!, labels: labels! };
          }
        },
      });
    let left = 1;
    const trainer = await start(
      stream(() => left-- > 0),
      { maxSteps: 12 },
    );
    await expect(finish(trainer)).rejects.toThrow(/step 6: .*not finite/);
    expect(trainer.step).toBe(5);
    await finish(trainer);
    const wanted = await start(
      stream(() => false),
      { maxSteps: 12 },
    );
    await finish(wanted);
    expect(valuesOf(await trainer.snapshot())).toEqual(valuesOf(await wanted.snapshot()));
    expect((await trainer.evaluate(dataset)).loss).toBe((await wanted.evaluate(dataset)).loss);
  });

  test("options that do not fit a stream are refused", async () => {
    const endless = streamOf(dataset);
    await expect(start(endless)).rejects.toThrow(/stream: this stream does not say how many batches an epoch has/);
    await expect(start(endless, { maxSteps: 5, batchSize: "full" })).rejects.toThrow(/not a batch size of a stream/);
    await expect(start(endless, { maxSteps: 5, classWeights: "balanced" })).rejects.toThrow(/^classWeights: .* stream/);
    const model = smallModel(1, [5]);
    await expect(start(endless, { maxSteps: 5, model })).rejects.toThrow(/^stream: an example has the shape \[4\]/);
  });
});
