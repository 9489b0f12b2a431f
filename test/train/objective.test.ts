import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Backend } from "../../src/backends/backend.ts";
import { createCpuBackend } from "../../src/backends/cpu/index.ts";
import { makeClassificationDataset, type ClassificationDataset } from "../../src/data/dataset.ts";
import { makeTensorDataset } from "../../src/data/tensor-dataset.ts";
import { GraphError, OptionError } from "../../src/errors.ts";
import { constant } from "../../src/graph/leaves.ts";
import { accuracy, dense, functionalModel, optimizers, sequential } from "../../src/nn/index.ts";
import { multiply } from "../../src/ops/elementwise/index.ts";
import { reshape } from "../../src/ops/layout/index.ts";
import { meanSquaredError, softmaxCrossEntropy } from "../../src/ops/losses/index.ts";
import { mean } from "../../src/ops/reduce/index.ts";
import { balancedWeights } from "../../src/train/class-weights.ts";
import { createEvaluator, createTrainer, fitUntil, type TrainerOptions } from "../../src/train/index.ts";
import { backends } from "../backends.ts";
import { clouds, finish, smallModel, valuesOf } from "./examples.ts";

const run = { learningRate: 0.1, batchSize: 10, epochs: 2, optimizer: optimizers.sgd() };

/** The data set in which each example occurs as often as its weight says. */
function repeated(data: ClassificationDataset, weights: readonly number[]): ClassificationDataset {
  const indices = Uint32Array.from(weights.flatMap((weight, index) => new Array<number>(weight).fill(index)));
  const features = Float32Array.from(indices, (index) => data.features[index]!);
  return makeClassificationDataset({ ...data, features, labels: indices.map((index) => data.labels[index]!) });
}

