import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Backend } from "../../src/backends/backend.ts";
import { makeTensorDataset } from "../../src/data/tensor-dataset.ts";
import { dense, dropout, functionalModel, layers, sequential } from "../../src/nn/index.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import { abs, greater, multiply, square, subtract } from "../../src/ops/elementwise/index.ts";
import { concat, slice } from "../../src/ops/indexing/index.ts";
import { reshape } from "../../src/ops/layout/index.ts";
import { meanSquaredError, sigmoidBinaryCrossEntropy } from "../../src/ops/losses/index.ts";
import { mean, sum } from "../../src/ops/reduce/index.ts";
import { Random } from "../../src/random.ts";
import { createEvaluator, createTrainer } from "../../src/train/index.ts";
import { backends } from "../backends.ts";
import { bytePictures, changedBackend, clouds, finish, valuesOf } from "./examples.ts";

const chain = [dense(6, { activation: "tanh" }), dropout(0.2), dense(3)];
const run = { learningRate: 0.02, batchSize: 10, epochs: 4 };

/** The same chain of layers as both kinds of model. */
const both = () => ({
  plain: sequential(chain, { inputShape: [4] }),
  functional: functionalModel({ inputs: { cloud: [4] } }, ({ cloud }, { use }) => ({
    logits: chain.reduce((x, layer) => use(layer, x), cloud),
  })),
});

/** Pairs of points, and whether they lie on the same side of a line. */
function pairs(count: number) {
  const random = new Random(7);
  const values = () => Float32Array.from({ length: 2 * count }, () => random.normal());
  const [left, right] = [values(), values()];
  const same = Float32Array.from({ length: count }, (_, index) =>
    Number(left[2 * index]! > 0 === right[2 * index]! > 0),
  );
  return makeTensorDataset({
    name: "pairs",
    tensors: {
      left: { values: left, shape: [2] },
      right: { values: right, shape: [2] },
      same: { values: same, shape: [] },
    },
  });
}

const siamese = () => {
  const hidden = dense(8, { activation: "tanh" });
  return functionalModel({ inputs: { left: [2], right: [2] } }, ({ left, right }, { use }) => ({
    same: use(dense(1), abs(subtract(use(hidden, left), use(hidden, right))), "decision"),
    leftCode: use(hidden, left),
  }));
};

