import { expect, test } from "vitest";
import { classificationMetrics, confusionMatrix, predictedClasses, regressionMetrics } from "../../src/train/index.ts";
import { classShares, decisionThreshold } from "../../src/train/outputs.ts";

test("the predicted class is the index of the largest output, the first among equals; a single output uses a threshold", () => {
  expect([...predictedClasses(Float32Array.of(1, 3, 2, 5, 5, 4, -3, -2, -1), 3)]).toEqual([1, 0, 2]);
  expect([...predictedClasses(Float32Array.of(0.4, 0.5, 0.9), 1)]).toEqual([0, 1, 1]);
  expect([...predictedClasses(Float32Array.of(-0.1, 0, 0.1), 1, 0)]).toEqual([0, 1, 1]);
});

test("outputs become probabilities according to the loss, and a single logit is class 1 from 0 on", () => {
  const logits = Float32Array.of(0, Math.log(3), -1, -1);
  const softmax = [...classShares(logits, 2, "softmaxCrossEntropy")!];
  [0.25, 0.75, 0.5, 0.5].forEach((share, index) => expect(softmax[index]).toBeCloseTo(share, 6));
  const logistic = [...classShares(logits, 1, "sigmoidBinaryCrossEntropy")!];
  [0.5, 0.75, 1 / (1 + Math.E), 1 / (1 + Math.E)].forEach((share, index) =>
    expect(logistic[index]).toBeCloseTo(share, 6),
  );
  expect(classShares(logits, 2, "meanSquaredError")).toBeUndefined();
  expect(
    (["sigmoidBinaryCrossEntropy", "meanSquaredError", "softmaxCrossEntropy"] as const).map(decisionThreshold),
  ).toEqual([0, 0.5, 0.5]);
});

test("the confusion matrix has a row per true class", () => {
  const labels = Uint32Array.of(0, 0, 0, 1, 1, 2);
  const said = Uint32Array.of(0, 1, 1, 1, 0, 2);
  expect(confusionMatrix(labels, said, 3)).toEqual([
    [1, 2, 0],
    [1, 1, 0],
    [0, 0, 1],
  ]);
  expect(() => confusionMatrix(labels, said.subarray(1), 3)).toThrow(/true values \(6\) and predictions \(5\) differ/);
});

test("computes precision, recall and F1 of each class, and their means", () => {
  const { accuracy, classes, macro } = classificationMetrics(
    [
      [8, 2],
      [4, 6],
    ],
    ["a", "b"],
  );
  expect(accuracy).toBeCloseTo(14 / 20, 15);
  expect(classes[0]).toEqual({ name: "a", precision: 8 / 12, recall: 8 / 10, f1: 16 / 22, support: 10 });
  expect(classes[1]).toEqual({ name: "b", precision: 6 / 8, recall: 6 / 10, f1: 12 / 18, support: 10 });
  for (const { precision, recall, f1 } of classes)
    expect(f1).toBeCloseTo((2 * precision * recall) / (precision + recall), 15);
  expect(macro.precision).toBeCloseTo((8 / 12 + 6 / 8) / 2, 15);
  expect(macro.recall).toBeCloseTo(0.7, 15);
  expect(macro.f1).toBeCloseTo((16 / 22 + 12 / 18) / 2, 15);
});

test("a class that occurs neither in labels nor in predictions has NaN metrics and is left out of the means", () => {
  const { classes, macro } = classificationMetrics(
    [
      [3, 0, 1],
      [0, 0, 0],
      [0, 0, 4],
    ],
    ["a", "b", "c"],
  );
  expect(classes[1]).toEqual({ name: "b", precision: NaN, recall: NaN, f1: NaN, support: 0 });
  expect(macro.recall).toBeCloseTo((0.75 + 1) / 2, 15);
});

test("computes R², RMSE and MAE as by hand", () => {
  const metrics = regressionMetrics(Float32Array.of(1, 2, 3, 6), Float32Array.of(1, 3, 3, 4));
  expect(metrics).toEqual({ r2: 1 - 5 / 14, rmse: Math.sqrt(5 / 4), mae: 3 / 4 });
  expect(regressionMetrics(Float32Array.of(1, 3), Float32Array.of(2, 2)).r2).toBe(0);
  expect(regressionMetrics(Float32Array.of(2, 2), Float32Array.of(1, 2))).toEqual({
    r2: NaN,
    rmse: Math.sqrt(0.5),
    mae: 0.5,
  });
  expect(() => regressionMetrics(Float32Array.of(1), Float32Array.of(1, 2))).toThrow(
    /true values \(1\) and predictions \(2\) differ/,
  );
});
