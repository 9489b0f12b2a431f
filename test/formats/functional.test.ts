/*
 * Files of functional models, and of layers with states.
 */
import { describe, expect, test } from "vitest";
import { DataError, OptionError } from "../../src/errors.ts";
import { loadCheckpoint, saveCheckpoint } from "../../src/formats/checkpoint.ts";
import { describeFunctionalFile } from "../../src/formats/functional-file.ts";
import {
  initialValues,
  loadModel,
  saveModel,
  type TrainedFunctionalModel,
  type TrainedModel,
} from "../../src/formats/model.ts";
import { savePytorch } from "../../src/formats/pytorch.ts";
import { constant } from "../../src/graph/leaves.ts";
import {
  dense,
  functionalModel,
  layers,
  modelFromConfig,
  sequential,
  startFrom,
  toSequential,
  type FunctionContext,
  type ModelFunction,
  type NamedTensors,
} from "../../src/nn/index.ts";
import { add } from "../../src/ops/elementwise/index.ts";
import { Random } from "../../src/random.ts";
import { evaluate } from "../nn/run.ts";

const { batchNorm, residual } = layers;

/** Two inputs that share a layer, with options that a test may change. */
const compute =
  ({ units = 4, epsilon = 1e-5, head = "head", more = false } = {}) =>
  ({ a, b }: NamedTensors<"a" | "b">, { use }: FunctionContext) => {
    const tower = residual([dense(3), batchNorm({ epsilon })]);
    const joined = add(use(tower, a, "tower"), use(tower, b));
    const hidden = use(dense(units, { activation: "relu" }), joined, "hidden");
    return { y: use(dense(2), more ? use(batchNorm(), hidden, "more") : hidden, head) };
  };

const modelFunction = compute();
const model = functionalModel({ inputs: { a: [3], b: [3] }, seed: 4, name: "pair" }, modelFunction);
const random = new Random(3);
const values = Object.fromEntries(
  Object.entries(initialValues(model)).map(([name, { shape, values: own }]) => [
    name,
    { shape, values: own.map(() => random.uniform(0.5, 2)) },
  ]),
);
const trained: TrainedFunctionalModel = {
  model,
  step: 7,
  training: { optimizer: "adam" },
  normalization: { a: { scale: [1, 2, 3], offset: [0, 0, 1] }, b: { scale: 0.5, offset: 0 } },
  classes: ["same", "other"],
  results: { accuracy: 0.75 },
};
const saved = saveModel(trained, values);