describe.each(backends)("functional models on $name", ({ create }) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await create();
  });
  afterAll(() => backend.dispose());

  test("a chain of layers trains to the same bits with the same dispatches as a sequential model", async () => {
    const dataset = clouds(60);
    const { plain, functional } = both();
    const trained = async (model: typeof plain | typeof functional) => {
      const trainer = await createTrainer({ ...run, model, dataset, backend, averageDecay: 0.9 });
      const events = await finish(trainer, { every: 6 });
      const found = {
        events: events.map(({ step, loss, accuracy: share }) => ({ step, loss, share })),
        values: valuesOf(await trainer.snapshot()),
        dispatches: trainer.dispatches,
        evaluation: await trainer.evaluate(dataset),
        averaged: await trainer.evaluate(dataset, { average: true }),
      };
      trainer.dispose();
      return found;
    };
    const wanted = await trained(plain);
    expect(await trained(functional)).toEqual(wanted);
    expect(wanted.evaluation.accuracy).toBeGreaterThan(0.5);
    expect(wanted.averaged.loss).not.toBe(wanted.evaluation.loss);
  });

  test("takes several inputs by name, with a loss and metrics over the batch", async () => {
    const dataset = pairs(200);
    const trainer = await createTrainer({
      ...run,
      model: siamese(),
      dataset,
      backend,
      epochs: 30,
      loss: ({ same }, batch) => sigmoidBinaryCrossEntropy(same, reshape(batch["same"]!, [-1, 1]), "none"),
      metrics: { mistakes: ({ same }, batch) => abs(subtract(greater(reshape(same, [-1]), 0), batch["same"]!)) },
    });
    const events = await finish(trainer, { every: 20 });
    const evaluation = await trainer.evaluate(dataset);
    expect(events.at(-1)!.metrics!["mistakes"]).toBeLessThan(0.1);
    expect(evaluation.metrics!["mistakes"]).toBeLessThan(0.1);
    expect(events[0]!.metrics!["mistakes"]).toBeGreaterThan(0.2);
    expect(evaluation.accuracy).toBeNaN();
    const { left, right } = dataset.tensors;
    const inputs = { left: left!.values.subarray(0, 10), right: right!.values.subarray(0, 10) };
    const outputs = await trainer.predict(inputs);
    expect([outputs.same.length, outputs.leftCode.length]).toEqual([5, 40]);
    const decided = Array.from(outputs.same, (logit) => Number(logit > 0));
    const wrong = decided.filter((one, index) => one !== dataset.tensors["same"]!.values[index]).length;
    expect(wrong).toBeLessThanOrEqual(1);
    trainer.dispose();
  });

  test("predicts the same outputs for one example and for many, with a scalar output", async () => {
    const model = functionalModel(
      { inputs: { x: [2], word: { shape: [], dtype: "uint32" } } },
      ({ x, word }, { use }) => ({ total: sum(multiply(use(layers.embedding(5, 2), word, "words"), x), { axes: 1 }) }),
    );
    const evaluator = createEvaluator({ model, backend, session: backend.createSession() });
    const x = Float32Array.of(1, 2, 3, 4, 5, 6);
    const word = Uint32Array.of(4, 0, 2);
    const { total } = await evaluator.predict({ x, word });
    const alone = await evaluator.predict({ x: x.subarray(2, 4), word: word.subarray(1, 2) });
    expect([...alone.total]).toEqual([total[1]]);
    const runs = await Promise.all([
      evaluator.predict({ x, word }),
      evaluator.predict({ x: Uint8Array.from(x), word }),
    ]);
    for (const found of runs) expect(found.total).toEqual(total);
  });

  test("tensors of all types that are larger than a binding give the same bits as resident ones", async () => {
    const random = new Random(2);
    const count = 50;
    const dataset = makeTensorDataset({
      name: "words",
      tensors: {
        word: { values: Uint32Array.from({ length: 2 * count }, () => random.below(5)), shape: [2] },
        gray: { values: Uint8Array.from({ length: count }, () => random.below(256)), shape: [] },
        pixels: { values: Uint8Array.from({ length: 6 * count }, () => random.below(256)), shape: [2, 3] },
        unused: { values: new Float32Array(9 * count), shape: [9] },
        y: { values: Float32Array.from({ length: count }, () => random.normal()), shape: [] },
      },
    });
    const inputs = { word: { shape: [2], dtype: "uint32" }, gray: [], pixels: [6] } as const;
    const model = functionalModel({ inputs }, ({ word, gray, pixels }, { use }) => {
      const known = reshape(use(layers.embedding(5, 3), word), [-1, 6]);
      return { y: use(dense(1), concat([known, reshape(gray, [-1, 1]), pixels], 1)) };
    });
    const trained = async (on: Backend, microBatchSize: number) => {
      const bytes = { scale: 1 / 128, offset: -1 };
      const trainer = await createTrainer({
        ...run,
        model,
        dataset,
        backend: on,
        microBatchSize,
        epochs: 2,
        normalization: { gray: bytes, pixels: { scale: [1, 2, 3, 4, 5, 6].map((n) => n / 256), offset: -0.5 } },
        loss: ({ y }, batch) => meanSquaredError(reshape(y, [-1]), batch["y"]!, "none"),
      });
      const losses = (await finish(trainer, { every: 1 })).map(({ loss }) => loss);
      const values = valuesOf(await trainer.snapshot());
      const { loss } = await trainer.evaluate(dataset);
      trainer.dispose();
      return { losses, values, loss };
    };
    for (const part of [10, 4]) {
      const wanted = await trained(backend, part);
      const found = await trained(changedBackend(backend, { maxTensorBytes: 1000 }), part);
      expect({ ...found, loss: 0 }).toEqual({ ...wanted, loss: 0 });
      expect(found.loss).toBeCloseTo(wanted.loss, 5);
    }
  });

  test("refuses whole numbers that are beyond the table of an embedding, where they are used", async () => {
    const model = functionalModel({ inputs: { words: { shape: [2], dtype: "uint32" } } }, ({ words }, { use }) => ({
      y: use(layers.embedding(4, 1), words),
    }));
    const dataset = (words: readonly number[]) =>
      makeTensorDataset({ name: "words", tensors: { words: { values: Uint32Array.from(words), shape: [2] } } });
    const options = { ...run, model, backend, batchSize: 1, loss: ({ y }: { y: Tensor }) => mean(square(y)) };
    const message = "element 3 is 4, but take needs whole numbers in 0 … 3";
    await expect(createTrainer({ ...options, dataset: dataset([0, 1, 2, 4]) })).rejects.toThrow(
      `write words uint32[2, 2]: ${message}`,
    );
    const trainer = await createTrainer({ ...options, dataset: dataset([0, 1, 2, 3]) });
    await finish(trainer);
    await expect(trainer.evaluate(dataset([0, 1, 2, 4]))).rejects.toThrow(message);
    await expect(trainer.predict({ words: Uint32Array.of(0, 1, 2, 4) })).rejects.toThrow(message);
    trainer.dispose();
  });

  test("refuses float32 and bytes that are no indices of an embedding, unless they are normalized or a part", async () => {
    const embedded = sequential([layers.embedding(4, 1)], { inputShape: [2] });
    const wanted = "but toIndex needs whole numbers in 0 … 3";
    const options = { ...run, model: embedded, backend, batchSize: 1, loss: (y: Tensor) => mean(square(y)) };
    const dataset = (values: readonly number[], Type: typeof Float32Array | typeof Uint8Array = Float32Array) =>
      makeTensorDataset({ name: "words", tensors: { features: { values: Type.from(values), shape: [2] } } });
    for (const Type of [Float32Array, Uint8Array])
      await expect(createTrainer({ ...options, dataset: dataset([0, 1, 2, 4], Type) })).rejects.toThrow(
        `element 3 is 4, ${wanted}`,
      );
    await expect(createTrainer({ ...options, dataset: dataset([0, 1.5, 2, 3]) })).rejects.toThrow(
      `element 1 is 1.5, ${wanted}`,
    );
    const trainer = await createTrainer({ ...options, dataset: dataset([0, 1, 2, 3]) });
    await finish(trainer);
    await expect(trainer.evaluate(dataset([0, 1, 2, 4]))).rejects.toThrow(wanted);
    await expect(trainer.predict(Float32Array.of(-1, 0))).rejects.toThrow(`element 0 is -1, ${wanted}`);
    trainer.dispose();
    const normalization = { scale: 0.5, offset: 0 };
    (await createTrainer({ ...options, dataset: dataset([0, 1, 2, 6]), normalization })).dispose();
    // The first number is a word, and the second one a price.
    const model = functionalModel({ inputs: { features: [2] } }, ({ features }, { use }) => ({
      y: use(layers.embedding(4, 1), slice(features, [undefined, { end: 1 }])),
    }));
    const loss = ({ y }: { y: Tensor }) => mean(square(y));
    (await createTrainer({ ...options, model, loss, dataset: dataset([0, 1.5, 2, 6]) })).dispose();
  });

  test("an autoencoder uses its features as targets, with bytes and without labels on the device", async () => {
    const dataset = bytePictures(40);
    const written: string[] = [];
    const model = sequential([dense(8, { activation: "tanh" }), dense(15)], { inputShape: [15] });
    const trainer = await createTrainer({
      ...run,
      model,
      dataset,
      backend: recording(backend, written),
      normalization: { scale: 1 / 128, offset: -1 },
      epochs: 40,
      loss: (outputs, { features }) => meanSquaredError(outputs, features!, "none"),
    });
    const events = await finish(trainer, { every: 40 });
    expect(events.at(-1)!.loss).toBeLessThan(events[0]!.loss / 4);
    expect([...new Set(written)].toSorted()).toEqual(["features", "order"]);
    const { loss } = await trainer.evaluate(dataset);
    const outputs = await trainer.predict(dataset.features);
    const wanted = outputs.reduce((all, y, index) => all + (y - (dataset.features[index]! / 128 - 1)) ** 2, 0);
    expect(loss).toBeCloseTo(wanted / outputs.length, 5);
    trainer.dispose();
  });
});

/** A backend that records the names of the inputs that are written. */
function recording(backend: Backend, names: string[]): Backend {
  const changed = changedBackend(backend, {});
  return {
    ...changed,
    createSession() {
      const session = changed.createSession();
      return {
        ...session,
        write(leaf, values, first) {
          if (leaf.op.name === "input") names.push((leaf.attributes as { name: string }).name);
          session.write(leaf, values, first);
        },
      };
    },
  };
}
