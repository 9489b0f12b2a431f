import { describe, expect, test } from "vitest";
import * as library from "../../src/index.ts";
import type { Shape } from "../../src/graph/tensor.ts";
import { saveOnnx } from "../../src/formats/onnx/index.ts";
import { initialValues, loadModel, saveModel, type TrainedModel } from "../../src/formats/model.ts";
import { loadPytorch, pytorchCode, savePytorch } from "../../src/formats/pytorch.ts";
import { byFolder } from "../../src/nn/layers/by-folder.ts";
import { textForms } from "../../src/nn/layer-text/forms.ts";
import type { OnnxForm, PytorchForm, PytorchModule } from "../../src/nn/layers/forms.ts";
import type { LayerType } from "../../src/nn/layers/layer.ts";
import {
  activation,
  dense,
  dropout,
  flatten,
  modelFromConfig,
  sequential,
  summarizeLayer,
  type ConfigResolver,
  type Layer,
  type LayerConfig,
} from "../../src/nn/index.ts";
import { add } from "../../src/ops/elementwise/index.ts";
import { layerCases, type LayerCase } from "./layer-cases.ts";

const types = byFolder<LayerType>(
  import.meta.glob("../../src/nn/layers/*/index.ts", { eager: true, import: "layerType" }),
);
const onnxForms = byFolder<OnnxForm>(
  import.meta.glob("../../src/nn/layers/*/onnx.ts", { eager: true, import: "onnx" }),
);
const pytorchForms = byFolder<PytorchForm>(
  import.meta.glob("../../src/nn/layers/*/pytorch.ts", { eager: true, import: "pytorch" }),
);

/** A model whose second layer is the given one, since some forms differ for the first layer. */
function trainedWith({ layer, inputShape = [4] }: LayerCase): TrainedModel {
  const model = sequential([activation("identity"), layer, flatten(), dense(2)], { inputShape });
  return {
    model,
    loss: "softmaxCrossEntropy",
    normalization: { scale: 1, offset: 0 },
    classes: ["a", "b"],
    step: 0,
    training: {},
  };
}

describe("every layer's folder", () => {
  test("has a case here and its layerType", () => {
    expect(Object.keys(types).toSorted()).toEqual(Object.keys(layerCases).toSorted());
    for (const [name, type] of Object.entries(types)) {
      expect(typeof type?.fromConfig, `src/nn/layers/${name}/index.ts exports layerType`).toBe("function");
    }
  });

  test.each(Object.keys(types))("%s: has its forms, and the library exports its function", (name) => {
    expect(typeof onnxForms[name], `src/nn/layers/${name}/onnx.ts exports onnx`).toBe("function");
    expect(typeof pytorchForms[name], `src/nn/layers/${name}/pytorch.ts exports pytorch`).toBe("function");
    expect(textForms[name]?.word, `src/nn/layers/${name}/text.ts exports text`).toMatch(/^[a-z][a-z\d]*$/);
    const exported = library.layers as unknown as Record<string, unknown>;
    expect(typeof exported[name], `src/nn/layers/index.ts exports ${name}`).toBe("function");
  });

  test("has a function in `layers`, which has nothing else", () => {
    expect(Object.keys(library.layers).toSorted()).toEqual(Object.keys(types).toSorted());
  });

  test.each(Object.entries(layerCases))(
    "%s: its config has its type and options and recreates it",
    (name, { layer, inputShape = [4] }) => {
      const { options, rareOptions = [] } = types[name]!;
      const own = options.filter((option) => !rareOptions.includes(option) || option in layer.config);
      expect(Object.keys(layer.config)).toEqual(["type", ...own]);
      expect(layer.config.type).toBe(name);
      const { model } = trainedWith({ layer, inputShape });
      const again = modelFromConfig(JSON.parse(JSON.stringify(model.config)));
      expect(again.config).toEqual(model.config);
      expect(initialValues(again)).toEqual(initialValues(model));
    },
  );

  test.each(Object.entries(layerCases))("%s: is written to ONNX and PyTorch, and read back", (name, layerCase) => {
    const trained = trainedWith(layerCase);
    expect(saveOnnx(trained).length).toBeGreaterThan(0);
    const inner: PytorchModule = { code: "…" };
    const [, inputShape, outputShape] = trained.model.shapes as [Shape, Shape, Shape];
    const place = { isFirst: false, inputShape, outputShape, chain: () => inner };
    for (const { code, permutes } of pytorchForms[name]!(layerCase.layer.config, place)) {
      if (!permutes) expect(pytorchCode(trained, "f")).toContain(code.split("…")[0]);
    }
    const back = loadPytorch(savePytorch(trained), "f");
    expect(back.model.config).toEqual(trained.model.config);
    expect(initialValues(back.model)).toEqual(initialValues(trained.model));
  });
});

