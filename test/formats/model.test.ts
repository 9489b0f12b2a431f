import { describe, expect, test } from "vitest";
import { createCpuBackend } from "../../src/backends/cpu/index.ts";
import { makeClassificationDataset, unitScale } from "../../src/data/dataset.ts";
import { characterTokenizer } from "../../src/data/text/characters.ts";
import { tokenizerFromConfig } from "../../src/data/text/config.ts";
import { DataError } from "../../src/errors.ts";
import { initialValues, loadModel, saveModel, type TrainedModel } from "../../src/formats/model.ts";
import { readSafetensors, writeSafetensors, type TensorValues } from "../../src/formats/safetensors.ts";
import { dense, dropout, embedding, flatten } from "../../src/nn/layers/index.ts";
import { sequential } from "../../src/nn/sequential.ts";
import { createEvaluator, createTrainer } from "../../src/train/index.ts";
import { version } from "../../src/version.ts";

const layers = () => [flatten(), dense(5, { activation: "tanh" }), dropout(0.1), dense(3, { bias: false })];

const trained: TrainedModel = {
  model: sequential(layers(), { inputShape: [2, 3], seed: 9 }),
  loss: "softmaxCrossEntropy",
  normalization: { scale: 1 / 255, offset: -0.1 },
  classes: ["cat", "dog", "ox"],
  step: 12,
  training: { optimizer: "adam", learningRate: 0.01, shuffled: true, note: null },
  results: { accuracy: 0.5, loss: 1.25 },
};

/** Values of each parameter: 0.5, 1.5, 2.5, … */
const parameters: Record<string, TensorValues> = Object.fromEntries(
  trained.model.parameters.map(({ attributes, shape, size }) => {
    const values = Float32Array.from({ length: size }, (_, index) => index + 0.5);
    return [(attributes as { name: string }).name, { shape, values }];
  }),
);

const saved = saveModel(trained, parameters);

