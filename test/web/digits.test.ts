import { describe, expect, test } from "vitest";
import { makeClassificationDataset } from "../../src/data/dataset.ts";
import { dense, dropout, schedules, sequential } from "../../src/nn/index.ts";
import { predictedClasses } from "../../src/train/index.ts";
import { DivergenceWatch } from "../../src/web/digits/state/divergence.ts";
import { Drawing } from "../../src/web/digits/state/drawing.ts";
import { smoothed, TrainingHistory } from "../../src/web/digits/state/history.ts";
import {
  cellOf,
  confusionOf,
  sharesOf,
  weightPictures,
  worstMistakes,
} from "../../src/web/digits/service/predictions.ts";
import { epochsAt, fromTheStart, scheduleOnCourse, totalStepsOf } from "../../src/web/digits/service/course.ts";
import { hiddenLayers, modelOf } from "../../src/web/digits/service/network.ts";
import {
  defaultSettings,
  faultsOf,
  formatSettings,
  needsRestart,
  parseSettings,
  presets,
  type DigitsSettings,
} from "../../src/web/digits/settings.ts";
import { scaled, rounded } from "../../src/web/shared/format.ts";
import { formatHash, parseHash } from "../../src/web/shared/address/hash.ts";

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

  test("belong to the Digits tab if the hash names no tab", () => {
    for (const hash of ["", "#", "#nothing?batch=2"]) expect(parseHash(hash)).toMatchObject({ tab: "digits" });
    expect(parseHash("#nothing?batch=2").params.size).toBe(0);
    expect(parseHash("#playground")).toMatchObject({ tab: "playground" });
    expect(formatHash("playground", new URLSearchParams())).toBe("#playground");
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

  test("are converted to a model, and a model's layers to settings", () => {
    const model = modelOf(settings, 784, 10);
    expect(model.config.layers.map(({ type }) => type)).toEqual(["dense", "dropout", "dense", "dense"]);
    expect(hiddenLayers(model.config.layers)).toEqual(settings.layers);
    expect(hiddenLayers(sequential([dropout(0.5), dense(3)], { inputShape: [4] }).config.layers)).toEqual([]);
  });
});

describe("the history of a run", () => {
  test("keeps the last step and time and the means of joined steps", () => {
    const history = new TrainingHistory();
    for (let first = 0; first < 5000; first += 100) {
      const values = Float32Array.from({ length: 100 }, (_, index) => first + index + 1);
      history.add(values, values, first + 100, first / 10, first / 10 + 10);
    }
    const { steps, seconds, losses, accuracies } = history.curve();
    expect(steps.length).toBeLessThanOrEqual(2000);
    expect(steps.at(-1)).toBe(5000);
    expect(seconds.at(-1)).toBeCloseTo(500, 9);
    const width = steps[1]! - steps[0]!;
    expect(width).toBe(4);
    steps.forEach((step, index) => {
      expect(losses[index]).toBe(step - 1.5);
      expect(accuracies[index]).toBe(losses[index]);
      expect(seconds[index]).toBeCloseTo(step / 10, 9);
    });
  });

  test("is smoothed without a bias at the start, and skips values that are not finite", () => {
    expect([...smoothed([4, 4, 4], 0.9)]).toEqual([
      expect.closeTo(4, 12),
      expect.closeTo(4, 12),
      expect.closeTo(4, 12),
    ]);
    const [first, second] = smoothed([1, 2], 0.5);
    expect(first).toBe(1);
    expect(second).toBeCloseTo((0.25 * 1 + 0.5 * 2) / 0.75, 12);
    expect([...smoothed([1, NaN, 1], 0.5)]).toEqual([1, 1, 1]);
    expect([...smoothed([3, 1, 2], 0)]).toEqual([3, 1, 2]);
  });
});

describe("the position in a run", () => {
  test("counts epochs across a change of the batch size, and the run ends with the last epoch", () => {
    const at = { step: 172, epochs: epochsAt(fromTheStart, 78, 172) };
    expect(at.epochs).toBeCloseTo(2.205, 3);
    // 20 epochs of 4 steps, of which 17.8 are left.
    expect(totalStepsOf(at, 4, 20)).toBe(172 + 72);
    expect(epochsAt(at, 4, 172 + 4)).toBeCloseTo(at.epochs + 1, 12);
    expect(totalStepsOf(at, 4, 1)).toBe(172);
    expect(totalStepsOf(fromTheStart, 78, 20)).toBe(1560);
  });

  test("continues a schedule at the same fraction of the run", () => {
    const cosine = schedules.cosine();
    const at = { step: 780, epochs: 10 };
    const rest = scheduleOnCourse(cosine, at, 4, 20);
    expect(rest(780, 0)).toBeCloseTo(0.5, 12);
    expect(rest(780 + 20, 0)).toBeCloseTo(cosine(60, 80), 12);
    expect(scheduleOnCourse(cosine, fromTheStart, 78, 20)(500, 0)).toBe(cosine(500, 1560));
  });
});

