import { describe, expect, test } from "vitest";
import { makeClassificationDataset } from "../../../../src/data/dataset.ts";
import { predictedClasses } from "../../../../src/train/index.ts";
import {
  cellOf,
  confusionOf,
  excitingPictures,
  inkedPixels,
  sharesOf,
  weightTiles,
  worstMistakes,
} from "../../../../src/web/digits/service/predictions.ts";

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

  test("come with the weights of chosen units as images, scaled by the largest weight of all units", () => {
    const layer = { inputs: 3, units: 2, values: Float32Array.of(1, -2, 0, 4, -4, 1) };
    expect(weightTiles(layer, Uint32Array.of(1, 0))).toEqual({
      tiles: Int8Array.of(-63, 127, 32, 32, 0, -127),
      largest: 4,
    });
    expect(weightTiles(layer, Uint32Array.of(0)).tiles).toEqual(Int8Array.of(32, 0, -127));
    expect(weightTiles({ inputs: 2, units: 1, values: new Float32Array(2) }, Uint32Array.of(0)).largest).toBe(0);
  });

  test("give the images that excite a unit most, the strongest first", () => {
    const features = Uint8Array.of(0, 7, 0, 0, 0, 9, 0, 5);
    const data = makeClassificationDataset({ name: "pairs", features, shape: [2], labels, classes: ["0", "1", "2"] });
    expect([...inkedPixels(data)]).toEqual([0, 1]);
    const found = excitingPictures(data, [0, 1, 0, -3, 0, 8, 0, 2], { unit: 1, units: 2 });
    expect(found).toEqual({ pictures: Uint8Array.of(0, 9, 0, 5, 0, 7, 0, 0), count: 4 });
    expect([...excitingPictures(data, [4, 1, 3, -3], { unit: 0, units: 2 }).pictures]).toEqual([0, 7, 0, 0]);
  });
});
