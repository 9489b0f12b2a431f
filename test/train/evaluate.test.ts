import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { Backend } from "../../src/backends/backend.ts";
import { makeClassificationDataset, standardization, type ClassificationDataset } from "../../src/data/dataset.ts";
import { DeviceError } from "../../src/errors.ts";
import { activation, dense, dropout, flatten, modelFromConfig, sequential, type Model } from "../../src/nn/index.ts";
import { createEvaluator, createTrainer, probabilities, type Evaluator } from "../../src/train/index.ts";
import { backends } from "../backends.ts";
import { bytePictures, changedBackend, clouds, finish, smallModel } from "./examples.ts";

/** Part of a data set, as a data set. */
function slice(
  { name, features, shape, labels, classes }: ClassificationDataset,
  first: number,
  end: number,
): ClassificationDataset {
  const width = shape.reduce((product, size) => product * size, 1);
  const part = features.slice(first * width, end * width);
  return makeClassificationDataset({ name, features: part, shape, labels: labels.slice(first, end), classes });
}

describe.each(backends)("evaluation on $name", ({ create }) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await create();
  });
  afterAll(() => backend.dispose());

  const evaluatorOf = (model: Model, on = backend, dataset?: ClassificationDataset): Evaluator =>
    createEvaluator({
      model,
      backend: on,
      session: on.createSession(),
      normalization: dataset && standardization(dataset.features),
    });

  /** Loss and accuracy computed from the outputs of `predict`, on the CPU in float64. */
  async function judged(evaluator: Evaluator, { features, labels, count }: ClassificationDataset) {
    const outputs = await evaluator.predict(features);
    const shares = probabilities(outputs, 3);
    let [loss, correct] = [0, 0];
    labels.forEach((label, index) => {
      const row = shares.subarray(3 * index, 3 * index + 3);
      loss -= Math.log(row[label]!) / count;
      if (row[label] === Math.max(...row)) correct++;
    });
    return { loss, accuracy: correct / count };
  }

  test("evaluates a set that is larger than a chunk and not a multiple of it", async () => {
    const dataset = clouds(2317, { noise: 1 });
    const evaluator = evaluatorOf(smallModel(5));
    const found = await evaluator.evaluate(dataset);
    const wanted = await judged(evaluator, dataset);
    expect(found.count).toBe(2317);
    expect(found.accuracy).toBe(wanted.accuracy);
    expect(Math.abs(found.loss / wanted.loss - 1)).toBeLessThan(1e-5);
    const front = await evaluator.evaluate(slice(dataset, 0, 1000));
    const back = await evaluator.evaluate(slice(dataset, 1000, 2317));
    expect((front.loss * 1000 + back.loss * 1317) / 2317).toBeCloseTo(found.loss, 9);
    expect((front.accuracy * 1000 + back.accuracy * 1317) / 2317).toBeCloseTo(found.accuracy, 12);
  });

  test("gives the same results in small chunks, as small devices need them", async () => {
    const dataset = bytePictures(50);
    const layers = [flatten(), dense(7, { activation: "relu" }), dense(3)];
    const model = () => sequential(layers, { inputShape: [3, 5], seed: 2 });
    const whole = evaluatorOf(model(), backend, dataset);
    // The input is the widest tensor, with 60 bytes per example: chunks of 8, and of 2 at the end.
    const small = evaluatorOf(model(), changedBackend(backend, { maxTensorBytes: 500 }), dataset);
    const [wanted, found] = [await whole.evaluate(dataset), await small.evaluate(dataset)];
    expect(found.accuracy).toBe(wanted.accuracy);
    expect(found.loss).toBeCloseTo(wanted.loss, 5);
    const outputs = await small.predict(dataset.features);
    (await whole.predict(dataset.features)).forEach((value, index) => expect(outputs[index]).toBeCloseTo(value, 5));
    expect((await judged(small, dataset)).loss).toBeCloseTo(wanted.loss, 5);
  });

  test("keeps bytes and floats of one evaluator apart", async () => {
    const evaluator = evaluatorOf(sequential([activation("identity")], { inputShape: [4] }));
    expect([...(await evaluator.predict(Uint8Array.of(1, 2, 3, 255)))]).toEqual([1, 2, 3, 255]);
    expect([...(await evaluator.predict(Float32Array.of(0.5, -1, 2, 0)))]).toEqual([0.5, -1, 2, 0]);
    expect([...(await evaluator.predict(Uint8Array.of(9, 8, 7, 6, 5, 4, 3, 2)))]).toEqual([9, 8, 7, 6, 5, 4, 3, 2]);
  });

  test("compiles a graph again if that failed before", async () => {
    const session = backend.createSession();
    const evaluator = createEvaluator({ model: smallModel(), backend, session });
    const dataset = clouds(30);
    const shortage = new DeviceError({ what: "there is not enough memory" });
    const compile = vi.spyOn(session, "compile").mockRejectedValueOnce(shortage);
    await expect(evaluator.evaluate(dataset)).rejects.toBe(shortage);
    expect(await evaluator.evaluate(dataset)).toMatchObject({ count: 30, loss: expect.any(Number) as number });
    compile.mockRejectedValueOnce(shortage);
    await expect(evaluator.predict(dataset.features)).rejects.toBe(shortage);
    expect(await evaluator.predict(dataset.features)).toHaveLength(30 * 3);
    session.dispose();
  });

  test("does not apply dropout", async () => {
    const evaluator = evaluatorOf(sequential([dropout(0.9)], { inputShape: [3] }));
    expect([...(await evaluator.predict(Float32Array.of(1, 2, 3)))]).toEqual([1, 2, 3]);
  });

  test("gives the same numbers after a trained model is saved and loaded", async () => {
    const dataset = bytePictures(1050);
    const normalization = standardization(dataset.features);
    const layers = [flatten(), dense(6, { activation: "relu" }), dropout(0.1), dense(3)];
    const model = sequential(layers, { inputShape: [3, 5] });
    const run = { learningRate: 0.01, batchSize: 50, epochs: 1 };
    const trainer = await createTrainer({ model, dataset, backend, normalization, ...run });
    await finish(trainer);
    const wanted = await trainer.evaluate(dataset);
    const { parameters } = await trainer.snapshot();
    const outputs = await trainer.predict(dataset.features);
    trainer.dispose();
    const values = Object.fromEntries(Object.entries(parameters).map(([name, stored]) => [name, stored.values]));
    const loaded = modelFromConfig(JSON.parse(JSON.stringify(model.config)), values);
    const evaluator = evaluatorOf(loaded, backend, dataset);
    expect(await evaluator.evaluate(dataset)).toEqual(wanted);
    expect(await evaluator.predict(dataset.features)).toEqual(outputs);
  });

  test("uses the parameters after the steps submitted so far if it is called during training", async () => {
    const dataset = clouds(60);
    const options = { dataset, backend, learningRate: 0.02, batchSize: 10, epochs: 4 };
    const trainer = await createTrainer({ ...options, model: smallModel() });
    let [found, step] = [{}, 0];
    for await (const event of trainer.fit({ every: 6 })) {
      if (event.step !== 12) continue;
      step = trainer.step;
      found = await trainer.evaluate(dataset);
    }
    const again = await createTrainer({ ...options, model: smallModel() });
    await finish(again, { maxSteps: step });
    expect(await again.evaluate(dataset)).toEqual(found);
    trainer.dispose();
    again.dispose();
  });
});

test("probabilities are the softmax of each row, also for large logits", () => {
  const found = probabilities(Float32Array.of(0, Math.log(3), 1000, 1000, -Infinity, 5), 2);
  [0.25, 0.75, 0.5, 0.5, 0, 1].forEach((wanted, index) => expect(found[index]).toBeCloseTo(wanted, 6));
});
