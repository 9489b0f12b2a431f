import { describe, expect, test } from "vitest";
import { createCpuBackend } from "../../src/backends/cpu/index.ts";
import { standardization } from "../../src/data/dataset.ts";
import { firstExamples } from "../../src/data/split.ts";
import { OptionError } from "../../src/errors.ts";
import { initialValues, loadModel, saveModel, type TrainedModel } from "../../src/formats/model.ts";
import { saveOnnx } from "../../src/formats/onnx/index.ts";
import { savePytorch } from "../../src/formats/pytorch.ts";
import { activations, type ActivationName } from "../../src/nn/activations.ts";
import { constant, normal } from "../../src/nn/initializers.ts";
import { activation, dense, dropout, flatten } from "../../src/nn/layers.ts";
import { sequential } from "../../src/nn/sequential.ts";
import { loadMnist } from "../../src/node/index.ts";
import { Random } from "../../src/random.ts";
import { createEvaluator, createTrainer, probabilities } from "../../src/train/index.ts";
import { largestDifference, runOnnx } from "./onnxruntime.ts";

const backend = createCpuBackend();

/** What wgrad's CPU reference makes of the features. */
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

/** Products of two float32 programs differ by the order in which they add: far less than this for values near 1. */
const CLOSE = 1e-5;

describe("onnxruntime computes what wgrad does:", () => {
  test.each(Object.keys(activations) as ActivationName[])("%s, as a layer and at the end of a dense one", async (name) => {
    const random = new Random(3);
    const edges = [0, -0, 1e-8, -1e-8, 20, -20, 60, -60, 0.5, -0.5];
    const features = Float32Array.from({ length: 40 * 10 }, (_, index) => edges[index] ?? random.normal(0, 3));
    for (const layer of [activation(name), dense(10, { activation: name, weights: normal(0.3), biases: constant(0.1) })]) {
      const trained = trainedOf({ model: sequential([layer], { inputShape: [10] }) });
      const { outputs } = await runOnnx(saveOnnx(trained), features, [40, 10]);
      expect(Object.keys(outputs)).toEqual(["outputs"]);
      expect(largestDifference(outputs["outputs"]!.values, await predict(trained, features))).toBeLessThan(CLOSE);
    }
  });

  test("every kind of layer, constants of each feature, several axes, and any batch", async () => {
    const layers = [activation("tanh"), dropout(0.5), flatten(), dense(7, { activation: "gelu" }), dropout(0.2), dense(3, { bias: false })];
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

  test("a network that only hands its input on", async () => {
    const trained = trainedOf({ model: sequential([dropout(0.5)], { inputShape: [3] }) });
    const { outputs } = await runOnnx(saveOnnx(trained), Float32Array.of(1, 2, 3), [1, 3]);
    expect([...outputs["outputs"]!.values]).toEqual([1, 2, 3]);
  });

  test("the sigmoid cross-entropy's probabilities", async () => {
    const model = sequential([dense(1)], { inputShape: [4] });
    const trained = trainedOf({ model, loss: "sigmoidBinaryCrossEntropy", outputs: ["rain"] });
    const features = Float32Array.of(1, -2, 3, 0.5, 0, 0.1, 0.2, -4);
    const { outputs } = await runOnnx(saveOnnx(trained), features, [2, 4]);
    const logits = await predict(trained, features);
    expect(largestDifference(outputs["logits"]!.values, logits)).toBeLessThan(CLOSE);
    expect(largestDifference(outputs["probabilities"]!.values, logits.map((logit) => 1 / (1 + Math.exp(-logit))))).toBeLessThan(CLOSE);
  });

  test("1,000 pictures of MNIST, or of the built-in digits, of a trained network: outputs and classes", async () => {
    const { train, test: held } = await loadMnist({ mirrors: [], log: () => {} });
    const dataset = firstExamples(train, 2000);
    const normalization = standardization(dataset.features);
    const model = sequential([flatten(), dense(64, { activation: "relu" }), dropout(0.1), dense(10)], { inputShape: [28, 28] });
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

function classesOf(values: Float32Array): number[] {
  return Array.from({ length: values.length / 10 }, (_, row) => {
    const outputs = values.subarray(10 * row, 10 * row + 10);
    return outputs.indexOf(Math.max(...outputs));
  });
}

describe("saveOnnx refuses", () => {
  const trained = trainedOf({ model: sequential([dense(2)], { inputShape: [3] }) });

  test("values that are missing or of another shape, by name", () => {
    const { "layers.0.bias": bias, ...rest } = initialValues(trained.model);
    expect(() => saveOnnx(trained, rest)).toThrow(OptionError);
    expect(() => saveOnnx(trained, rest)).toThrow(/layers\.0\.bias: the values of this parameter are missing/);
    const wide = { ...initialValues(trained.model), "layers.0.bias": { ...bias!, shape: [1, 2] } };
    expect(() => saveOnnx(trained, wide)).toThrow(/layers\.0\.bias: 2 values of shape \[1, 2\] for shape \[2\]/);
  });

  test("a layer or an activation that is none of wgrad's, as PyTorch's writer does", () => {
    const config = (layer: object) => ({ ...trained, model: { ...trained.model, config: { ...trained.model.config, layers: [layer] } } }) as TrainedModel;
    for (const save of [saveOnnx, savePytorch]) {
      expect(() => save(config({ type: "mine" }))).toThrow(/there is no (form of|module for) the layer "mine"/);
      expect(() => save(config({ type: "activation", name: "mish" }))).toThrow(/there is no (form of|module for) the activation "mish"/);
    }
  });

  test("more than a file of ONNX can hold, before anything is made", () => {
    const parameters = trained.model.parameters.map((parameter) => ({ ...parameter, shape: [2 ** 15, 2 ** 15] }));
    const large = { ...trained, model: { ...trained.model, parameters } } as unknown as TrainedModel;
    expect(() => saveOnnx(large)).toThrow(/parameters have 8589934592 bytes, more than the 2130706432/);
  });
});
