import { describe, expect, test } from "vitest";
import { createCpuBackend } from "../../src/backends/cpu/index.ts";
import { GraphError, OptionError, WgradError } from "../../src/errors.ts";
import { loadModel, saveModel, type TrainedModel } from "../../src/formats/model.ts";
import { saveOnnx } from "../../src/formats/onnx/index.ts";
import { loadPytorch, savePytorch } from "../../src/formats/pytorch.ts";
import { defineGraph } from "../../src/graph/graph.ts";
import { input, parameter, type StoredAttributes } from "../../src/graph/leaves.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import {
  dense,
  flatten,
  modelFromConfig,
  optimizers,
  sequential,
  type Layer,
  type Model,
  type Optimizer,
} from "../../src/nn/index.ts";
import { multiply } from "../../src/ops/elementwise/index.ts";
import { reshape } from "../../src/ops/layout/index.ts";
import { createTrainer } from "../../src/train/index.ts";
import { clouds, finish, valuesOf } from "../train/examples.ts";

const namesOf = ({ parameters }: Pick<Model, "parameters">) =>
  parameters.map(({ attributes }) => (attributes as StoredAttributes).name);

/** Two models in sequence, as a caller combines them. */
function chained(first: Model, second: Model): Model {
  return {
    ...second,
    parameters: [...first.parameters, ...second.parameters],
    shapes: [...first.shapes, ...second.shapes.slice(1)],
    inputShape: first.inputShape,
    apply: (x, options) => second.apply(first.apply(x, options), options),
    applyEach: (x, options) => [...first.applyEach(x, options), ...second.applyEach(first.apply(x, options), options)],
  };
}

const part = (inputs: number, units: number, name?: string) =>
  sequential([dense(units, { activation: "tanh" })], { inputShape: [inputs], seed: units, name });

const run = { dataset: clouds(30), learningRate: 0.05, batchSize: 10, epochs: 4 };

describe("two parameters with the same name", () => {
  test("in one model are refused, naming both", async () => {
    const making = createTrainer({ ...run, model: chained(part(4, 5), part(5, 3)), backend: createCpuBackend() });
    await expect(making).rejects.toThrow(GraphError);
    await expect(making).rejects.toThrow(
      /layers\.0\.weight float32\[4, 5\] and parameter layers\.0\.weight float32\[5, 3\]/,
    );
  });

  test("in one graph are kept apart, since a session identifies them by object", async () => {
    const [one, other] = [parameter("w", [2], [1, 2]), parameter("w", [2], [3, 4])];
    const session = createCpuBackend().createSession();
    const executable = await session.compile(defineGraph({ product: multiply(one, other) }));
    await executable.run(0, 1);
    expect([...(await executable.read("product"))]).toEqual([3, 8]);
    expect([...(await session.read(other))]).toEqual([3, 4]);
  });

  test("among an optimizer's states are refused", async () => {
    const halves: Optimizer = {
      name: "halves",
      options: {},
      update: (parameters, gradients, options) => {
        const each = gradients as readonly Tensor[];
        return [0, 1].flatMap((half) => {
          const of = <Item>(items: readonly Item[]) => items.filter((_, index) => index % 2 === half);
          return optimizers.adam().update(of(parameters), of(each), options);
        });
      },
    };
    const unpacked: Optimizer = {
      ...halves,
      update: (parameters, _, options) => halves.update(parameters, parameters, options),
    };
    const making = createTrainer({ ...run, model: part(4, 3), backend: createCpuBackend(), optimizer: unpacked });
    await expect(making).rejects.toThrow(/optimizer: two different leaves have the same name: state adam\.firstMoment/);
  });
});

describe("a named model", () => {
  test("has the same initial values as a model without a name, and prefixed names", () => {
    const [plain, named] = [part(4, 5), part(4, 5, "encoder")];
    expect(namesOf(plain)).toEqual(["layers.0.weight", "layers.0.bias"]);
    expect(namesOf(named)).toEqual(["encoder.layers.0.weight", "encoder.layers.0.bias"]);
    expect(named.parameters.map(({ attributes }) => (attributes as StoredAttributes).initial)).toEqual(
      plain.parameters.map(({ attributes }) => (attributes as StoredAttributes).initial),
    );
    expect(plain.config).not.toHaveProperty("name");
    expect(namesOf(modelFromConfig(JSON.parse(JSON.stringify(named.config))))).toEqual(namesOf(named));
  });

  test("trains together with another one, and the run continues from a snapshot", async () => {
    const backend = createCpuBackend();
    const model = () => chained(part(4, 5, "encoder"), part(5, 3, "head"));
    const whole = await createTrainer({ ...run, model: model(), backend });
    await finish(whole);
    const first = await createTrainer({ ...run, model: model(), backend });
    await finish(first, { maxSteps: 5 });
    const second = await createTrainer({ ...run, model: model(), backend, resumeFrom: await first.snapshot() });
    await finish(second);
    const values = valuesOf(await second.snapshot());
    expect(values).toEqual(valuesOf(await whole.snapshot()));
    expect(Object.keys(values)).toEqual(expect.arrayContaining(["encoder.layers.0.weight", "head.layers.0.weight"]));
  });

  test("is saved, loaded and exported", () => {
    const model = sequential([flatten(), dense(4, { activation: "relu" }), dense(3)], {
      inputShape: [2, 3],
      name: "net-1",
    });
    const parameters = Object.fromEntries(
      model.parameters.map(({ attributes, shape }) => {
        const { name, initial } = attributes as StoredAttributes;
        return [name, { shape, values: initial! }];
      }),
    );
    const trained = trainedOf(model);
    for (const loaded of [loadModel(saveModel(trained, parameters), "f"), loadPytorch(savePytorch(trained), "f")]) {
      expect(loaded.model.config).toEqual(model.config);
      expect(loaded.model.parameters.map(({ attributes }) => attributes)).toEqual(
        model.parameters.map(({ attributes }) => attributes),
      );
    }
    expect(new TextDecoder().decode(saveOnnx(trained))).toContain("net-1.layers.1.weight");
  });

  test.each(["", "a.b", "optimizer", "1st", 3, null])("refuses the name %j", (name) => {
    expect(() => sequential([dense(1)], { inputShape: [1], name: name as string })).toThrow(OptionError);
  });
});

