import { describe, expect, test } from "vitest";
import { createCpuBackend } from "../../src/backends/cpu/index.ts";
import { standardization } from "../../src/data/dataset.ts";
import { firstExamples } from "../../src/data/split.ts";
import { targetsInUnits } from "../../src/data/table-data.ts";
import { OptionError } from "../../src/errors.ts";
import { initialValues, loadModel, saveModel, type TrainedModel } from "../../src/formats/model.ts";
import { saveOnnx } from "../../src/formats/onnx/index.ts";
import { savePytorch } from "../../src/formats/pytorch.ts";
import { activations, type ActivationName } from "../../src/nn/activations.ts";
import { constant, normal } from "../../src/nn/initializers.ts";
import { activation, dense, dropout, flatten } from "../../src/nn/layers/index.ts";
import { sequential } from "../../src/nn/sequential.ts";
import { loadMnist } from "../../src/node/index.ts";
import { Random } from "../../src/random.ts";
import { createEvaluator, createTrainer, probabilities } from "../../src/train/index.ts";
import { largestDifference, runOnnx } from "./onnxruntime.ts";

const backend = createCpuBackend();

/** The results of wgrad's CPU backend for the features. */
function predict({ model, normalization }: TrainedModel, features: Float32Array | Uint8Array): Promise<Float32Array> {
  return createEvaluator({ model, normalization, backend, session: backend.createSession() }).predict(features);
}

const trainedOf = (parts: Pick<TrainedModel, "model"> & Partial<TrainedModel>): TrainedModel => ({
  loss: "meanSquaredError",
  normalization: { scale: 1, offset: 0 },
  classes: [],
  outputs: Array.from({ length: parts.model.outputShape[0]! }, (_, index) => `output ${index}`),
  step: 1,
  training: {},
  ...parts,
});

/**
 * Matrix products of two float32 programs differ only by the order of additions: far less than this for values near 1.
 */
const CLOSE = 1e-5;

describe("onnxruntime gives the same results as wgrad:", () => {
  test.each(Object.keys(activations) as ActivationName[])(
    "%s, as a layer and as the activation of a dense layer",
    async (name) => {
      const random = new Random(3);
      const edges = [0, -0, 1e-8, -1e-8, 20, -20, 60, -60, 0.5, -0.5];
      const features = Float32Array.from({ length: 40 * 10 }, (_, index) => edges[index] ?? random.normal(0, 3));
      for (const layer of [
        activation(name),
        dense(10, { activation: name, weights: normal(0.3), biases: constant(0.1) }),
      ]) {
        const trained = trainedOf({ model: sequential([layer], { inputShape: [10] }) });
        const { outputs } = await runOnnx(saveOnnx(trained), features, [40, 10]);
        expect(Object.keys(outputs)).toEqual(["outputs"]);
        expect(largestDifference(outputs["outputs"]!.values, await predict(trained, features))).toBeLessThan(CLOSE);
      }
    },
  );

  test("all types of layers, constants per feature, several axes, and any batch size", async () => {
    const layers = [
      activation("tanh"),
      dropout(0.5),
      flatten(),
      dense(7, { activation: "gelu" }),
      dropout(0.2),
      dense(3, { bias: false }),
    ];
    const normalization = { scale: [1, 2, 0.5, -1, 3, 0.1], offset: -0.25 };
    const trained = trainedOf({ model: sequential(layers, { inputShape: [2, 3], seed: 5 }), normalization });
    const file = saveOnnx(trained);
    const random = new Random(8);
    for (const batch of [1, 2, 33]) {
      const features = Float32Array.from({ length: batch * 6 }, () => random.normal());
      const { inputs, outputs } = await runOnnx(file, features, [batch, 2, 3]);
      expect({ inputs, shape: outputs["outputs"]!.shape }).toEqual({ inputs: ["features"], shape: [batch, 3] });
      expect(largestDifference(outputs["outputs"]!.values, await predict(trained, features))).toBeLessThan(CLOSE);
    }
  });

  test("a network that only returns its input", async () => {
    const trained = trainedOf({ model: sequential([dropout(0.5)], { inputShape: [3] }) });
    const { outputs } = await runOnnx(saveOnnx(trained), Float32Array.of(1, 2, 3), [1, 3]);
    expect([...outputs["outputs"]!.values]).toEqual([1, 2, 3]);
  });

  test("the probabilities of the sigmoid cross-entropy", async () => {
    const model = sequential([dense(1)], { inputShape: [4] });
    const trained = trainedOf({ model, loss: "sigmoidBinaryCrossEntropy", outputs: ["rain"] });
    const features = Float32Array.of(1, -2, 3, 0.5, 0, 0.1, 0.2, -4);
    const { outputs } = await runOnnx(saveOnnx(trained), features, [2, 4]);
    const logits = await predict(trained, features);
    expect(largestDifference(outputs["logits"]!.values, logits)).toBeLessThan(CLOSE);
    expect(
      largestDifference(
        outputs["probabilities"]!.values,
        logits.map((logit) => 1 / (1 + Math.exp(-logit))),
      ),
    ).toBeLessThan(CLOSE);
  });

  test("1,000 images of MNIST or the built-in digits with a trained network: outputs and classes", async () => {
    const { train, test: held } = await loadMnist({ mirrors: [], log: () => {} });
    const dataset = firstExamples(train, 2000);
    const normalization = standardization(dataset.features);
    const model = sequential([flatten(), dense(64, { activation: "relu" }), dropout(0.1), dense(10)], {
      inputShape: [28, 28],
    });
    const options = { model, dataset, backend, normalization, batchSize: 50, learningRate: 2e-3, epochs: 1 } as const;
    const trainer = await createTrainer(options);
    for await (const _ of trainer.fit());
    const examples = firstExamples(held, 1000);
    const parts = trainedOf({ model, normalization, loss: "softmaxCrossEntropy", classes: train.classes });
    const { outputs: _, ...trained } = parts;
    const { parameters } = await trainer.snapshot();
    const logits = await trainer.predict(examples.features);
    const file = saveOnnx(trained, parameters);
    expect(Buffer.compare(file, saveOnnx(loadModel(saveModel(trained, parameters), "model")))).toBe(0);
    const { outputs } = await runOnnx(file, examples.features, [1000, 28, 28]);
    expect(largestDifference(outputs["logits"]!.values, logits)).toBeLessThan(CLOSE);
    expect(largestDifference(outputs["probabilities"]!.values, probabilities(logits, 10))).toBeLessThan(CLOSE);
    const found = classesOf(outputs["probabilities"]!.values);
    expect(found).toEqual(classesOf(logits));
    const correct = found.filter((label, index) => label === examples.labels[index]).length;
    expect(correct).toBe(Math.round((await trainer.evaluate(examples)).accuracy * 1000));
    expect(correct).toBeGreaterThan(700);
  });
});

