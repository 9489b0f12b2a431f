import { describe, expect, test } from "vitest";
import * as library from "../../src/index.ts";
import { saveOnnx } from "../../src/formats/onnx/index.ts";
import { initialValues, loadModel, saveModel, type TrainedModel } from "../../src/formats/model.ts";
import { loadPytorch, pytorchCode, savePytorch } from "../../src/formats/pytorch.ts";
import { byFolder } from "../../src/nn/layers/by-folder.ts";
import type { OnnxForm, PytorchForm } from "../../src/nn/layers/forms.ts";
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

const types = byFolder<LayerType>(
  import.meta.glob("../../src/nn/layers/*/index.ts", { eager: true, import: "layerType" }),
);
const onnxForms = byFolder<OnnxForm>(
  import.meta.glob("../../src/nn/layers/*/onnx.ts", { eager: true, import: "onnx" }),
);
const pytorchForms = byFolder<PytorchForm>(
  import.meta.glob("../../src/nn/layers/*/pytorch.ts", { eager: true, import: "pytorch" }),
);

/** One layer of each type, in a model with inputs of shape [4], or the given shape. */
const cases: Readonly<Record<string, { layer: Layer; inputShape?: readonly number[] }>> = {
  activation: { layer: activation("gelu") },
  dense: { layer: dense(3, { activation: "tanh" }) },
  dropout: { layer: dropout(0.25) },
  flatten: { layer: flatten(), inputShape: [2, 2] },
};

/** A model whose second layer is the given one, since some forms differ for the first layer. */
function trainedWith({ layer, inputShape = [4] }: (typeof cases)[string]): TrainedModel {
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
    expect(Object.keys(types).toSorted()).toEqual(Object.keys(cases).toSorted());
    for (const [name, type] of Object.entries(types)) {
      expect(typeof type?.fromConfig, `src/nn/layers/${name}/index.ts exports layerType`).toBe("function");
    }
  });

  test.each(Object.keys(types))("%s: has its forms, and the library exports its function", (name) => {
    expect(typeof onnxForms[name], `src/nn/layers/${name}/onnx.ts exports onnx`).toBe("function");
    expect(typeof pytorchForms[name]?.modules, `src/nn/layers/${name}/pytorch.ts exports pytorch`).toBe("function");
    expect(typeof (library as Record<string, unknown>)[name], `src/nn/layers/index.ts exports ${name}`).toBe(
      "function",
    );
  });

  test.each(Object.entries(cases))(
    "%s: its config has its type and options and recreates it",
    (name, { layer, inputShape = [4] }) => {
      expect(Object.keys(layer.config)).toEqual(["type", ...types[name]!.options]);
      expect(layer.config.type).toBe(name);
      const { model } = trainedWith({ layer, inputShape });
      const again = modelFromConfig(JSON.parse(JSON.stringify(model.config)));
      expect(again.config).toEqual(model.config);
      expect(initialValues(again)).toEqual(initialValues(model));
    },
  );

  test.each(Object.entries(cases))("%s: is written to ONNX and PyTorch, and read back", (name, layerCase) => {
    const trained = trainedWith(layerCase);
    expect(saveOnnx(trained).length).toBeGreaterThan(0);
    for (const { code } of pytorchForms[name]!.modules(layerCase.layer.config, { index: 1, inputShape: [4] })) {
      expect(pytorchCode(trained, "f")).toContain(code);
    }
    const back = loadPytorch(savePytorch(trained), "f");
    expect(initialValues(back.model)).toEqual(initialValues(trained.model));
    const hasParameters = trained.model.parameters.some(({ attributes }) =>
      (attributes as { name: string }).name.startsWith("layers.1."),
    );
    expect(pytorchForms[name]!.parameters !== undefined).toBe(hasParameters);
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

/** x + inner(x), with a list and the configs of its inner layers in its own config. */
function residual(inner: readonly Layer[], sizes: readonly number[] = []): Layer {
  return {
    config: { type: "residual", sizes, inner: inner.map(({ config }) => config) },
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
    residual: ({ inner, sizes }: LayerConfig, resolver: ConfigResolver) =>
      residual(
        (inner as LayerConfig[]).map((config) => resolver.layer(config)),
        sizes as number[],
      ),
  },
};

describe("a config with lists and nested configs", () => {
  const block = residual([dense(4, { activation: own.activations[0]! }), residual([dropout(0.5), dense(4)])], [1, 2.5]);
  const model = sequential([block, dense(2)], { inputShape: [4], seed: 3 });

  test("is read back from a model file, with the values of the inner layers' parameters", () => {
    const trained = { ...trainedWith(cases["dense"]!), model };
    const back = loadModel(saveModel(trained, initialValues(model)), "f", own);
    expect(back.model.config).toEqual(model.config);
    expect(initialValues(back.model)).toEqual(initialValues(model));
    expect(Object.keys(initialValues(model))).toContain("layers.0.1.1.weight");
  });

  test("is refused if a nested layer is invalid, naming the path to it", () => {
    const wrong = (inner: unknown) => ({ ...model.config, layers: [{ type: "residual", sizes: [], inner }] });
    expect(() => modelFromConfig(wrong([{ type: "conv" }]), undefined, own)).toThrow(
      /layer 0, nested layer: unknown layer type "conv"/,
    );
    expect(() => modelFromConfig(wrong([{ type: "dropout", rate: 2 }]), undefined, own)).toThrow(
      /layer 0, nested layer, dropout rate: 2 is out of range/,
    );
    expect(() => modelFromConfig(wrong([7]), undefined, own)).toThrow(/layer 0, nested layer: 7 is not an object/);
  });
});