describe("divergence with finite numbers", () => {
  const told = (losses: number[], accuracies: number[]) => new DivergenceWatch().add(losses, accuracies, 10);
  const steps = (count: number, value: (step: number) => number) =>
    Array.from({ length: count }, (_, step) => value(step));

  test("is reported once if the loss has risen and the accuracy is that of chance", () => {
    const watch = new DivergenceWatch();
    const [losses, accuracies] = [[2.4, ...steps(150, () => 14)], steps(151, (step) => (step % 2 === 0 ? 0.05 : 0.15))];
    const said = watch.add(losses, accuracies, 10);
    expect(said).toMatch(
      /^The training has diverged: .* the accuracy was 10 %, no better than chance, .* from 2\.4 to 14\. The learning rate 10 is too high/,
    );
    expect(watch.add(losses, accuracies, 10)).toBeUndefined();
  });

  test("is not reported for a network that learns, or has not learned yet", () => {
    expect(
      told(
        steps(300, (step) => 2.4 / (1 + step)),
        steps(300, (step) => Math.min(0.9, step / 100)),
      ),
    ).toBeUndefined();
    expect(
      told(
        steps(300, () => 2.4),
        steps(300, () => 0.1),
      ),
    ).toBeUndefined();
    expect(
      told(
        [2.4, ...steps(50, () => 14)],
        steps(51, () => 0.1),
      ),
    ).toBeUndefined();
    expect(
      told(
        [2.4, ...steps(150, () => 3)],
        steps(151, () => 0.4),
      ),
    ).toBeUndefined();
  });
});

describe("a drawing", () => {
  const at = (x: number) => ({ x, y: 0 });

  test("is made by one pointer at a time: a second finger draws nothing until the first one is lifted", () => {
    const drawing = new Drawing();
    expect(drawing.begin(1, at(0))).toBe(true);
    expect(drawing.begin(2, at(50))).toBe(false);
    expect(drawing.extend(2, at(51))).toBeUndefined();
    expect(drawing.extend(1, at(1))).toEqual(at(0));
    drawing.end(2);
    expect(drawing.extend(1, at(2))).toEqual(at(1));
    expect(drawing.begin("keyboard", at(9))).toBe(false);
    drawing.end(1);
    expect(drawing.extend(1, at(3))).toBeUndefined();
    expect(drawing.begin(2, at(50))).toBe(true);
    expect(drawing.strokes).toEqual([[at(0), at(1), at(2)], [at(50)]]);
  });

  test("loses its last stroke by undo and all strokes by clear, and then any pointer may draw", () => {
    const drawing = new Drawing();
    for (const pointer of [1, 2]) {
      drawing.begin(pointer, at(pointer));
      if (pointer === 1) drawing.end(pointer);
    }
    drawing.undo();
    expect(drawing.strokes).toEqual([[at(1)]]);
    expect(drawing.extend(2, at(5))).toBeUndefined();
    expect(drawing.begin(3, at(3))).toBe(true);
    drawing.clear();
    expect(drawing.strokes).toEqual([]);
    drawing.undo();
    expect(drawing.begin("keyboard", at(1))).toBe(true);
  });
});

describe("the outputs of a network", () => {
  const labels = Uint32Array.of(0, 1, 2, 1);
  const outputs = Float32Array.of(3, 1, 0, 0, 1, 4, 0, 0, 0, 2, 0.5, 0);
  const predictions = predictedClasses(outputs, 3);

  test("give predictions, the first class if outputs are equal, and a confusion matrix", () => {
    expect([...predictions]).toEqual([0, 2, 0, 0]);
    expect([...confusionOf(labels, predictions, 3)]).toEqual([1, 0, 0, 1, 0, 1, 1, 0, 0]);
  });

  test("give mistakes in descending order of confidence", () => {
    const shares = sharesOf(outputs, 3, "softmaxCrossEntropy");
    const mistakes = worstMistakes(labels, predictions, shares, 3);
    expect(mistakes.map(({ index, actual, predicted }) => [index, actual, predicted])).toEqual([
      [1, 1, 2],
      [3, 1, 0],
      [2, 2, 0],
    ]);
    expect(mistakes[0]!.confidence).toBeCloseTo(Math.exp(4) / (1 + Math.E + Math.exp(4)), 6);
  });

  test("are logistic or clamped for losses without softmax", () => {
    const values = Float32Array.of(-1, 0, 0.5, 2);
    expect([...sharesOf(values, 4, "meanSquaredError")]).toEqual([0, 0, 0.5, 1]);
    expect(sharesOf(values, 4, "sigmoidBinaryCrossEntropy")[3]).toBeCloseTo(1 / (1 + Math.exp(-2)), 6);
  });

  test("give the images of a cell of the confusion matrix", () => {
    const features = Uint8Array.from({ length: 8 }, (_, index) => index);
    const data = makeClassificationDataset({ name: "pairs", features, shape: [2], labels, classes: ["0", "1", "2"] });
    expect(cellOf(data, predictions, 1, 0)).toEqual({ pictures: Uint8Array.of(6, 7), count: 1 });
    expect(cellOf(data, predictions, 0, 1)).toEqual({ pictures: new Uint8Array(), count: 0 });
  });

  test("come with weights as images, unit by unit", () => {
    expect(weightPictures([1, -2, 0, 4, -4, 1], 2)).toEqual({
      values: Int8Array.of(32, 0, -127, -63, 127, 32),
      largest: 4,
    });
    expect(weightPictures([0, 0], 1)).toEqual({ values: Int8Array.of(0, 0), largest: 0 });
  });
});

test("formats numbers with three significant digits", () => {
  expect([0.00299999, 1234.5, 0, 3e-7, 2e7, NaN].map(rounded)).toEqual([
    "0.003",
    "1230",
    "0",
    "3.00e-7",
    "2.00e+7",
    "–",
  ]);
  expect([0, 12, 999, 1000, 12_834_000].map(scaled)).toEqual(["0", "12", "999", "1.00 k", "12.8 M"]);
});
