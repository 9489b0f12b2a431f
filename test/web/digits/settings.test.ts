import { describe, expect, test } from "vitest";
import {
  defaultSettings,
  faultsOf,
  formatSettings,
  needsRestart,
  parseSettings,
  presets,
  type DigitsSettings,
} from "../../../src/web/digits/settings.ts";
import { formatHash, parseHash } from "../../../src/web/shared/address/hash.ts";

const settings: DigitsSettings = {
  layers: [
    { units: 48, activation: "tanh", dropout: 0.25 },
    { units: 16, activation: "leakyRelu", dropout: 0 },
  ],
  loss: "meanSquaredError",
  optimizer: "nesterov",
  learningRate: 1.5e-5,
  schedule: "warmup",
  batchSize: 33,
  epochs: 7,
  seed: 4294967295,
  data: "digits",
  drawingCopies: 12,
};

describe("settings as an address", () => {
  test("are the same after formatting and parsing, also through the hash", () => {
    for (const each of [settings, { ...settings, layers: [] }, ...Object.values(presets)]) {
      const { tab, params } = parseHash(formatHash("digits", formatSettings(each)));
      expect(tab).toBe("digits");
      expect(parseSettings(params)).toEqual({ settings: each, faults: [] });
    }
  });

  test("are readable", () => {
    expect(formatHash("digits", formatSettings(settings))).toMatch(/^#digits\?layers=48-tanh-0\.25,16-leakyRelu&loss=/);
  });

  test("have their defaults if they are missing", () => {
    expect(parseSettings(new URLSearchParams("batch=8"))).toEqual({
      settings: { ...defaultSettings, batchSize: 8 },
      faults: [],
    });
  });

  test.each([
    "layers=0-relu",
    "layers=64",
    "layers=64-nothing",
    "layers=64-toString",
    "layers=64-relu-1",
    "layers=1e9-relu",
    "layers=1-relu,1-relu,1-relu,1-relu,1-relu,1-relu",
    "loss=none",
    "optimizer=Adam",
    "rate=0",
    "rate=fast",
    "rate=",
    "schedule=x",
    "batch=1.5",
    "batch=0",
    "epochs=-1",
    "seed=4294967296",
    "data=cifar",
  ])("%s is named and replaced by the usual", (text) => {
    expect(parseSettings(new URLSearchParams(text))).toEqual({ settings: defaultSettings, faults: [text] });
  });
});

describe("settings that change", () => {
  test("need a restart if the layers, the loss, the optimizer, the seed or the data differ", () => {
    const changed = (changes: Partial<DigitsSettings>) => needsRestart(settings, { ...settings, ...changes });
    expect(changed({ learningRate: 1, schedule: "constant", batchSize: 1, epochs: 1 })).toBe(false);
    expect(changed({ layers: settings.layers.slice(1) })).toBe(true);
    for (const changes of [
      { loss: "softmaxCrossEntropy" },
      { optimizer: "sgd" },
      { seed: 2 },
      { data: "auto" },
    ] as const) {
      expect(changed(changes)).toBe(true);
    }
  });

  test("are refused outside their ranges with a message", () => {
    expect(faultsOf(settings)).toEqual([]);
    const wrong = {
      ...settings,
      layers: [{ units: 0, activation: "relu" as const, dropout: 2 }],
      learningRate: NaN,
      batchSize: 2.5,
    };
    expect(faultsOf(wrong)).toEqual([
      "Units must be a whole number from 1 to 2048",
      "Dropout must be a number from 0 to 0.9",
      "Learning rate must be a number from 0.000001 to 10",
      "Batch size must be a whole number from 1 to 1024",
    ]);
  });
});
