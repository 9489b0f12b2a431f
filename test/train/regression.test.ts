import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Backend } from "../../src/backends/backend.ts";
import { columnStandardization, makeRegressionDataset } from "../../src/data/dataset.ts";
import { loadModel, saveModel } from "../../src/formats/model.ts";
import { dense, sequential } from "../../src/nn/index.ts";
import { Random } from "../../src/random.ts";
import { createEvaluator, createTrainer } from "../../src/train/index.ts";
import { backends } from "../backends.ts";
import { clouds, finish } from "./examples.ts";

/** Two outputs that are linear in two inputs with very different units. */
function plane(count: number) {
  const random = new Random(7);
  const features = new Float32Array(2 * count);
  const targets = new Float32Array(2 * count);
  for (let row = 0; row < count; row++) {
    const [metres, dollars] = [random.normal(0, 0.01), random.normal(50_000, 10_000)];
    features.set([metres, dollars], 2 * row);
    targets.set([100 * metres + 1, dollars / 10_000 - 200 * metres], 2 * row);
  }
  return makeRegressionDataset({ name: "plane", features, shape: [2], targets, outputs: ["up", "down"] });
}

describe.each(backends)("regression on $name", ({ create }) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await create();
  });
  afterAll(() => backend.dispose());

  const dataset = plane(64);
  const normalization = columnStandardization(dataset.features, 2);

  test.each([16, "full"] as const)(
    "finds the plane through columns with different units, batch size %s",
    async (batchSize) => {
      const model = sequential([dense(2)], { inputShape: [2] });
      const options = { model, dataset, backend, normalization, learningRate: 0.1, batchSize, epochs: 400 } as const;
      const trainer = await createTrainer({ ...options, microBatchSize: 7 });
      const events = await finish(trainer);
      expect(events.every(({ accuracy }) => Number.isNaN(accuracy))).toBe(true);
      const { loss, accuracy } = await trainer.evaluate(dataset);
      expect(loss).toBeLessThan(1e-6);
      expect(accuracy).toBeNaN();
      const predicted = await trainer.predict(dataset.features);
      dataset.targets.forEach((target, index) => expect(Math.abs(predicted[index]! - target)).toBeLessThan(5e-3));

      const trained = {
        model,
        loss: "meanSquaredError",
        normalization,
        classes: [],
        outputs: dataset.outputs,
        step: 1,
        training: {},
      } as const;
      const loaded = loadModel(saveModel(trained, (await trainer.snapshot()).parameters), "plane");
      expect(loaded).toMatchObject({ outputs: ["up", "down"], classes: [], normalization });
      const evaluator = createEvaluator({ ...loaded, backend, session: backend.createSession() });
      expect(await evaluator.evaluate(dataset)).toEqual({ loss, accuracy: NaN, count: 64 });
      trainer.dispose();
    },
  );

  test("refuses models and losses that do not fit, with names and numbers", async () => {
    const options = { dataset, backend, learningRate: 0.1, batchSize: 8, epochs: 1 };
    const model = sequential([dense(2)], { inputShape: [2] });
    await expect(createTrainer({ ...options, model, loss: "softmaxCrossEntropy" })).rejects.toThrow(
      /supports only classification\. Choose meanSquaredError/,
    );
    const wide = sequential([dense(3)], { inputShape: [2] });
    await expect(createTrainer({ ...options, model: wide })).rejects.toThrow(
      /output is \[3\] but an example has 2 targets.*dense\(2\)/,
    );
    const scale = { scale: [1, 2, 3], offset: 0 };
    await expect(createTrainer({ ...options, model, normalization: scale })).rejects.toThrow(
      /normalization scale: 3 values for 2 features/,
    );
    const perTarget = { name: "mine", perTarget: (outputs: never) => outputs };
    const classes = { ...options, dataset: clouds(60), model: sequential([dense(3)], { inputShape: [4] }) };
    await expect(createTrainer({ ...classes, loss: perTarget })).rejects.toThrow(
      /mine: this loss does not support classification/,
    );
  });
});

test("refuses targets that are missing or not finite", () => {
  const parts = { name: "heights", features: Float32Array.of(1, 2), shape: [1], outputs: ["height"] };
  expect(() => makeRegressionDataset({ ...parts, targets: Float32Array.of(1) })).toThrow(
    /heights: 2 examples of shape \[1\] but 1 rows of targets/,
  );
  expect(() => makeRegressionDataset({ ...parts, targets: Float32Array.of(1, NaN) })).toThrow(
    /target "height" of example 1 is NaN/,
  );
});