describe.each(backends)("losses, weights and metrics on $name", ({ create }) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await create();
  });
  afterAll(() => backend.dispose());

  /** The events and values of a run. */
  async function trained(options: Partial<TrainerOptions> & { dataset?: ClassificationDataset }) {
    const trainer = await createTrainer({ ...run, model: smallModel(), dataset: clouds(60), backend, ...options });
    const events = await finish(trainer, { every: 3 });
    const values = valuesOf(await trainer.snapshot());
    const dispatches = trainer.dispatches.length;
    const evaluation = await trainer.evaluate(options.dataset ?? clouds(35, { seed: 2 }));
    trainer.dispose();
    return { events, values, dispatches, evaluation };
  }

  test("a function for the loss and metrics equal the built-in ones bit by bit, whole and in parts", async () => {
    for (const microBatchSize of [10, 4]) {
      const wanted = await trained({ microBatchSize });
      const found = await trained({
        microBatchSize,
        loss: (outputs, batch) => softmaxCrossEntropy(outputs, batch["labels"]!, "none"),
        metrics: { right: (outputs, batch) => accuracy(outputs, batch["labels"]!) },
      });
      expect(found.values).toEqual(wanted.values);
      found.events.forEach((event, index) => {
        expect(event.loss).toBe(wanted.events[index]!.loss);
        expect(event.metrics!["right"]).toBeCloseTo(wanted.events[index]!.accuracy, 6);
        expect(event.accuracy).toBeNaN();
      });
      expect(found.evaluation.loss).toBe(wanted.evaluation.loss);
      expect(found.evaluation.metrics).toEqual({ right: wanted.evaluation.accuracy });
      expect(wanted.evaluation.metrics).toBeUndefined();
    }
  });

  test("a scalar loss or metric is the mean over the examples, whole and in parts", async () => {
    for (const microBatchSize of [10, 4]) {
      const perExample = await trained({ microBatchSize });
      const asMean = await trained({
        microBatchSize,
        loss: (outputs, batch) => softmaxCrossEntropy(outputs, batch["labels"]!),
        metrics: { right: (outputs, batch) => mean(accuracy(outputs, batch["labels"]!)) },
      });
      asMean.events.forEach(({ loss, metrics }, index) => {
        expect(loss).toBeCloseTo(perExample.events[index]!.loss, 5);
        expect(metrics!["right"]).toBeCloseTo(perExample.events[index]!.accuracy, 5);
      });
      expect(asMean.evaluation.loss).toBeCloseTo(perExample.evaluation.loss, 5);
      expect(asMean.evaluation.metrics!["right"]).toBeCloseTo(perExample.evaluation.accuracy, 6);
    }
  });

  test("a weight of 2 or 0 is like an example that is there twice or not at all", async () => {
    const weights = [2, 0, 1, 1, 0, 2, 0, 2];
    const model = () => sequential([dense(2)], { inputShape: [1] });
    const plain = makeClassificationDataset({
      name: "line",
      features: Float32Array.from(weights, (_, index) => index / 4 - 1),
      shape: [1],
      labels: Uint32Array.from(weights, (_, index) => Number(index > 3)),
      classes: ["a", "b"],
    });
    const full = { batchSize: "full", epochs: 5 } as const;
    const weighted = { ...plain, weights: Float32Array.from(weights) };
    const found = await trained({ ...full, model: model(), dataset: weighted, microBatchSize: 3 });
    const wanted = await trained({ ...full, model: model(), dataset: repeated(plain, weights) });
    for (const [name, values] of Object.entries(wanted.values))
      values.forEach((value, index) => expect(found.values[name]![index]).toBeCloseTo(value, 5));
    // The sum of the weights is the number of examples, so the loss is also the same.
    expect(found.events.at(-1)!.loss).toBeCloseTo(wanted.events.at(-1)!.loss, 5);
  });

  test("weights of classes multiply the loss of training, and not that of evaluation", async () => {
    const dataset = clouds(60);
    const classWeights = [0.5, 2, 1];
    const weights = Float32Array.from(dataset.labels, (label) => classWeights[label]!);
    const byClass = await trained({ classWeights });
    const byExample = await trained({ dataset: { ...dataset, weights } });
    expect(byClass.values).toEqual(byExample.values);
    expect(byClass.values).not.toEqual((await trained({})).values);
    const trainer = await createTrainer({ ...run, model: smallModel(), dataset: { ...dataset, weights }, backend });
    const evaluation = await trainer.evaluate({ ...dataset, weights });
    expect(evaluation).toEqual(await trainer.evaluate(dataset));
    trainer.dispose();
  });

  test("step inputs have the value of each step, and of the last one in an evaluation", async () => {
    const scaled = (factor: number) => ({
      loss: (outputs: Parameters<typeof softmaxCrossEntropy>[0], batch: Readonly<Record<string, typeof outputs>>) =>
        multiply(softmaxCrossEntropy(outputs, batch["labels"]!, "none"), factor),
    });
    const found = await trained({
      stepInputs: { beta: (step, totalSteps) => (step < totalSteps / 2 ? 0.5 : 2) },
      maxSteps: 12,
      microBatchSize: 5,
      loss: (outputs, batch) => multiply(softmaxCrossEntropy(outputs, batch["labels"]!, "none"), batch["beta"]!),
      metrics: { beta: (_outputs, batch) => batch["beta"]! },
    });
    expect(found.events.map(({ metrics }) => metrics!["beta"])).toEqual([0.5, 0.5, 2, 2]);
    expect(found.evaluation.metrics).toEqual({ beta: 2 });
    const front = await trained({ ...scaled(0.5), maxSteps: 6, microBatchSize: 5 });
    expect(found.events[1]!.loss).toBe(front.events[1]!.loss);
  });
});

test("the names of step inputs and metrics are typed", async () => {
  const backend = createCpuBackend();
  const trainer = await createTrainer({
    ...run,
    model: smallModel(),
    dataset: clouds(20),
    backend,
    stepInputs: { alpha: () => 2, beta: (step, totalSteps) => step / totalSteps },
    loss: (outputs, { labels, alpha }) => multiply(softmaxCrossEntropy(outputs, labels!, "none"), alpha),
    metrics: { level: (_outputs, { beta }) => beta, twice: (_outputs, { alpha }) => alpha },
  });
  await finish(trainer);
  const { metrics } = await trainer.evaluate(clouds(20));
  expect(metrics!.level + metrics!.twice).toBe(2.75);
  // @ts-expect-error: there is no such metric
  expect(metrics!.other).toBeUndefined();
  const { session } = trainer;
  const evaluator = createEvaluator({ model: smallModel(), backend, session, metrics: { middle: mean } });
  const found: { readonly middle: number } | undefined = (await evaluator.evaluate(clouds(20))).metrics;
  expect(found!.middle).not.toBeNaN();
  trainer.dispose();
});

test("balanced weights are examples / (classes · examples of the class), without classes that have none", () => {
  // scikit-learn: compute_class_weight("balanced", classes=[0, 1, 3], y=[0, 0, 0, 1, 1, 3])
  expect(balancedWeights(Uint32Array.of(0, 0, 0, 1, 1, 3), 4)).toEqual([6 / 9, 1, 0, 2]);
});