test("summarizeLayer describes built-in layers, and not custom ones", () => {
  const layers = [flatten(), dense(8, { activation: "relu" }), dropout(0.5), activation("tanh")];
  expect(layers.map(({ config }) => summarizeLayer(config))).toEqual([
    {},
    { units: 8, activation: "relu" },
    { dropout: 0.5 },
    { activation: "tanh" },
  ]);
  expect(summarizeLayer({ type: "own" })).toBeUndefined();
});

/** x + inner(x) as a custom layer, with a list and the configs of its inner layers in its own config. */
function ownResidual(inner: readonly Layer[], sizes: readonly number[] = []): Layer {
  return {
    config: { type: "ownResidual", sizes, inner: inner.map(({ config }) => config) },
    build(context) {
      let shape = context.inputShape;
      const built = inner.map((layer, position) => {
        const parameter: typeof context.parameter = (name, ...rest) =>
          context.parameter(`${position}.${name}`, ...rest);
        const result = layer.build({
          ...context,
          inputShape: shape,
          nextActivation: inner[position + 1]?.activation,
          parameter,
        });
        shape = result.outputShape;
        return result;
      });
      return {
        outputShape: shape,
        apply: (x, options) =>
          add(
            x,
            built.reduce((value, layer) => layer.apply(value, options), x),
          ),
      };
    },
  };
}

const own = {
  activations: [{ name: "double", apply: (x: Parameters<typeof add>[0] & object) => add(x, x) }],
  layers: {
    ownResidual: ({ inner, sizes }: LayerConfig, resolver: ConfigResolver) =>
      ownResidual(
        (inner as LayerConfig[]).map((config) => resolver.layer(config)),
        sizes as number[],
      ),
  },
};

describe("a config with lists and nested configs", () => {
  const block = ownResidual(
    [dense(4, { activation: own.activations[0]! }), ownResidual([dropout(0.5), dense(4)])],
    [1, 2.5],
  );
  const model = sequential([block, dense(2)], { inputShape: [4], seed: 3 });

  test("is read back from a model file, with the values of the inner layers' parameters", () => {
    const trained = { ...trainedWith(layerCases["dense"]!), model };
    const back = loadModel(saveModel(trained, initialValues(model)), "f", own);
    expect(back.model.config).toEqual(model.config);
    expect(initialValues(back.model)).toEqual(initialValues(model));
    expect(Object.keys(initialValues(model))).toContain("layers.0.1.1.weight");
  });

  test("is refused if a nested layer is invalid, naming the path to it", () => {
    const wrong = (inner: unknown) => ({ ...model.config, layers: [{ type: "ownResidual", sizes: [], inner }] });
    expect(() => modelFromConfig(wrong([{ type: "conv" }]), undefined, own)).toThrow(
      /layer 0, nested layer: unknown layer type "conv"/,
    );
    expect(() => modelFromConfig(wrong([{ type: "dropout", rate: 2 }]), undefined, own)).toThrow(
      /layer 0, nested layer, dropout rate: 2 is out of range/,
    );
    expect(() => modelFromConfig(wrong([7]), undefined, own)).toThrow(/layer 0, nested layer: 7 is not an object/);
  });
});
