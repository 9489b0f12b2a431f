import { expect, test } from "vitest";
import { activation, dense, dropout, flatten, sequential } from "../../../../src/index.ts";
import { hiddenLayers, modelOf } from "../../../../src/web/digits/service/network.ts";
import { defaultSettings, type DigitsSettings } from "../../../../src/web/digits/settings.ts";

test("the editor shows activation and dropout layers with the dense layer before them, and no output layer", () => {
  const layers = [
    flatten(),
    dropout(0.1),
    dense(8),
    activation("tanh"),
    dropout(0.25),
    dense(4, { activation: "relu" }),
    dense(2),
  ];
  const own = { type: "own", units: 5 };
  expect(hiddenLayers(layers.map(({ config }) => config).toSpliced(4, 0, own))).toEqual([
    { units: 8, activation: "tanh", dropout: 0.25 },
    { units: 4, activation: "relu", dropout: 0 },
  ]);
});

test("settings are converted to a model, and a model's layers to settings", () => {
  const settings: DigitsSettings = {
    ...defaultSettings,
    layers: [
      { units: 48, activation: "tanh", dropout: 0.25 },
      { units: 16, activation: "leakyRelu", dropout: 0 },
    ],
  };
  const model = modelOf(settings, 784, 10);
  expect(model.config.layers.map(({ type }) => type)).toEqual(["dense", "dropout", "dense", "dense"]);
  expect(hiddenLayers(model.config.layers)).toEqual(settings.layers);
  expect(hiddenLayers(sequential([dropout(0.5), dense(3)], { inputShape: [4] }).config.layers)).toEqual([]);
});