describe("a file of a functional model", () => {
  test("stores the tokenizer of a model of texts", () => {
    const tokenizer = { type: "characters", characters: "abc" } as const;
    const bytes = saveModel({ model, step: 1, tokenizer }, initialValues(model));
    expect(loadModel(bytes, "f", { modelFunction })).toMatchObject({ tokenizer, training: {} });
    const wrong = { model, step: 1, training: {}, tokenizer: { type: "characters" } as never };
    expect(() => saveModel(wrong, initialValues(model))).toThrow(/the metadata's entry "tokenizer" is/);
  });

  test("restores everything, with the values bit by bit", async () => {
    const { model: loaded, ...facts } = loadModel(saved, "f", { modelFunction });
    const { model: _, ...expected } = trained;
    expect(facts).toEqual(expected);
    expect(loaded.config).toEqual(model.config);
    expect(initialValues(loaded)).toEqual(values);
    expect(Object.keys(values)).toContain("pair.layers.tower.1.runningVariance");
    const inputs = { a: constant([1, 2, 3], [1, 3]), b: constant([0.5, -1, 2], [1, 3]) };
    const again = modelFromConfig(
      JSON.parse(JSON.stringify(model.config)),
      Object.fromEntries(Object.entries(values).map(([name, { values: own }]) => [name, own])),
      { modelFunction },
    );
    const { outputs } = await evaluate({ loaded: loaded.apply(inputs).y, again: again.apply(inputs).y });
    expect(outputs["loaded"]).toEqual(outputs["again"]);
    expect(saveModel({ ...facts, model: loaded }, initialValues(loaded))).toEqual(saved);
  });

  test("is described without the function, with the values of each layer and its states", () => {
    const tower = 3 * 3 + 3 + 4 * 3;
    expect(describeFunctionalFile(saved, "f")).toEqual({
      inputs: model.inputs,
      layers: [
        { name: "pair.layers.tower", type: "residual", values: tower },
        { name: "pair.layers.hidden", type: "dense", values: 3 * 4 + 4 },
        { name: "pair.layers.head", type: "dense", values: 4 * 2 + 2 },
      ],
      step: 7,
      training: { optimizer: "adam" },
    });
    const sequence = sequential([dense(2)], { inputShape: [3] });
    const facts = { loss: "meanSquaredError", normalization: { scale: 1, offset: 0 }, classes: [] } as const;
    const other = saveModel(
      { model: sequence, ...facts, outputs: ["a", "b"], step: 0, training: {} },
      initialValues(sequence),
    );
    expect(describeFunctionalFile(other, "f")).toBeUndefined();
    const damaged = saved.slice();
    damaged[damaged.length - 1]! ^= 1;
    expect(() => describeFunctionalFile(damaged, "f")).toThrow("the file is damaged");
  });

  test("may hold only the model", () => {
    const facts = { step: 0, training: {} };
    expect(loadModel(saveModel({ model, ...facts }, values), "f", { modelFunction })).toMatchObject(facts);
  });

  test("may be a checkpoint", () => {
    const state = {
      parameters: values,
      optimizer: { "adam.step": { shape: [1], values: Float32Array.of(3) } },
      unreported: { steps: 1, loss: 2, correct: 3, gradientNorm: 4 },
      run: { seed: 5 },
    };
    const found = loadCheckpoint(saveCheckpoint(trained, state), "f", { modelFunction });
    expect(found.state).toEqual({ ...state, step: trained.step });
    expect(initialValues(found.trained.model)).toEqual(values);
  });

  test.each<[string, Parameters<typeof compute>[0], RegExp]>([
    ["another option", { units: 5 }, /layer "hidden": its units is 4 in the config, and 5 in the function's layer/],
    ["another inner layer", { epsilon: 1e-3 }, /layer "tower": its layers is /],
    [
      "another name",
      { head: "last" },
      /layer "last": the function uses dense "last", and the config has .*dense "head"/,
    ],
    ["more layers", { more: true }, /layer "more": the function uses batchNorm "more"/],
  ])("is refused with a function that has %s", (_, options, message) => {
    expect(() => loadModel(saved, "f", { modelFunction: compute(options) })).toThrow(DataError);
    expect(() => loadModel(saved, "f", { modelFunction: compute(options) })).toThrow(message);
    expect(() => modelFromConfig(model.config, undefined, { modelFunction: compute(options) })).toThrow(OptionError);
  });

  test("is refused with a function that uses fewer layers", () => {
    const fewer = ({ a }: NamedTensors<"a">) => ({ y: a });
    expect(() => loadModel(saved, "f", { modelFunction: fewer })).toThrow(
      'layer "tower": the function does not use residual "tower"',
    );
  });

  test("is refused without its function, and that of a sequential model with one", () => {
    expect(() => loadModel(saved, "f")).toThrow(
      "f: this is a functional model, whose function is not part of the file. Load it with loadModel and { modelFunction }",
    );
    expect(() => modelFromConfig(model.config)).toThrow("Give { modelFunction }");
    const { config } = sequential([dense(2)], { inputShape: [3] });
    expect(() => modelFromConfig(config, undefined, { modelFunction })).toThrow("not the config of a functional model");
    for (const damaged of [{ inputs: [] }, { layers: { a: 3 } }, { seed: "1" }, { inputs: { a: 3 } }])
      expect(() => modelFromConfig({ ...model.config, ...damaged }, undefined, { modelFunction })).toThrow(OptionError);
  });

  test("with an absurd shape is refused before memory is allocated for it", () => {
    const config = {
      ...model.config,
      inputs: { a: { shape: [2 ** 29], dtype: "float32" }, b: model.config.inputs["b"] },
    };
    const square = ({ a }: NamedTensors<"a">, { use }: FunctionContext) => ({ y: use(dense(4), use(batchNorm(), a)) });
    expect(() => modelFromConfig(config, {}, { modelFunction: square })).toThrow("the config has");
  });

  test("is not written with values or facts that do not fit", () => {
    const { "pair.layers.head.bias": _, ...fewer } = values;
    expect(() => saveModel(trained, fewer)).toThrow("pair.layers.head.bias: its values are missing");
    const more = { ...values, other: { shape: [1], values: Float32Array.of(1) } };
    expect(() => saveModel(trained, more)).toThrow("no parameter or state of this name");
    for (const normalization of [{ c: { scale: 1, offset: 0 } }, { a: { scale: [1], offset: [1] } }])
      expect(() => saveModel({ ...trained, normalization: normalization as never }, values)).toThrow(
        'entry "normalization" is',
      );
    expect(() => saveModel({ ...trained, step: -1 }, values)).toThrow(OptionError);
  });
});

describe("export", () => {
  const facts = { loss: "meanSquaredError", normalization: { scale: 1, offset: 0 }, classes: [], outputs: ["a", "b"] };
  const chain = [dense(4, { activation: "relu" }), batchNorm(), dense(2)];
  const chained = functionalModel({ inputs: { x: [3] }, seed: 8, name: "net" }, ({ x }, { use }) => ({
    y: chain.reduce((value, layer, index) => use(layer, value, `part${index}`), x),
  }));

  test("of one that chains layers is that of the sequential model with its values", async () => {
    const own = Object.fromEntries(
      Object.entries(initialValues(chained)).map(([name, { shape, values: initial }]) => [
        name,
        { shape, values: initial.map(() => random.uniform(0.5, 2)) },
      ]),
    );
    const sequence = toSequential(chained, own);
    expect(sequence.config).toEqual(sequential(chain, { inputShape: [3], seed: 8, name: "net" }).config);
    expect(initialValues(sequence)["net.layers.1.runningMean"]).toEqual(own["net.layers.part1.runningMean"]);
    expect(initialValues(toSequential(chained))["net.layers.0.weight"]).toEqual(
      initialValues(chained)["net.layers.part0.weight"],
    );
    const x = constant([1, 2, 3, -1, 0, 2], [2, 3]);
    const { model: same } = startFrom(chained, own);
    const { outputs } = await evaluate({ same: same.apply({ x }).y, sequence: sequence.apply(x) });
    expect(outputs["sequence"]).toEqual(outputs["same"]);
    expect(() => savePytorch({ ...facts, model: sequence, step: 0, training: {} } as TrainedModel)).not.toThrow();
  });

  test.each<[string, ReturnType<typeof compute>]>([
    ["the model has the inputs a, b", modelFunction],
    [
      "it uses the layer 1 twice",
      ({ a }, { use }) => {
        const again = dense(2);
        return { y: use(again, use(again, use(dense(2), a))) };
      },
    ],
  ])("is refused: %s", (message, own) => {
    const inputs = message.includes("inputs") ? { a: [3], b: [3] } : { a: [3] };
    expect(() => toSequential(functionalModel({ inputs: inputs as never }, own))).toThrow(message);
  });

  test("is refused if the function adds other ops, or returns more", () => {
    const of = (own: ModelFunction<"x">) => toSequential(functionalModel({ inputs: { x: [3] } }, own));
    expect(() => of(({ x }, { use }) => ({ y: add(use(dense(3), x), x) }))).toThrow("its output is not the result");
    expect(() => of(({ x }, { use }) => ({ y: use(dense(3), add(x, x)) }))).toThrow("the input of the layer 0 is not");
    expect(() => of(({ x }, { use }) => ({ y: use(dense(3), x), z: x }))).toThrow("the outputs y, z");
  });
});
