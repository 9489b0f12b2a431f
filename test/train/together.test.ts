/*
 * A functional model with batch normalization and dropout, a stream, augmentation, weights, metrics and step inputs in
 * one run: it must continue from any step with the same bits, on every backend, whole and in parts.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Backend } from "../../src/backends/backend.ts";
import { makeStream } from "../../src/data/stream.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import { dense, dropout, functionalModel, layers, type Augmentation, type Batch } from "../../src/nn/index.ts";
import { abs, add, greater, multiply, subtract } from "../../src/ops/elementwise/index.ts";
import { concat } from "../../src/ops/indexing/index.ts";
import { reshape } from "../../src/ops/layout/index.ts";
import { sigmoidBinaryCrossEntropy } from "../../src/ops/losses/index.ts";
import { randomNormal } from "../../src/ops/random/index.ts";
import { Random } from "../../src/random.ts";
import { createTrainer, type Checkpoint, type TrainingProgress } from "../../src/train/index.ts";
import { backends } from "../backends.ts";
import { acquireLosableBackend } from "../gpu.ts";
import { finish, valuesOf } from "./examples.ts";

/** Pairs of points and whether they lie on the same side of a line, with one of four words and a weight. */
const pairs = makeStream({
  name: "pairs",
  tensors: {
    left: { shape: [2], dtype: "float32" },
    right: { shape: [2], dtype: "uint8" },
    word: { shape: [], dtype: "uint32" },
    same: { shape: [], dtype: "float32" },
    weights: { shape: [], dtype: "float32" },
  },
  stepsPerEpoch: 8,
  async *batches(fromStep, batchSize) {
    for (let step = fromStep; ; step++) {
      const random = new Random(5, step);
      if (step % 3 === 0) await Promise.resolve();
      const left = Float32Array.from({ length: 2 * batchSize }, () => random.normal());
      const right = Uint8Array.from({ length: 2 * batchSize }, () => random.below(256));
      const same = Float32Array.from({ length: batchSize }, (_, row) =>
        Number(left[2 * row]! > 0 === right[2 * row]! > 127),
      );
      const word = Uint32Array.from({ length: batchSize }, () => random.below(4));
      yield { left, right, word, same, weights: Float32Array.from(word, (one) => 0.5 + one / 3) };
    }
  },
});

const model = () => {
  const tower = layers.sequential([dense(8), layers.batchNorm({ momentum: 0.3 })]);
  const inputs = { left: [2], right: [2], word: { shape: [], dtype: "uint32" } } as const;
  return functionalModel({ inputs, seed: 3 }, ({ left, right, word }, { use }) => {
    const distance = abs(subtract(use(tower, left, "tower"), use(tower, right)));
    const meaning = use(layers.embedding(4, 2), word, "words");
    const joined = use(dropout(0.1), concat([distance, meaning], 1));
    return { logit: use(dense(1), joined, "decision"), distance };
  });
};

const noise: Augmentation = {
  name: "noise",
  apply: (batch, { keyAt }) => ({
    ...batch,
    left: add(batch["left"]!, multiply(randomNormal(batch["left"]!.shape, keyAt(0)), 0.05)),
  }),
};

const mistakes = ({ logit }: { readonly logit: Tensor }, batch: Batch) =>
  abs(subtract(reshape(greater(logit, 0), [-1]), batch["same"]!));

const options = (backend: Backend, microBatchSize: number) => ({
  model: model(),
  dataset: pairs,
  backend,
  microBatchSize,
  normalization: { right: { scale: 1 / 64, offset: -2 } },
  learningRate: 0.02,
  batchSize: 12,
  epochs: 5,
  averageDecay: 0.9,
  augment: [noise],
  stepInputs: { beta: (step: number) => Math.min(1, step / 20) },
  loss: ({ logit }: { readonly logit: Tensor }, batch: Batch) =>
    multiply(
      sigmoidBinaryCrossEntropy(logit, reshape(batch["same"]!, [-1, 1]), "none"),
      add(multiply(batch["beta"]!, 0.5), 0.5),
    ),
  metrics: { mistakes },
});

const logOf = (events: readonly TrainingProgress[]) =>
  events.map(({ step, epoch, loss, metrics }) => ({ step, epoch, loss, metrics }));

describe.each(backends)("everything together on $name", ({ create }) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await create();
  });
  afterAll(() => backend.dispose());

  test.each([12, 5])("continues from a checkpoint with the same bits and log, in parts of %i", async (part) => {
    const whole = await createTrainer(options(backend, part));
    const kept: Checkpoint[] = [];
    const save = async (checkpoint: Checkpoint) => void kept.push(checkpoint);
    const events = await finish(whole, { every: 7, checkpoint: { everySteps: 10, save } });
    const wanted = valuesOf(await whole.snapshot());
    const [, second] = kept;
    expect(second!.unreported).toMatchObject({ steps: 6, metrics: { mistakes: expect.any(Number) as number } });
    const resumed = await createTrainer({ ...options(backend, part), resumeFrom: structuredClone(second!) });
    const back = await finish(resumed, { every: 7 });
    expect(logOf(back)).toEqual(logOf(events).slice(2));
    expect(valuesOf(await resumed.snapshot())).toEqual(wanted);
    expect(wanted["layers.tower.1.runningMean"]!.every((value) => value !== 0)).toBe(true);
    for (const trainer of [whole, resumed]) trainer.dispose();
  });
});

test("a lost GPU is replaced, with the same bits and log as without a loss", async () => {
  const { backend, lose } = await acquireLosableBackend();
  const plain = await createTrainer(options(backend, 5));
  const wanted = logOf(await finish(plain, { every: 3 }));
  const values = valuesOf(await plain.snapshot());
  plain.dispose();
  const trainer = await createTrainer({ ...options(backend, 5), snapshotSeconds: 0.001 });
  const events: TrainingProgress[] = [];
  for await (const event of trainer.fit({ every: 3, stepsPerSubmit: 2 })) {
    events.push(event);
    if (event.step === 12) lose();
  }
  expect(logOf(events)).toEqual(wanted);
  expect(valuesOf(await trainer.snapshot())).toEqual(values);
  backend.dispose();
});
