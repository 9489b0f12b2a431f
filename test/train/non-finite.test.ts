import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Backend } from "../../src/backends/backend.ts";
import { makeClassificationDataset, makeRegressionDataset } from "../../src/data/dataset.ts";
import { DataError } from "../../src/errors.ts";
import { dense, sequential, type ActivationName, type LossName } from "../../src/nn/index.ts";
import { createTrainer, predictedClasses } from "../../src/train/index.ts";
import { backends } from "../backends.ts";
import { clouds, finish } from "./examples.ts";

const rectifying: readonly ActivationName[] = [
  "relu",
  "leakyRelu",
  "elu",
  "softplus",
  "gelu",
  "geluTanh",
  "silu",
  "sigmoid",
  "tanh",
];
const lossNames: readonly LossName[] = ["softmaxCrossEntropy", "sigmoidBinaryCrossEntropy", "meanSquaredError"];

describe.each(backends)("a network with NaN in a weight on $name", ({ create }) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await create();
  });
  afterAll(() => backend.dispose());

  const brokenTrainer = async (activation: ActivationName, loss: LossName) => {
    const model = sequential([dense(6, { activation }), dense(3)], { inputShape: [4] });
    const trainer = await createTrainer({
      model,
      dataset: clouds(20),
      backend,
      loss,
      learningRate: 0.1,
      batchSize: 10,
      epochs: 1,
      gradientNorm: true,
      onNonFinite: "ignore",
    });
    const snapshot = await trainer.snapshot();
    snapshot.parameters["layers.0.weight"]!.values[7] = NaN;
    trainer.restore(snapshot);
    return trainer;
  };

  test.each([
    ...rectifying.map((activation) => [activation, lossNames[0]!] as const),
    ...lossNames.slice(1).map((loss) => ["relu", loss] as const),
  ])("has NaN outputs, loss and gradient norm, with %s and %s", async (activation, loss) => {
    const trainer = await brokenTrainer(activation, loss);
    expect(Array.from(await trainer.predict(clouds(2).features))).toEqual(new Array(6).fill(NaN));
    expect((await trainer.evaluate(clouds(20))).loss).toBeNaN();
    const events = await finish(trainer, { every: 1 });
    expect(events.map((event) => [event.loss, event.gradientNorm])).toEqual([
      [NaN, NaN],
      [NaN, NaN],
    ]);
    trainer.dispose();
  });
});

test("the predicted class is the index of the first NaN, as for argmax", () => {
  expect(Array.from(predictedClasses(Float32Array.of(1, NaN, 2, NaN, 3, NaN, 5, 4, 6), 3))).toEqual([1, 0, 2]);
});

test.each([NaN, Infinity, -Infinity])("data sets with the feature %d are refused, naming its position", (value) => {
  const { features, ...rest } = clouds(6);
  const spoiled = Float32Array.from(features);
  spoiled[4 * 3 + 2] = value;
  const make = [
    () => makeClassificationDataset({ ...rest, features: spoiled }),
    () =>
      makeRegressionDataset({
        name: "clouds",
        shape: [4],
        features: spoiled,
        targets: new Float32Array(6),
        outputs: ["y"],
      }),
  ];
  for (const made of make) {
    expect(made).toThrow(DataError);
    expect(made).toThrow(`clouds: feature 2 of example 3 (both counted from 0) is ${value}.`);
  }
});