describe("a model file", () => {
  test("restores everything that was saved, with the values as initial values", () => {
    const { model, ...facts } = loadModel(saved, "model.safetensors");
    const { model: original, ...expected } = trained;
    expect(facts).toEqual(expected);
    expect(model.config).toEqual(original.config);
    const initial = model.parameters.map(({ attributes, shape }) => {
      const { name, initial: values } = attributes as { name: string; initial: Float32Array };
      return [name, { shape, values }];
    });
    expect(Object.fromEntries(initial)).toEqual(parameters);
  });

  test("needs no options of the training, and no classes for regression and texts", () => {
    const { training, classes, ...rest } = trained;
    const bytes = saveModel({ ...rest, classes }, parameters);
    expect(bytes).toEqual(saveModel({ ...rest, classes, training: {} }, parameters));
    expect(loadModel(bytes, "f").training).toEqual({});
    expect(training).not.toEqual({});
    const regression = { ...rest, loss: "meanSquaredError", outputs: ["a", "b", "c"] } as const;
    const file = saveModel(regression, parameters);
    expect(file).toEqual(saveModel({ ...regression, classes: [], training: {} }, parameters));
    expect(loadModel(file, "f")).toMatchObject({ classes: [], outputs: ["a", "b", "c"] });
    expect(saveModel({ ...regression, classes: undefined, training: undefined } as never, parameters)).toEqual(file);
    expect(() => saveModel(rest, parameters)).toThrow(/^classes: .* Give the names of its classes, or for regression/);
  });

  test("contains the version that wrote it, and no results if there are none", () => {
    const { results, ...rest } = trained;
    const { metadata } = readSafetensors(saveModel(rest, parameters), "f");
    expect(metadata).toMatchObject({
      format: "wgrad-2",
      version,
      digest: expect.stringMatching(/^murmur3:[0-9a-f]{8}$/),
    });
    expect(metadata).not.toHaveProperty("results");
    expect(loadModel(saveModel(rest, parameters), "f")).not.toHaveProperty("results");
    expect(results).toBeDefined();
  });

  test("stores the tokenizer of a model of texts, which has no classes", async () => {
    const text = sequential([embedding(3, 3)], { inputShape: [4] });
    const tokenizer = characterTokenizer("cab").config;
    const parts = {
      model: text,
      loss: "softmaxCrossEntropy",
      normalization: unitScale,
      step: 2,
      training: {},
    } as const;
    const bytes = saveModel({ ...parts, classes: [], tokenizer }, initialValues(text));
    const loaded = loadModel(bytes, "f");
    expect(loaded).toMatchObject({ loss: "softmaxCrossEntropy", classes: [], tokenizer });
    expect((await tokenizerFromConfig(loaded.tokenizer!)).encode("abc")).toEqual(Uint8Array.of(0, 1, 2));
    const wrong = () =>
      saveModel({ ...parts, classes: [], tokenizer: { type: "words" } as never }, initialValues(text));
    expect(wrong).toThrow(/the metadata's entry "tokenizer" is/);
  });

  test("stores how images become inputs, and the threshold, and refuses values that do not fit the model", () => {
    const images = { width: 3, height: 2, color: "gray", resize: true } as const;
    const { images: found, threshold } = loadModel(saveModel({ ...trained, images, threshold: 0.3 }, parameters), "f");
    expect({ found, threshold }).toEqual({ found: images, threshold: 0.3 });
    const refused = (more: Partial<TrainedModel>) => () => saveModel({ ...trained, ...more }, parameters);
    expect(refused({ images: { ...images, width: 4 } })).toThrow(/the metadata's entry "images" is/);
    expect(refused({ images: { ...images, color: "rgb" } })).toThrow(/the metadata's entry "images" is/);
    expect(refused({ threshold: 1 })).toThrow(/the metadata's entry "threshold" is/);
  });

  test("stores a result that is not finite as null", () => {
    const { results } = loadModel(saveModel({ ...trained, results: { loss: NaN } }, parameters), "f");
    expect(results).toEqual({ loss: null });
  });

  test("gives the same results as the trainer that it was saved from", async () => {
    const dataset = makeClassificationDataset({
      name: "ramps",
      features: Uint8Array.from({ length: 60 }, (_, index) => (index * 37) % 256),
      shape: [2, 3],
      labels: Uint32Array.from({ length: 10 }, (_, index) => index % 3),
      classes: trained.classes,
    });
    const { model, normalization, loss } = trained;
    const backend = createCpuBackend();
    const trainer = await createTrainer({
      model,
      dataset,
      backend,
      normalization,
      batchSize: 4,
      epochs: 2,
      learningRate: 0.1,
    });
    for await (const _ of trainer.fit());
    const expected = await trainer.evaluate(dataset);
    const snapshot = await trainer.snapshot();
    const loaded = loadModel(saveModel({ ...trained, step: snapshot.step }, snapshot.parameters), "f");
    const evaluator = createEvaluator({
      model: loaded.model,
      backend,
      session: backend.createSession(),
      normalization,
      loss,
    });
    expect(await evaluator.evaluate(dataset)).toEqual(expected);
  });
});

test("saveModel refuses values that do not match the model, which loadModel would refuse", () => {
  const { "layers.1.bias": bias, ...rest } = parameters;
  expect(() => saveModel(trained, rest)).toThrow(/layers\.1\.bias: its values are missing/);
  expect(() => saveModel(trained, { ...parameters, more: bias! })).toThrow(
    /"more": the model has no parameter or state of this name/,
  );
  expect(() => saveModel(trained, { ...parameters, "layers.3.weight": bias! })).toThrow(
    /5 values of shape \[5\] for the shape \[5, 3\]/,
  );
});

describe("loadModel refuses", () => {
  const { tensors, metadata } = readSafetensors(saved, "f");
  type Change = (parts: { tensors: Map<string, TensorValues>; metadata: Record<string, string> }) => void;
  // Without a digest, as in older files, changes are detected by their effect.
  const changed = (change: Change): Uint8Array => {
    const parts = { tensors: new Map(tensors), metadata: { ...metadata, format: "wgrad" } };
    change(parts);
    return writeSafetensors(
      [...parts.tensors].map(([name, tensor]) => ({ name, ...tensor })),
      parts.metadata,
    );
  };
  const config = (change: object) => JSON.stringify({ ...trained.model.config, ...change });

  test.each<[string, Change, RegExp]>([
    [
      "another program's file",
      ({ metadata: m }) => void (m["format"] = "pt"),
      /f: this is a safetensors file, but not a model/,
    ],
    ["a missing entry", ({ metadata: m }) => void delete m["classes"], /entry "classes" is missing/],
    ["an entry that is not JSON", ({ metadata: m }) => void (m["training"] = "{"), /entry "training" is not JSON/],
    ["an unknown loss", ({ metadata: m }) => void (m["loss"] = "toString"), /entry "loss" is "toString"/],
    [
      "a scale that is not a number",
      ({ metadata: m }) => void (m["normalization"] = '{"scale":"1","offset":0}'),
      /"normalization"/,
    ],
    ["no classes", ({ metadata: m }) => void (m["classes"] = "[]"), /entry "classes" is \[\]/],
    [
      "more classes than outputs",
      ({ metadata: m }) => void (m["classes"] = '["a","b","c","d"]'),
      /output is \[3\] but the data has 4 classes/,
    ],
    [
      "outputs with a loss for classification",
      ({ metadata: m }) => void (m["outputs"] = '["a","b","c"]'),
      /this loss supports only classification/,
    ],
    [
      "other output names",
      ({ metadata: m }) => void Object.assign(m, { loss: "meanSquaredError", outputs: '["a"]' }),
      /an example has 1 target\./,
    ],
    [
      "an entry with a duplicate key",
      ({ metadata: m }) => void (m["training"] = '{"a":1,"a":2}'),
      /entry "training" has the key "a" twice/,
    ],
    [
      "an entry that consists of nested lists",
      ({ metadata: m }) => void (m["training"] = `[${"[],".repeat(200_000)}[]]`),
      /"training" has more than 100000/,
    ],
    [
      "examples with too many axes",
      ({ metadata: m }) => void (m["model"] = config({ inputShape: new Array<number>(99).fill(1) })),
      /there are 99 axes/,
    ],
    ["a negative step", ({ metadata: m }) => void (m["step"] = "-1"), /entry "step" is -1/],
    ["nested facts", ({ metadata: m }) => void (m["training"] = '{"a":{}}'), /entry "training"/],
    ["a model that is not an object", ({ metadata: m }) => void (m["model"] = "3"), /entry "model" is 3/],
    [
      "an unknown layer",
      ({ metadata: m }) => void (m["model"] = config({ layers: [{ type: "magic" }] })),
      /unknown layer type "magic"/,
    ],
    ["a missing tensor", ({ tensors: t }) => void t.delete("layers.1.bias"), /layers\.1\.bias: .*missing/],
    [
      "an extra tensor",
      ({ tensors: t }) => void t.set("extra", { shape: [1], values: new Float32Array(1) }),
      /no parameter "extra"/,
    ],
    [
      "a tensor of another size",
      ({ tensors: t }) => void t.set("layers.1.bias", { shape: [4], values: new Float32Array(4) }),
      /layers\.1\.bias: 4 values for the shape \[5\].*its shape in the file is \[4\]/,
    ],
    [
      "a tensor of another shape",
      ({ tensors: t }) => void t.set("layers.1.weight", { ...t.get("layers.1.weight")!, shape: [5, 6] }),
      /tensor "layers\.1\.weight": its shape is \[5, 6\], but the network's is \[6, 5\]/,
    ],
    [
      "a width beyond all memory, before memory is allocated",
      ({ metadata: m }) =>
        void (m["model"] = config({
          layers: [{ type: "dense", units: 2 ** 50, activation: "relu", bias: true }],
          inputShape: [6],
        })),
      /do not match/,
    ],
  ])("%s", (_, change, message) => {
    expect(() => loadModel(changed(change), "f")).toThrow(DataError);
    expect(() => loadModel(changed(change), "f")).toThrow(message);
  });
});