describe("mistakes are refused", () => {
  const backend = createCpuBackend();
  const options: TrainerOptions = { ...run, model: smallModel(), dataset: clouds(30), backend };
  const tensors = makeTensorDataset({
    name: "tensors",
    tensors: {
      features: { values: new Float32Array(40), shape: [4] },
      word: { values: new Uint32Array(10), shape: [] },
    },
  });
  const twoOutputs = functionalModel({ inputs: { x: [4] } }, ({ x }, { use }) => ({
    a: use(dense(3), x),
    b: use(dense(3), x),
  }));
  const refused = (changes: object) => createTrainer({ ...options, ...changes } as TrainerOptions);

  test.each<[string, object, typeof OptionError | typeof GraphError, RegExp]>([
    ["a loss of [1]", { loss: () => constant([1]) }, GraphError, /^loss: its result is .* for 10 examples/],
    ["a metric that is no tensor", { metrics: { size: () => 3 } }, GraphError, /^metric size: /],
    ["a metric that is no function", { metrics: { size: 3 } }, OptionError, /^metrics size: 3 is not a function/],
    ["a name with a space", { metrics: { "a b": () => constant(1) } }, OptionError, /not a valid name/],
    ["two weights for three classes", { classWeights: [1, 2] }, OptionError, /^classWeights: .* for 3 classes/],
    ["a negative weight", { classWeights: [1, 2, -1] }, OptionError, /the weight of class 2 is -1/],
    ["an unknown loss", { loss: "unknown" }, OptionError, /unknown loss "unknown"/],
    ["tensors without a loss", { dataset: tensors }, OptionError, /^loss: there is no default loss/],
    [
      "a built-in loss for tensors",
      { dataset: tensors, loss: "meanSquaredError" },
      OptionError,
      /needs labels or targets/,
    ],
    [
      "two outputs with the default loss",
      { model: twoOutputs },
      OptionError,
      /a single output, but the model has a, b/,
    ],
    [
      "an input that no tensor has",
      {
        dataset: tensors,
        loss: () => constant(1),
        model: functionalModel({ inputs: { features: [4], other: [1] } }, ({ features, other }, { use }) => ({
          y: use(dense(1), features),
          z: other,
        })),
      },
      OptionError,
      /^tensors: there is no tensor for the model's input other/,
    ],
    [
      "whole numbers for a float32 input",
      {
        dataset: tensors,
        loss: () => constant(1),
        model: functionalModel({ inputs: { word: [] } }, ({ word }, { use }) => ({
          y: use(dense(1), reshape(word, [-1, 1])),
        })),
      },
      OptionError,
      /word is uint32, which is uint32 in a batch, but the model's input word is float32/,
    ],
    [
      "a step input like a tensor",
      { stepInputs: { labels: () => 1 } },
      OptionError,
      /^stepInputs labels: the data set/,
    ],
    [
      "a normalization of another tensor",
      { normalization: { other: { scale: 1, offset: 0 } } },
      OptionError,
      /tensor other/,
    ],
    [
      "weights with a scalar loss",
      {
        dataset: { ...clouds(30), weights: new Float32Array(30) },
        loss: (outputs: Parameters<typeof mean>[0]) => mean(outputs),
      },
      GraphError,
      /a mean over the examples, which cannot be weighted/,
    ],
  ])("%s", async (_name, changes, type, message) => {
    const made = refused(changes);
    await expect(made).rejects.toThrow(type);
    await expect(made).rejects.toThrow(message);
  });
});

test("early stopping follows the loss of a function on a data set of tensors", async () => {
  const { features, targets } = (() => {
    const x = Float32Array.from({ length: 40 }, (_, index) => index / 20 - 1);
    return { features: x, targets: x.map((value) => 2 * value) };
  })();
  const dataset = makeTensorDataset({
    name: "line",
    tensors: { x: { values: features, shape: [1] }, y: { values: targets, shape: [1] } },
  });
  const backend = createCpuBackend();
  const trainer = await createTrainer({
    ...run,
    model: functionalModel({ inputs: { x: [1] } }, ({ x }, { use }) => ({ y: use(dense(1), x) })),
    dataset,
    backend,
    epochs: 200,
    loss: ({ y }, batch) => meanSquaredError(y, batch["y"]!, "none"),
  });
  const training = fitUntil(trainer, { validation: dataset, patience: 2, minImprovement: 1e-3 });
  let next = await training.next();
  while (!next.done) next = await training.next();
  expect(next.value.kind).toBe("patience");
  expect((await trainer.evaluate(dataset)).loss).toBeLessThan(0.01);
});
