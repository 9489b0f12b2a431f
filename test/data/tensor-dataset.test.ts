import { expect, test } from "vitest";
import { makeClassificationDataset, makeRegressionDataset } from "../../src/data/dataset.ts";
import { firstExamples, splitDataset, takeExamples } from "../../src/data/split.ts";
import { makeTensorDataset, type TensorDataset } from "../../src/data/tensor-dataset.ts";
import { DataError } from "../../src/errors.ts";

const pairs = () =>
  makeTensorDataset({
    name: "pairs",
    tensors: {
      left: { values: Uint8Array.from({ length: 20 }, (_, index) => index), shape: [2, 2] },
      word: { values: Uint32Array.from({ length: 10 }, (_, index) => 100 + index), shape: [2] },
      same: { values: Float32Array.of(0, 1, 0, 1, 0.5), shape: [] },
    },
  });

const valuesOf = ({ tensors }: TensorDataset) =>
  Object.fromEntries(Object.entries(tensors).map(([name, { values }]) => [name, [...values]]));

test("counts the examples of tensors of any shape and type", () => {
  expect(pairs().count).toBe(5);
  const { tensors } = pairs();
  expect(makeTensorDataset({ name: "pairs", count: 5, tensors }).count).toBe(5);
});

test("takes examples of all tensors, and the first ones", () => {
  expect(valuesOf(takeExamples(pairs(), Uint32Array.of(3, 1), "some"))).toEqual({
    left: [12, 13, 14, 15, 4, 5, 6, 7],
    word: [106, 107, 102, 103],
    same: [1, 1],
  });
  expect(takeExamples(pairs(), Uint32Array.of(3, 1), "some")).toMatchObject({ name: "some", count: 2 });
  expect(valuesOf(firstExamples(pairs(), 2))["same"]).toEqual([0, 1]);
});

test("refuses examples that there are not", () => {
  const name = "some";
  expect(() => takeExamples(pairs(), Uint32Array.of(4, 5, 6), name)).toThrow(DataError);
  expect(() => takeExamples(pairs(), Uint32Array.of(4, 5, 6), name)).toThrow(
    "pairs: index 5, at position 1, is not one of the 5 examples. Give indices in 0 … 4",
  );
  const three = firstExamples(pairs(), 3);
  expect(() => takeExamples(three, Uint32Array.of(3), name)).toThrow(/index 3, at position 0, is not one of the 3/);
  expect(takeExamples(three, Uint32Array.of(2, 2), name).count).toBe(2);
  for (const most of [-1, 1.5, NaN]) expect(() => firstExamples(pairs(), most)).toThrow(/is not a number of examples/);
  expect(firstExamples(pairs(), 9).count).toBe(5);
});

test("is split into two parts that together have every example once", () => {
  const { train, validation } = splitDataset(pairs(), { validation: 0.4 });
  expect([train.count, validation.count]).toEqual([3, 2]);
  const words = [...valuesOf(train)["word"]!, ...valuesOf(validation)["word"]!];
  expect(words.sort((a, b) => a - b)).toEqual(valuesOf(pairs())["word"]);
});

test("weights go with their examples, also in a split", () => {
  const labels = Uint32Array.of(0, 1, 0, 1);
  const weights = Float32Array.of(1, 2, 3, 4);
  const data = makeClassificationDataset({
    name: "weighted",
    features: Float32Array.of(1, 2, 3, 4),
    shape: [1],
    labels,
    classes: ["a", "b"],
    weights,
  });
  const { train, validation } = splitDataset(data, { validation: 0.5 });
  for (const part of [train, validation]) expect([...part.weights!]).toEqual([...part.features]);
  expect([...firstExamples(data, 3).weights!]).toEqual([1, 2, 3]);
});

const tensorsWith = (left: object) => ({ name: "pairs", tensors: { ...pairs().tensors, left } }) as never;
test.each<[string, () => unknown, RegExp]>([
  ["no tensors", () => makeTensorDataset({ name: "none", tensors: {} }), /^none: there are no tensors/],
  [
    "different numbers of examples",
    () => makeTensorDataset(tensorsWith({ values: new Float32Array(6), shape: [] })),
    /the tensor word has 5 examples but the tensor left has 6/,
  ],
  ["another count", () => makeTensorDataset({ ...pairs(), count: 4 }), /the tensor left has 5 examples but count is 4/],
  [
    "a part of an example",
    () => makeTensorDataset(tensorsWith({ values: new Float32Array(9), shape: [2] })),
    /9 values of left are not a whole number of examples of shape \[2\]/,
  ],
  [
    "NaN",
    () => makeTensorDataset(tensorsWith({ values: Float32Array.of(0, 0, 0, NaN, 0, 0, 0, 0, 0, 0), shape: [2] })),
    /element 1 of left in example 1 \(counted from 0\) is NaN/,
  ],
  [
    "a list",
    () => makeTensorDataset(tensorsWith({ values: [1, 2], shape: [] })),
    /the values of left are of type Array/,
  ],
  ["null", () => makeTensorDataset({ name: "pairs", tensors: { left: null } } as never), /the tensor left is null/],
  [
    "an invalid shape",
    () => makeTensorDataset(tensorsWith({ values: new Float32Array(5), shape: [0] })),
    /the tensor left: \[0\] is not the shape of an example/,
  ],
  [
    "a name that is not a word",
    () => makeTensorDataset({ name: "pairs", tensors: { "a b": { values: new Float32Array(1), shape: [] } } }),
    /"a b" is not a valid name of a tensor/,
  ],
])("refuses %s", (_name, make, message) => {
  expect(make).toThrow(DataError);
  expect(make).toThrow(message);
});

test.each([
  ["too few", Float32Array.of(1), /1 weights for 2 examples/],
  ["a negative one", Float32Array.of(1, -1), /the weight of example 1 is -1/],
  ["a list", [1, 1] as never, /the weights are of type Array/],
])("refuses weights: %s", (_name, weights, message) => {
  const features = Float32Array.of(1, 2);
  const make = () =>
    makeRegressionDataset({ name: "weighted", features, shape: [1], targets: features, outputs: ["y"], weights });
  expect(make).toThrow(DataError);
  expect(make).toThrow(message);
});
