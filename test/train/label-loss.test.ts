/* softmaxCrossEntropy by its name, for labels of any shape. */
import { describe, expect, test } from "vitest";
import { createCpuBackend } from "../../src/backends/cpu/index.ts";
import { makeTensorDataset, type TensorDataset } from "../../src/data/tensor-dataset.ts";
import { IGNORED_TOKEN } from "../../src/data/text/tokenizer.ts";
import { makeStream } from "../../src/data/stream.ts";
import { DataError, OptionError } from "../../src/errors.ts";
import { dense, functionalModel, layers, sequential, type AnyModel } from "../../src/nn/index.ts";
import type { LossName } from "../../src/nn/losses.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import { softmaxCrossEntropy } from "../../src/ops/losses/index.ts";
import { Random } from "../../src/random.ts";
import { createEvaluator, createTrainer } from "../../src/train/index.ts";

const CLASSES = 3;
const POSITIONS = 4;
const COUNT = 6;

/** Sequences of four numbers, with a class or IGNORED_TOKEN for each. */
function sequences(ignored: (index: number) => boolean, shape = [POSITIONS]): TensorDataset {
  const random = new Random(2);
  const size = COUNT * shape.reduce((product, length) => product * length, 1);
  return makeTensorDataset({
    name: "sequences",
    tensors: {
      features: { values: Float32Array.from({ length: COUNT * POSITIONS }, () => random.normal()), shape: [POSITIONS] },
      labels: {
        values: Uint32Array.from({ length: size }, (_, index) => (ignored(index) ? IGNORED_TOKEN : index % CLASSES)),
        shape,
      },
    },
  });
}

const perPosition = [layers.reshape([POSITIONS, 1]), layers.conv1d(CLASSES, 1)];
const tagger = () => sequential(perPosition, { inputShape: [POSITIONS], seed: 5 });

async function lossesOf(
  model: AnyModel,
  dataset: TensorDataset,
  loss?: LossName | Parameters<typeof createTrainer>[0]["loss"],
) {
  const options = { backend: createCpuBackend({ precision: "float64" }), batchSize: 3, learningRate: 0.1, epochs: 2 };
  const trainer = await createTrainer({
    model,
    dataset,
    ...(loss !== undefined && { loss: loss as LossName }),
    ...options,
  });
  const losses: number[] = [];
  for await (const event of trainer.fit()) losses.push(event.loss);
  const { loss: evaluated } = await trainer.evaluate(dataset);
  trainer.dispose();
  return { losses, evaluated };
}

describe("softmaxCrossEntropy for labels of positions", () => {
  test("is the mean over those that are not ignored", async () => {
    const ignored = (index: number) => index % 5 === 0;
    const dataset = sequences(ignored);
    const model = tagger();
    const backend = createCpuBackend({ precision: "float64" });
    const session = backend.createSession();
    const evaluator = createEvaluator({ model, backend, session, loss: "softmaxCrossEntropy" });
    const { loss, accuracy } = await evaluator.evaluate(dataset);
    const features = dataset.tensors["features"]!.values as Float32Array;
    const logits = await evaluator.predict(features);
    const costs = Array.from(dataset.tensors["labels"]!.values, (label, index) => {
      if (ignored(index)) return [];
      const own = logits.subarray(index * CLASSES, (index + 1) * CLASSES);
      return [Math.log(own.reduce((total, value) => total + Math.exp(value), 0)) - own[label]!];
    }).flat();
    expect(costs).toHaveLength(19);
    expect(loss).toBeCloseTo(costs.reduce((total, cost) => total + cost, 0) / costs.length, 6);
    expect(accuracy).toBeNaN();
  });

  test("trains as the loss as a function does, with a sequential and a functional model", async () => {
    const dataset = sequences((index) => index % 7 === 3);
    const expected = await lossesOf(tagger(), dataset, (outputs, { labels }) =>
      softmaxCrossEntropy(outputs as Tensor, labels!, { ignore: IGNORED_TOKEN }),
    );
    expect(expected.losses).toHaveLength(4);
    expect(await lossesOf(tagger(), dataset, "softmaxCrossEntropy")).toEqual(expected);
    const functional = functionalModel({ inputs: { features: [POSITIONS] }, seed: 5 }, ({ features }, { use }) => ({
      logits: perPosition.reduce((value, layer) => use(layer, value), features),
    }));
    expect(await lossesOf(functional, dataset, "softmaxCrossEntropy")).toEqual(expected);
  });

  test("takes one label for each example, and two axes of labels", async () => {
    const single = await lossesOf(
      sequential([dense(CLASSES)], { inputShape: [POSITIONS] }),
      sequences(() => false, []),
      "softmaxCrossEntropy",
    );
    expect(single.losses.every(Number.isFinite)).toBe(true);
    const grid = [layers.reshape([2, 2, 1]), layers.conv2d(CLASSES, 1)];
    const pixels = await lossesOf(
      sequential(grid, { inputShape: [POSITIONS], seed: 5 }),
      sequences(() => false, [2, 2]),
      "softmaxCrossEntropy",
    );
    const flat = await lossesOf(
      tagger(),
      sequences(() => false),
      "softmaxCrossEntropy",
    );
    // The same convolution of single elements, in another shape.
    expect(pixels).toEqual(flat);
  });

  test("of a stream counts its labels in the same way", async () => {
    const { tensors } = sequences((index) => index % 7 === 3);
    const stream = makeStream({
      name: "sequences",
      tensors: { features: { shape: [POSITIONS], dtype: "float32" }, labels: { shape: [POSITIONS], dtype: "uint32" } },
      *batches() {
        for (;;)
          yield {
            features: tensors["features"]!.values.slice() as Float32Array,
            labels: tensors["labels"]!.values.slice(),
          };
      },
    });
    const trainer = await createTrainer({
      model: tagger(),
      dataset: stream,
      backend: createCpuBackend({ precision: "float64" }),
      loss: "softmaxCrossEntropy",
      batchSize: COUNT,
      learningRate: 0.1,
      epochs: 1,
      maxSteps: 1,
    });
    const { loss: first } = (await trainer.fit().next()).value as { loss: number };
    const evaluated = await createEvaluator({
      model: tagger(),
      backend: createCpuBackend({ precision: "float64" }),
      session: createCpuBackend({ precision: "float64" }).createSession(),
      loss: "softmaxCrossEntropy",
    }).evaluate(sequences((index) => index % 7 === 3));
    expect(first).toBeCloseTo(evaluated.loss, 12);
  });

  test.each([
    [
      "another shape",
      sequences(() => false, [3]),
      OptionError,
      /an output of shape \[4, 3\], but an example has labels of shape \[3\]/,
    ],
    [
      "a label that is not a class",
      (() => {
        const dataset = sequences(() => false);
        (dataset.tensors["labels"]!.values as Uint32Array)[9] = CLASSES;
        return dataset;
      })(),
      DataError,
      /^sequences: label 3 of example 2 is outside 0 … 2/,
    ],
    [
      "no labels",
      makeTensorDataset({ name: "x", tensors: { features: { values: new Float32Array(8), shape: [POSITIONS] } } }),
      OptionError,
      /softmaxCrossEntropy needs labels or targets, and this is a data set of tensors without them/,
    ],
  ])("refuses %s", async (_, dataset, type, message) => {
    const made = lossesOf(tagger(), dataset, "softmaxCrossEntropy");
    await expect(made).rejects.toThrow(type);
    await expect(made).rejects.toThrow(message);
  });
});
