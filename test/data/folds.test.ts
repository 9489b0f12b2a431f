import { expect, test } from "vitest";
import { makeClassificationDataset, makeRegressionDataset } from "../../src/data/dataset.ts";
import { foldsOf } from "../../src/data/folds.ts";

const labels = Uint32Array.from({ length: 23 }, (_, index) => (index < 11 ? 0 : index < 20 ? 1 : 2));
const data = makeClassificationDataset({
  name: "d",
  features: Float32Array.from({ length: 46 }, (_, index) => index),
  shape: [2],
  labels,
  classes: ["a", "b", "c"],
});

test("each example is in one fold, with its features and label, and in the training part of all others", () => {
  const folds = [...foldsOf(data, 5, 7)];
  expect(folds).toHaveLength(5);
  const all = folds.flatMap(({ indices }) => [...indices]);
  expect(all.sort((a, b) => a - b)).toEqual([...labels.keys()]);
  for (const { train, validation, indices } of folds) {
    expect([...indices]).toEqual([...indices].sort((a, b) => a - b));
    expect([...validation.features]).toEqual([...indices].flatMap((index) => [2 * index, 2 * index + 1]));
    expect([...validation.labels]).toEqual([...indices].map((index) => labels[index]));
    const others = [...labels.keys()].filter((index) => !indices.includes(index));
    expect([...train.labels]).toEqual(others.map((index) => labels[index]));
    expect([...train.features]).toEqual(others.flatMap((index) => [2 * index, 2 * index + 1]));
    expect([train.count, train.name, train.classes]).toEqual([others.length, "d", data.classes]);
  }
  expect(folds.map(({ validation }) => validation.name)).toEqual([1, 2, 3, 4, 5].map((fold) => `d, fold ${fold}`));
});

test("the sizes of folds, and the numbers of a class in them, differ by at most one", () => {
  for (const k of [2, 3, 5, 10, 23]) {
    const folds = [...foldsOf(data, k)];
    const spread = (counts: readonly number[]) => Math.max(...counts) - Math.min(...counts);
    expect(spread(folds.map(({ indices }) => indices.length))).toBeLessThanOrEqual(1);
    for (const label of [0, 1, 2]) {
      const counts = folds.map(({ validation }) => validation.labels.filter((each) => each === label).length);
      expect(spread(counts)).toBeLessThanOrEqual(1);
    }
  }
});

test("the same seed gives the same folds, another seed others", () => {
  const indicesOf = (seed?: number) => [...foldsOf(data, 4, seed)].map(({ indices }) => [...indices]);
  expect(indicesOf(3)).toEqual(indicesOf(3));
  expect(indicesOf()).toEqual(indicesOf(1));
  expect(indicesOf(3)).not.toEqual(indicesOf(4));
});

test("examples of a regression are dealt at random", () => {
  const values = Float32Array.from({ length: 7 }, (_, index) => index);
  const regression = makeRegressionDataset({
    name: "r",
    features: values,
    shape: [1],
    targets: values,
    outputs: ["y"],
  });
  const folds = [...foldsOf(regression, 3, 1)];
  expect(folds.map(({ indices }) => indices.length)).toEqual([3, 2, 2]);
  expect([...folds[0]!.validation.targets]).toEqual([...folds[0]!.indices]);
});

test("a number of folds out of range is refused at once", () => {
  for (const k of [1, 0, 24, 2.5, NaN])
    expect(() => foldsOf(data, k)).toThrow(`folds: ${k} folds of 23 examples. Give a whole number from 2`);
});
