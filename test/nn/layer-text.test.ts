import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { textForms } from "../../src/nn/layer-text/forms.ts";
import { layersFromPartialConfigs } from "../../src/nn/layer-text/partial-config.ts";
import { layerTypes } from "../../src/nn/layers/registry.ts";
import {
  activation,
  dense,
  dropout,
  flatten,
  layers,
  layersFromText,
  layersToText,
  sequential,
  type Layer,
} from "../../src/nn/index.ts";
import { layerCases, networks } from "./layer-cases.ts";

const { conv1d, conv2d, convTranspose2d, maxPool2d, reshape, residual, upsample } = layers;

const configsOf = (made: readonly Layer[]) => made.map(({ config }) => config);

describe("layersFromText", () => {
  test.each<[string, readonly Layer[]]>([
    [
      "conv 16 3x3 relu, maxpool 2, flatten, dropout 0.25, dense 64 relu, dense 10",
      [
        conv2d(16, 3, { activation: "relu" }),
        maxPool2d(2),
        flatten(),
        dropout(0.25),
        dense(64, { activation: "relu" }),
        dense(10),
      ],
    ],
    [
      "conv 32 3x5 stride=2 padding=same groups=4 bias=false",
      [conv2d(32, [3, 5], { stride: 2, padding: "same", groups: 4, bias: false })],
    ],
    [
      "  CONV2D 8 3×3\n padding = 1x2 geluTanh ,Max-Pool 2x3 stride=1",
      [conv2d(8, 3, { padding: [1, 2], activation: "geluTanh" }), maxPool2d([2, 3], { stride: 1 })],
    ],
    [
      "conv outputs=4 window=3 padding=0:1x2:0",
      [
        conv2d(4, 3, {
          padding: [
            [0, 1],
            [2, 0],
          ],
        }),
      ],
    ],
    ["conv1d 4 5 padding=2x1 dilation=2", [conv1d(4, 5, { padding: [2, 1], dilation: 2 })]],
    ["convtranspose 4 3 outputpadding=1 stride=2", [convTranspose2d(4, 3, { outputPadding: 1, stride: 2 })]],
    ["leakyrelu, activation tanh", [activation("leakyRelu"), activation("tanh")]],
    ["reshape 784, reshape 28x28x1", [reshape([784]), reshape([28, 28, 1])]],
    ["upsample 2x1 mode=bilinear", [upsample([2, 1], { mode: "bilinear" })]],
    [
      "residual(conv 8 3 padding=same relu, residual(conv 8 1)) projection=(conv 8 1, relu), relu",
      [
        residual([conv2d(8, 3, { padding: "same", activation: "relu" }), residual([conv2d(8, 1)])], {
          projection: [conv2d(8, 1), activation("relu")],
        }),
        activation("relu"),
      ],
    ],
  ])("%s", (text, expected) => {
    expect(configsOf(layersFromText(text))).toEqual(configsOf(expected));
  });

  test("makes layers that build a model", () => {
    const model = sequential(layersFromText("conv 16 3x3 relu, maxpool 2, flatten, dense 10"), {
      inputShape: [28, 28],
    });
    expect(model.shapes).toEqual([[28, 28], [26, 26, 16], [13, 13, 16], [2704], [10]]);
    // 9 · 16 + 16 and 2704 · 10 + 10
    expect(model.parameters.reduce((sum, { size }) => sum + size, 0)).toBe(160 + 27050);
  });

  test.each<[string, string]>([
    ["covn 16 3x3, dense 10", 'layersFromText, position 1: there is no layer "covn". Did you mean conv?'],
    ["dense 8, rleu", 'layersFromText, position 10: there is no layer "rleu". Did you mean relu?'],
    ["conv 16 3x3 rleu", 'layersFromText, position 13: there is no activation "rleu". Did you mean relu?'],
    [
      "conv 16 3x3 same",
      'layersFromText, position 13: there is no activation "same". Choose one of identity, step, sigmoid, tanh, relu, leakyRelu, elu, softplus, gelu, geluTanh, silu; other options are written as padding=same.',
    ],
    ["conv 16", "layersFromText, position 1: the window of conv is missing. Write conv 16 3x3 relu."],
    [
      "dense 8 9",
      'layersFromText, position 9: dense does not take the value "9". Write dense 64 relu, or options such as name=value, or a comma before the next layer.',
    ],
    [
      "maxpool 2 relu",
      'layersFromText, position 11: maxpool does not take the value "relu". Write maxpool 2, or options such as name=value, or a comma before the next layer.',
    ],
    ["conv 16 3 strides=2", 'layersFromText, position 11, conv: there is no option "strides". Did you mean stride?'],
    ["flatten size=2", 'layersFromText, position 9, flatten: there is no option "size". It has no options.'],
    ["conv 16 3 stride=2 stride=1", "layersFromText, position 20: stride is given twice. Give it once."],
    ["dense 8 relu tanh", "layersFromText, position 14: activation is given twice. Give it once."],
    ["dense 0", "layersFromText, position 1, dense units: 0 is out of range. Give a whole number of at least 1."],
    [
      "dense 8, dropout 1.5",
      "layersFromText, position 10, dropout rate: 1.5 is out of range. Give the fraction of elements to drop, in [0, 1).",
    ],
    [
      "dense 8,, dense 10",
      'layersFromText, position 9: there is "," instead of a layer. Give a layer such as dense 10.',
    ],
    ["dense 8,", "layersFromText, position 9: the text ends instead of a layer. Give a layer such as dense 10."],
    ["", "layersFromText, position 1: the text ends instead of a layer. Give a layer such as dense 10."],
    [
      "residual dense 8",
      'layersFromText, position 10: there is "dense" instead of the layers of residual. Write residual(conv 16 3x3 padding=same relu, conv 16 3x3 padding=same).',
    ],
    ["residual(dense 8", 'layersFromText, position 17: the text ends instead of ")" after the layers of residual.'],
    [
      "residual(dense 8 stride=2)",
      'layersFromText, position 18, dense: there is no option "stride". Its options are units, activation, bias.',
    ],
    [
      "residual(dense 0)",
      "layersFromText, position 10, dense units: 0 is out of range. Give a whole number of at least 1.",
    ],
    ["dense 8) , dense 10", 'layersFromText, position 8: ")" follows the last layer. Separate layers with commas.'],
    ["dense 8 bias=", "layersFromText, position 14: the text ends instead of the value of bias."],
  ])("refuses %s", (text, message) => {
    expect(() => layersFromText(text)).toThrow(message);
  });

  test("refuses deep nesting before the stack is exhausted", () => {
    expect(() => layersFromText("residual(".repeat(100_000))).toThrow(/this is inside 32 layers/);
  });
});