const table = {
  header: true,
  width: 4,
  columns: [
    { name: "größe", position: 1, kind: "number" },
    { name: "color", position: 3, kind: "category", categories: ["red", "green"] },
  ],
  fill: [1.5, 0, 0],
};

describe("a model of a table", () => {
  const model = sequential([dense(4, { activation: "gelu" }), dense(1)], { inputShape: [3], seed: 2 });
  const features = Float32Array.of(70, 1, 0, -3, 0, 1);
  const includes = (file: Uint8Array, text: string) => Buffer.from(file).includes(text);

  test("gives targets in the units of the label, as predict does", async () => {
    const label = { name: "price", position: 2, kind: "number", mean: 268.6, deviation: 81.25 } as const;
    const trained = trainedOf({ model, outputs: ["price"], table: { ...table, label } });
    const expected = targetsInUnits(await predict(trained, features), label);
    const { outputs } = await runOnnx(saveOnnx(trained), features, [2, 3]);
    expect(Object.keys(outputs)).toEqual(["outputs"]);
    expect(outputs["outputs"]!.shape).toEqual([2, 1]);
    expect(largestDifference(outputs["outputs"]!.values, expected)).toBeLessThan(81.25 * CLOSE);
    const asIs = trainedOf({
      model,
      outputs: ["price"],
      table: { ...table, label: { ...label, mean: 0, deviation: 1 } },
    });
    expect((await runOnnx(saveOnnx(asIs), features, [2, 3])).outputs["outputs"]!.values).toEqual(
      (await runOnnx(saveOnnx(trainedOf({ model })), features, [2, 3])).outputs["outputs"]!.values,
    );
  });

  test("gives each of several outputs in its own units", async () => {
    const two = sequential([dense(2)], { inputShape: [3], seed: 3 });
    const label = { name: "price", position: 2, kind: "number", mean: 268.6, deviation: 81.25 } as const;
    const other = { name: "heat", position: 4, kind: "number", mean: -2, deviation: 0.5 } as const;
    const trained = trainedOf({
      model: two,
      outputs: ["price", "heat"],
      table: { ...table, width: 5, label, otherLabels: [other] },
    });
    const expected = targetsInUnits(await predict(trained, features), [label, other]);
    const { outputs } = await runOnnx(saveOnnx(trained), features, [2, 3]);
    expect(largestDifference(outputs["outputs"]!.values, expected)).toBeLessThan(81.25 * CLOSE);
  });

  test("has metadata that describe how to make its input and read its output", () => {
    const label = { name: "price", position: 2, kind: "number", mean: 2, deviation: 3 };
    const quantities = saveOnnx(trainedOf({ model, outputs: ["price"], table: { ...table, label } }));
    const entries = {
      features: '["größe","color=red","color=green"]',
      columns: JSON.stringify(table.columns),
      fill: "[1.5,0,0]",
      outputs: '["price"]',
      units: '{"features":"as in the data","outputs":"as in the data"}',
    };
    for (const [key, value] of Object.entries(entries)) {
      // The message of an entry: its key and its value, each preceded by its length.
      const found = Buffer.from(quantities).indexOf(value);
      expect(found, key).toBeGreaterThan(0);
      expect(
        Buffer.from(quantities)
          .subarray(found - key.length - 3, found)
          .toString("latin1"),
        key,
      ).toContain(`${key}\u0012`.slice(1));
    }
    const kinds = sequential([dense(2)], { inputShape: [3] });
    const { outputs: _, ...classes } = trainedOf({ model: kinds, loss: "softmaxCrossEntropy", classes: ["yes", "no"] });
    const file = saveOnnx({
      ...classes,
      table: { ...table, label: { name: "kind", position: 2, kind: "class", classes: ["yes", "no"] } },
    });
    for (const value of [
      '["yes","no"]',
      entries.features,
      '{"features":"as in the data","logits":"none","probabilities":"from 0 to 1"}',
    ]) {
      expect(includes(file, value), value).toBe(true);
    }
    expect(includes(saveOnnx(trainedOf({ model })), "columns")).toBe(false);
  });
});

