import { expect, test } from "vitest";
import { classesByThreshold, positiveScores } from "../../src/train/index.ts";

const logits = Float32Array.of(0, Math.log(3), 2, 1);

test("the score of class 1 is its probability if the loss takes logits", () => {
  const softmax = positiveScores(logits, 2, "softmaxCrossEntropy");
  [0.75, 1 / (1 + Math.E)].forEach((share, index) => expect(softmax[index]).toBeCloseTo(share, 6));
  const single = positiveScores(logits.subarray(0, 2), 1, "sigmoidBinaryCrossEntropy");
  [0.5, 0.75].forEach((share, index) => expect(single[index]).toBeCloseTo(share, 6));
  expect([...positiveScores(Float32Array.of(0.25, 0.5), 1, "meanSquaredError")]).toEqual([0.25, 0.5]);
  expect([...positiveScores(Float32Array.of(0.25, 1), 2, "meanSquaredError")]).toEqual([0.75]);
});

test("a threshold decides between two classes, for one output and for two", () => {
  expect([...classesByThreshold(logits, 2, "softmaxCrossEntropy")]).toEqual([1, 0]);
  expect([...classesByThreshold(logits, 2, "softmaxCrossEntropy", 0.76)]).toEqual([0, 0]);
  expect([...classesByThreshold(logits, 2, "softmaxCrossEntropy", 0.25)]).toEqual([1, 1]);
  const single = Float32Array.of(-1, 0, 1);
  expect([...classesByThreshold(single, 1, "sigmoidBinaryCrossEntropy")]).toEqual([0, 1, 1]);
  expect([...classesByThreshold(single, 1, "sigmoidBinaryCrossEntropy", 0.5)]).toEqual([0, 1, 1]);
  expect([...classesByThreshold(single, 1, "sigmoidBinaryCrossEntropy", 0.6)]).toEqual([0, 0, 1]);
  expect([...classesByThreshold(Float32Array.of(0.2, 0.4), 1, "meanSquaredError", 0.3)]).toEqual([0, 1]);
});

test("a threshold is refused for more classes, without probabilities, and out of range", () => {
  expect(() => classesByThreshold(logits, 4, "softmaxCrossEntropy", 0.5)).toThrow(
    /^threshold: the model has 4 classes/,
  );
  expect(() => classesByThreshold(logits, 2, "meanSquaredError", 0.5)).toThrow(/gives no probabilities/);
  expect(() => classesByThreshold(logits, 2, "softmaxCrossEntropy", 1)).toThrow(/1 is out of range/);
});
