import { describe, expect, test } from "vitest";
import { createCpuBackend } from "../../src/backends/cpu/index.ts";
import { makeClassificationDataset } from "../../src/data/dataset.ts";
import { OptionError } from "../../src/errors.ts";
import { dense, flatten, sequential, type LossName } from "../../src/nn/index.ts";
import { createEvaluator, createTrainer, type TrainerOptions } from "../../src/train/index.ts";
import { bytePictures, clouds, smallModel } from "./examples.ts";

const backend = createCpuBackend();
const options = (changes: object): TrainerOptions => ({
  model: smallModel(),
  dataset: clouds(100),
  backend,
  learningRate: 0.01,
  batchSize: 10,
  epochs: 1,
  ...changes,
});

const noExamples = makeClassificationDataset({
  name: "nothing",
  features: new Float32Array(),
  shape: [4],
  labels: new Uint32Array(),
  classes: ["a", "b", "c"],
});
const transposed = { dataset: bytePictures(100), model: sequential([flatten(), dense(3)], { inputShape: [5, 3] }) };
const unchangeable = { dataset: clouds(9, { width: 3 }), model: sequential([flatten()], { inputShape: [3] }) };

describe("a trainer refuses", () => {
  test.each<[string, object, RegExp]>([
    [
      "a batch size larger than the data set",
      { batchSize: 512 },
      /the batch size 512 is larger than the data set, which has 100 examples/,
    ],
    ["a batch size of 0", { batchSize: 0 }, /batchSize: 0 is out of range/],
    ["a batch size of 2.5", { batchSize: 2.5 }, /batchSize: 2.5/],
    ["a batch size of text", { batchSize: "all" }, /batchSize: "all" is not a batch size. Give a number or "full"/],
    ["a NaN learning rate", { learningRate: NaN }, /learningRate: NaN is out of range. Give a finite number above 0/],
    ["a negative learning rate", { learningRate: -0.1 }, /learningRate: -0.1/],
    ["a learning rate of 0", { learningRate: 0 }, /learningRate: 0/],
    ["zero epochs", { epochs: 0 }, /epochs: 0/],
    ["half an epoch", { epochs: 0.5 }, /epochs: 0.5/],
    ["zero steps", { maxSteps: 0 }, /maxSteps: 0/],
    ["a negative seed", { seed: -1 }, /seed: -1/],
    ["a seed of 2³²", { seed: 2 ** 32 }, /seed: 4294967296/],
    ["a clipNorm of 0", { clipNorm: 0 }, /clipNorm: 0/],
    ["a microBatchSize of 0", { microBatchSize: 0 }, /microBatchSize: 0/],
    ["an unknown precision", { precision: "half" }, /unknown precision "half".*float32, float16/],
    ["a lossScale with float32", { lossScale: 8 }, /lossScale: the loss is scaled only with precision "float16"/],
    ["a lossScale of 0", { precision: "float16", lossScale: 0 }, /lossScale: 0/],
    ["a NaN scale", { normalization: { scale: NaN, offset: 0 } }, /normalization scale: NaN/],
    ["an infinite offset", { normalization: { scale: 1, offset: Infinity } }, /normalization offset: Infinity/],
    ["an unknown loss", { loss: "crossEntropy" as LossName }, /unknown loss "crossEntropy".*softmaxCrossEntropy/],
    ["too few outputs", { model: sequential([dense(2)], { inputShape: [4] }) }, /is \[2\] but the data has 3 classes/],
    [
      "examples of another shape",
      { dataset: clouds(99, { width: 5 }) },
      /clouds: an example has the shape \[5\] but the model's input has \[4\]/,
    ],
    [
      "a transposed shape",
      transposed,
      /an example has the shape \[3, 5\] but the model's input has \[5, 3\]\. Build the model with inputShape \[3, 5\], or reshape the data\./,
    ],
    [
      "an output for each position",
      { model: sequential([dense(3)], { inputShape: [2, 2] }), dataset: { ...clouds(99), shape: [2, 2] } },
      /is \[2, 3\] but the data has 3 classes\. End the model with flatten\(\) and dense\(3\)\./,
    ],
    ["a model without parameters", unchangeable, /no parameters/],
    ["a data set without examples", { dataset: noExamples }, /nothing: the data set has no examples/],
  ])("%s", async (_, changes, message) => {
    await expect(createTrainer(options(changes))).rejects.toThrow(OptionError);
    await expect(createTrainer(options(changes))).rejects.toThrow(message);
  });

  test("options of fit outside their ranges", async () => {
    const trainer = await createTrainer(options({}));
    await expect(trainer.fit({ every: 0 }).next()).rejects.toThrow(/fit every: 0/);
    await expect(trainer.fit({ submitMilliseconds: 0 }).next()).rejects.toThrow(/fit submitMilliseconds: 0/);
    await expect(trainer.fit({ maxSteps: 1.5 }).next()).rejects.toThrow(/fit maxSteps: 1.5/);
  });

  test("a second fit while the first is running, but not afterwards", async () => {
    const trainer = await createTrainer(options({}));
    const first = trainer.fit({ every: 1 });
    await first.next();
    await expect(trainer.fit().next()).rejects.toThrow(/already training/);
    await first.return();
    expect((await trainer.fit({ maxSteps: 1 }).next()).value).toMatchObject({ step: trainer.step });
  });

  test("data sets and features that do not fit in evaluation", async () => {
    const model = smallModel();
    const evaluator = createEvaluator({ model, backend, session: backend.createSession() });
    await expect(evaluator.evaluate(clouds(9, { width: 5 }))).rejects.toThrow(OptionError);
    await expect(evaluator.evaluate(noExamples)).rejects.toThrow(/no examples/);
    await expect(evaluator.predict(new Float32Array(7))).rejects.toThrow(/7 values are not a whole number of examples/);
    await expect(evaluator.predict(new Float32Array(0))).rejects.toThrow(OptionError);
  });
});