test("every file has operator set 13 and IR version 7, which programs from 2020 can read", () => {
  const layers = (Object.keys(activations) as ActivationName[]).map((name) => activation(name));
  const file = saveOnnx(
    trainedOf({ model: sequential([flatten(), ...layers, dropout(0.1), dense(2)], { inputShape: [2, 3] }) }),
  );
  expect([...file.subarray(0, 2)]).toEqual([0x08, 7]);
  // The message of the operator set has four bytes: an empty domain, and the version.
  expect(Buffer.from(file).includes(Buffer.of(0x42, 4, 0x0a, 0, 0x10, 13))).toBe(true);
});

function classesOf(values: Float32Array): number[] {
  return Array.from({ length: values.length / 10 }, (_, row) => {
    const outputs = values.subarray(10 * row, 10 * row + 10);
    return outputs.indexOf(Math.max(...outputs));
  });
}

describe("saveOnnx refuses", () => {
  const trained = trainedOf({ model: sequential([dense(2)], { inputShape: [3] }) });

  test("values that are missing or have another shape, by name", () => {
    const { "layers.0.bias": bias, ...rest } = initialValues(trained.model);
    expect(() => saveOnnx(trained, rest)).toThrow(OptionError);
    expect(() => saveOnnx(trained, rest)).toThrow(/layers\.0\.bias: its values are missing/);
    const wide = { ...initialValues(trained.model), "layers.0.bias": { ...bias!, shape: [1, 2] } };
    expect(() => saveOnnx(trained, wide)).toThrow(/layers\.0\.bias: 2 values of shape \[1, 2\] for the shape \[2\]/);
  });

  test("a custom layer or activation, as the PyTorch export does", () => {
    const config = (layer: object) =>
      ({
        ...trained,
        model: { ...trained.model, config: { ...trained.model.config, layers: [layer] } },
      }) as TrainedModel;
    for (const save of [saveOnnx, savePytorch]) {
      expect(() => save(config({ type: "mine" }))).toThrow(
        /(unknown layer type|there is no module for the layer) "mine"/,
      );
      expect(() => save(config({ type: "activation", name: "mish" }))).toThrow(
        /(ONNX|PyTorch): the custom activation "mish" is code, .* ops in the function of a functional model/,
      );
    }
  });

  test("more than an ONNX file can hold, before memory is allocated", () => {
    const parameters = trained.model.parameters.map((parameter) => ({ ...parameter, shape: [2 ** 15, 2 ** 15] }));
    const large = { ...trained, model: { ...trained.model, parameters } } as unknown as TrainedModel;
    expect(() => saveOnnx(large)).toThrow(/parameters have 8589934592 bytes, more than the 2130706432/);
  });
});