describe("layersToText", () => {
  test("omits options with their defaults, and writes equal sizes of options once", () => {
    const made = [
      conv2d(16, [3, 3], { activation: "relu", stride: 2 }),
      maxPool2d(2),
      conv2d(4, 1, { padding: 1, bias: false }),
      maxPool2d([2, 3], { stride: 1 }),
    ];
    expect(layersToText(configsOf(made))).toBe(
      "conv 16 3x3 relu stride=2, maxpool 2x2, conv 4 1x1 padding=1 bias=false, maxpool 2x3 stride=1",
    );
  });

  test.each(Object.entries(layerCases))("%s becomes the same layer again", (_, { layer }) => {
    const text = layersToText([layer.config]);
    expect(configsOf(layersFromText(text!))).toEqual([layer.config]);
  });

  test.each(Object.entries(networks))("%s becomes the same layers again", (_, { layers: made }) => {
    expect(configsOf(layersFromText(layersToText(configsOf(made))!))).toEqual(configsOf(made));
  });

  test("returns undefined for custom layers and activations, also inside other layers", () => {
    const custom = { type: "mine" };
    const bent = dense(3, { activation: { name: "bent", apply: (x) => x } });
    for (const config of [custom, bent.config, residual([bent]).config, { type: "activation", name: "bent" }]) {
      expect(layersToText([dense(2).config, config])).toBeUndefined();
    }
    const projected = { type: "residual", layers: [dense(3).config], projection: [custom] };
    expect(layersToText([projected])).toBeUndefined();
  });
});

describe("the text forms", () => {
  test.each(Object.entries(textForms))("of %s: an example that is a layer of this type", (type, form) => {
    const found = configsOf(layersFromText(form.example));
    expect(found.map((config) => config.type)).toEqual([type]);
    expect(layersToText(found)).toMatch(new RegExp(`^${type === "activation" ? "relu" : form.word}\\b`));
    const { options } = layerTypes[type]!;
    for (const name of [...form.values, ...(form.inner === undefined ? [] : [form.inner])]) {
      expect(options).toContain(name);
    }
  });
});

test("the guide has the text of each layer", () => {
  const guide = readFileSync(new URL("../../docs/guide/layers.md", import.meta.url), "utf8");
  for (const [type, { example }] of Object.entries(textForms))
    expect(guide).toContain(`| \`${type}\` | \`${example}\` |`);
});

describe("layersFromPartialConfigs", () => {
  test("completes options with their defaults, also in layers inside layers", () => {
    const made = layersFromPartialConfigs("layers", [
      { type: "conv2d", outputs: 4, window: 3, activation: "relu" },
      { type: "residual", layers: [{ type: "conv2d", outputs: 4, window: 1 }] },
    ]);
    expect(configsOf(made)).toEqual(configsOf([conv2d(4, 3, { activation: "relu" }), residual([conv2d(4, 1)])]));
  });

  test.each<[unknown, string]>([
    ["dense 10", 'layers: "dense 10" is not a list of layers.'],
    [[3], "layers, layer 0: 3 is not the config of a layer."],
    [[{ type: "dens" }], 'layers, layer 0: unknown layer type "dens". Did you mean dense?'],
    [[{ type: "dense", units: 3, unit: 3 }], 'layers, layer 0, dense: there is no option "unit". Did you mean units?'],
    [[{ type: "dense" }], "layers, layer 0, dense units: it is missing."],
    [
      [{ type: "flatten" }, { type: "residual", layers: [{ type: "dropout", rate: 2 }] }],
      "layers, layer 1, dropout rate: 2 is out of range.",
    ],
  ])("refuses %o", (configs, message) => {
    expect(() => layersFromPartialConfigs("layers", configs)).toThrow(message);
  });
});
