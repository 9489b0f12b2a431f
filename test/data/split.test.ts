import { array, assert, double, nat, property } from "fast-check";
import { expect, test } from "vitest";
import { makeClassificationDataset, makeRegressionDataset } from "../../src/data/dataset.ts";
import { splitDataset } from "../../src/data/split.ts";

/** Examples whose feature is their index. */
const numbered = (labels: readonly number[]) =>
  makeClassificationDataset({
    name: "numbered",
    features: Float32Array.from(labels.keys()),
    shape: [1],
    labels: Uint32Array.from(labels),
    classes: ["a", "b", "c"],
  });

const countsOf = (labels: Uint32Array) => [0, 1, 2].map((label) => labels.filter((found) => found === label).length);

test("puts the same fraction of each class into the validation set, and each example with its label into one part", () => {
  const labels = Array.from({ length: 100 }, (_, index) => (index < 70 ? 0 : index < 90 ? 1 : 2));
  const { train, validation } = splitDataset(numbered(labels), { validation: 0.1 });
  expect(countsOf(validation.labels)).toEqual([7, 2, 1]);
  expect(countsOf(train.labels)).toEqual([63, 18, 9]);
  expect([...train.features, ...validation.features].sort((a, b) => a - b)).toEqual([...labels.keys()]);
  for (const part of [train, validation]) {
    expect([...part.labels]).toEqual(Array.from(part.features, (number) => labels[number]));
    expect([...part.features]).toEqual([...part.features].sort((a, b) => a - b));
  }
});

test("depends only on the seed", () => {
  const data = numbered(Array.from({ length: 60 }, (_, index) => index % 3));
  const held = (seed?: number) => [...splitDataset(data, { validation: 0.2, seed }).validation.features];
  expect(held()).toEqual(held(1));
  expect(held(2)).not.toEqual(held(1));
});

test("is as close to the fraction as whole examples allow, for any classes", () => {
  const labels = array(nat(2), { minLength: 12, maxLength: 80 });
  assert(
    property(labels, double({ min: 0.1, max: 0.5, noNaN: true }), (found, share) => {
      const { train, validation } = splitDataset(numbered(found), { validation: share });
      const [before, after] = [countsOf(Uint32Array.from(found)), countsOf(validation.labels)];
      expect(train.count + validation.count).toBe(found.length);
      // A class of one example stays in the training set, and the others give its part.
      const most = 1 + share * [...before].filter((count) => count === 1).length;
      after.forEach((count, label) => expect(Math.abs(count - share * before[label]!)).toBeLessThan(most));
      before.forEach((count, label) => expect(after[label]).toBeLessThanOrEqual(Math.max(0, count - 1)));
    }),
  );
});

test("splits regression data, with a row of targets for each example", () => {
  const targets = Float32Array.from({ length: 40 }, (_, index) => index);
  const data = makeRegressionDataset({
    name: "r",
    features: new Uint8Array(40).map((_, index) => index),
    shape: [2],
    targets,
    outputs: ["p", "q"],
  });
  const { train, validation } = splitDataset(data, { validation: 0.25 });
  expect([train.count, validation.count]).toEqual([15, 5]);
  expect([...validation.targets]).toEqual([...validation.features]);
});

test("refuses invalid fractions and empty parts", () => {
  const data = numbered([0, 1, 2]);
  for (const validation of [0, 1, NaN, -0.1])
    expect(() => splitDataset(data, { validation })).toThrow(/not a fraction.*\(0, 1\)/);
  expect(() => splitDataset(numbered([0, 1, 2]), { validation: 0.1 })).toThrow(/one part would be empty/);
});
