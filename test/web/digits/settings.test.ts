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
};

describe("settings as an address", () => {
  test("come back as they were, also through the hash", () => {
    for (const each of [settings, { ...settings, layers: [] }, ...Object.values(presets)]) {
      const { tab, params } = parseHash(formatHash("digits", formatSettings(each)));
      expect(tab).toBe("digits");
      expect(parseSettings(params)).toEqual({ settings: each, faults: [] });
    }
  });

  test("are readable", () => {
    expect(formatHash("digits", formatSettings(settings))).toMatch(/^#digits\?layers=48-tanh-0\.25,16-leakyRelu&loss=/);
  });

  test("what is missing is the usual", () => {
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
  test("need a restart where the weights or what they are compared with differ", () => {
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

  test("are refused outside their ranges, in words", () => {
    expect(faultsOf(settings)).toEqual([]);
    const wrong = {
      ...settings,
      layers: [{ units: 0, activation: "relu" as const, dropout: 2 }],
      learningRate: NaN,
      batchSize: 2.5,
    };
    expect(faultsOf(wrong)).toEqual([
      "a layer's width must be a whole number in 1 … 2048",
      "dropout must be a number in 0 … 0.9",
      "the learning rate must be a number in 0.000001 … 10",
      "the batch size must be a whole number in 1 … 1024",
    ]);
  });
});
