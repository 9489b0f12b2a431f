import { describe, expect, test } from "vitest";
import { bestThreshold, rocAuc, rocAucOneVsRest, rocCurve } from "../../src/train/index.ts";

/** Forty scores with ties, and their labels. The numbers of scikit-learn 1.2 for them are below. */
const labels = Uint32Array.from({ length: 40 }, (_, index) => Number((index * index * 7 + index * 3) % 5 < 2));
const scores = Float64Array.from(labels, (label, index) => (10 * ((index * 37) % 11) + 25 * label) / 100);

describe("the receiver operating characteristic", () => {
  test("has the points of scikit-learn", () => {
    const { thresholds, falsePositiveRates, truePositiveRates } = rocCurve(labels, scores);
    expect([...thresholds]).toEqual([
      Infinity,
      1.25,
      1.15,
      1.05,
      1,
      0.95,
      0.9,
      0.8,
      0.75,
      0.7,
      0.65,
      0.6,
      0.55,
      0.5,
      0.45,
      0.4,
      0.35,
      0.3,
      0.25,
      0.2,
      0.1,
      0,
    ]);
    expect([...falsePositiveRates].map((rate) => 24 * rate)).toEqual([
      0, 0, 0, 0, 2, 2, 4, 7, 7, 8, 8, 11, 11, 13, 13, 16, 16, 17, 17, 20, 22, 24,
    ]);
    expect([...truePositiveRates].map((rate) => 16 * rate)).toEqual([
      0, 1, 3, 4, 4, 6, 6, 6, 8, 8, 9, 9, 11, 11, 12, 12, 14, 14, 16, 16, 16, 16,
    ]);
  });

  test("has the area of scikit-learn, which counts equal scores half", () => {
    expect(rocAuc(labels, scores)).toBeCloseTo(0.6692708333333334, 15);
    expect(rocAuc([0, 1, 1, 0], [0.1, 0.9, 0.8, 0.2])).toBe(1);
    expect(rocAuc([0, 1, 1, 0], [0.9, 0.1, 0.2, 0.8])).toBe(0);
    expect(rocAuc([0, 1, 0, 1], [3, 3, 3, 3])).toBe(0.5);
    expect(rocAuc([1, 0, 1], [2, 1, 1])).toBe(0.75);
    expect(rocAuc([1, 1], [0.1, 0.2])).toBeNaN();
  });

  test("refuses labels and scores that do not fit", () => {
    expect(() => rocCurve([0, 1], [1])).toThrow("rocCurve: the numbers of labels (2) and scores (1) differ");
    expect(() => rocAuc([0, 2], [1, 1])).toThrow("rocAuc: label 2 of example 1 is neither 0 nor 1");
    expect(() => rocAuc([0, 1], [1, NaN])).toThrow("rocAuc: the score of example 1 is NaN");
  });
});

test("each class against the rest, with the numbers of scikit-learn", () => {
  const classes = Uint32Array.from({ length: 30 }, (_, index) => ((index ** 3 + 2) % 7) % 3);
  const rows = Array.from(classes, (label, index) => {
    const row = [0, 1, 2].map((name) => ((index * 7 + name * 13 + index * index) % 17) + 1 + (name === label ? 5 : 0));
    const total = row.reduce((sum, value) => sum + value, 0);
    return row.map((value) => value / total);
  });
  const { classes: areas, macro } = rocAucOneVsRest(classes, rows.flat(), 3);
  [0.755656108597285, 0.826388888888889, 0.716].forEach((area, index) => expect(areas[index]).toBeCloseTo(area, 14));
  expect(macro).toBeCloseTo(0.7660149991620581, 14);
  const absent = rocAucOneVsRest(Uint32Array.of(0, 2), [0.6, 0.1, 0.3, 0.2, 0.1, 0.7], 3);
  expect(absent).toEqual({ classes: [1, NaN, 1], macro: 1 });
  expect(() => rocAucOneVsRest(Uint32Array.of(0, 2), [1, 2, 3], 3)).toThrow(/3 scores for 2 labels and 3 classes/);
});

test("the best threshold maximizes F1 or Youden's J, and lies between two scores", () => {
  // scikit-learn: F1 0.653 from 0.25 on, J 0.2917 from 0.95 on.
  expect(bestThreshold(labels, scores, "f1")).toEqual({ threshold: (0.25 + 0.2) / 2, value: 32 / 49 });
  const { threshold, value } = bestThreshold(labels, scores, "youden")!;
  expect(threshold).toBeCloseTo((0.95 + 0.9) / 2, 15);
  expect(value).toBeCloseTo(0.2916666666666667, 15);
  expect(bestThreshold([1, 1], [0.5, 0.7], "f1")).toBeUndefined();
  // Every example is positive from the smallest score on.
  expect(bestThreshold([0, 1, 1], [0.4, 0.3, 0.3], "f1")).toEqual({ threshold: 0.3, value: 0.8 });
});