function trainedOf(model: Model): TrainedModel {
  return {
    model,
    loss: "softmaxCrossEntropy",
    normalization: { scale: 1, offset: 0 },
    classes: ["a", "b", "c"],
    step: 0,
    training: {},
  };
}

describe("saveModel refuses what loadModel would refuse", () => {
  const model = part(4, 3);
  const parameters = Object.fromEntries(
    model.parameters.map(({ attributes, shape, size }) => [
      (attributes as StoredAttributes).name,
      { shape, values: new Float32Array(size) },
    ]),
  );

  test.each<[string, Partial<TrainedModel>, RegExp]>([
    ["no classes", { classes: [] }, /^classes: the model has neither classes nor outputs with names, and no tokenizer/],
    ["classes that do not match the outputs", { classes: ["a", "b"] }, /saveModel: .*the data has 2 classes/],
    ["an invalid step", { step: 1.5 }, /"step" is 1\.5/],
    ["nested facts", { training: { run: {} as never } }, /"training"/],
    ["a scale that is not finite", { normalization: { scale: NaN, offset: 0 } }, /"normalization"/],
    ["a scale for another number of features", { normalization: { scale: [1, 2], offset: 0 } }, /"normalization"/],
    ["a loss with another kind of targets", { loss: "meanSquaredError", outputs: ["a"] }, /an example has 1 target\./],
  ])("%s", (_name, change, message) => {
    const given = { ...trainedOf(model), ...change };
    expect(() => saveModel(given, parameters)).toThrow(OptionError);
    expect(() => saveModel(given, parameters)).toThrow(message);
  });

  test("parameters that do not match the model's config", () => {
    const frozen = { ...model, parameters: model.parameters.slice(1) };
    const { "layers.0.bias": bias } = parameters;
    expect(() => saveModel(trainedOf(frozen), { "layers.0.bias": bias! })).toThrow(
      /layers\.0\.weight: its values are missing/,
    );
    const both = chained(part(4, 5, "a"), part(5, 3, "b"));
    const values = Object.fromEntries(
      both.parameters.map(({ attributes, shape, size }) => [
        (attributes as StoredAttributes).name,
        { shape, values: new Float32Array(size) },
      ]),
    );
    expect(() => saveModel(trainedOf(both), values)).toThrow(
      /"a\.layers\.0\.weight": the model has no parameter or state of this name/,
    );
    expect(() => saveModel(trainedOf(chained(part(4, 5), part(5, 3))), parameters)).toThrow(
      /two different leaves have the same name/,
    );
  });
});

describe("a custom layer", () => {
  const made = (built: unknown): (() => Model) => {
    const layer = { config: { type: "own" }, build: () => built } as Layer;
    return () => sequential([layer, dense(2)], { inputShape: [4] });
  };

  test.each<[string, unknown, RegExp]>([
    ["whose build returns nothing", undefined, /layer 0, own: its build returns undefined/],
    ["whose apply returns null", { outputShape: [4], apply: () => null }, /layer 0, own, apply: null is not a tensor/],
    ["whose apply returns a number", { outputShape: [4], apply: () => 3 }, /layer 0, own, apply: 3 is not a tensor/],
    [
      "whose outputShape differs from its result",
      { outputShape: [3], apply: (x: Tensor) => x },
      /it returns examples float32\[1, 4\].*outputShape promises \[batch, 3\]/,
    ],
    [
      "whose outputShape has another number of axes",
      { outputShape: [2, 2], apply: (x: Tensor) => x },
      /outputShape promises \[batch, 2, 2\]/,
    ],
    ["without an outputShape", { apply: (x: Tensor) => x }, /its build returns/],
    ["with a fractional outputShape", { outputShape: [2.5], apply: (x: Tensor) => x }, /outputShape is \[2\.5\]/],
    ["with a string as outputShape", { outputShape: "4", apply: (x: Tensor) => x }, /its build returns/],
  ])("%s is refused when the model is built", (_name, built, message) => {
    expect(made(built)).toThrow(WgradError);
    expect(made(built)).toThrow(message);
  });

  test("without a config is not a layer", () => {
    expect(() => sequential([{ build: () => null } as never], { inputShape: [4] })).toThrow(
      /layer 0 is .* which is not a layer/,
    );
  });

  test("that drops the batch axis of larger batches fails when it is applied", () => {
    const layer: Layer = {
      config: { type: "own" },
      build: () => ({ outputShape: [4], apply: (x) => (x.shape[0] === 1 ? x : reshape(x, [x.size])) }),
    };
    expect(() => sequential([layer], { inputShape: [4] }).apply(input("x", [2, 4]))).toThrow(
      /layer 0, own: it returns/,
    );
  });
});
