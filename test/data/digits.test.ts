import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { builtInDigits } from "../../src/data/digits.ts";
import { OptionError } from "../../src/errors.ts";

const pixels = 28 * 28;
const sha256 = (bytes: Uint8Array | Float32Array) => createHash("sha256").update(bytes).digest("hex");
const { train, test: held } = builtInDigits();

/** One string per picture, to find equal pictures. */
function pictures(features: Uint8Array | Float32Array): string[] {
  const bytes = Buffer.from(features);
  return Array.from({ length: bytes.length / pixels }, (_, index) =>
    bytes.subarray(index * pixels, (index + 1) * pixels).toString("latin1"),
  );
}

test("the defaults are 10,000 and 2,000 images of 28×28 bytes, with ten classes of equal size", () => {
  expect(train).toMatchObject({ count: 10_000, shape: [28, 28], name: "built-in digits, train" });
  expect(held).toMatchObject({ count: 2_000, shape: [28, 28], name: "built-in digits, test" });
  expect(train.classes).toEqual(["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);
  for (const set of [train, held]) {
    expect(set.features).toBeInstanceOf(Uint8Array);
    expect(set.features.length).toBe(set.count * pixels);
    for (let digit = 0; digit < 10; digit++) {
      expect(set.labels.filter((label) => label === digit).length).toBe(set.count / 10);
    }
  }
});

test("seed 1 gives the bytes that all earlier versions gave", () => {
  expect(sha256(train.features)).toBe("3d214c4fb22d7b9fa63c918f4b4db64d9000c6a548bcb69227862c7453384afe");
  expect(sha256(held.features)).toBe("d0c8a6870a9dace952367a31024d0a9c4b67658493a78868d0c3f75a81cf0123");
});

test("an image depends only on seed, split and index", () => {
  const fewer = builtInDigits({ train: 30, test: 20 });
  expect(fewer.train.features).toEqual(train.features.subarray(0, 30 * pixels));
  expect(fewer.test.features).toEqual(held.features.subarray(0, 20 * pixels));
  const other = builtInDigits({ train: 30, test: 20, seed: 2 });
  expect(other.train.labels).toEqual(fewer.train.labels);
  const shared = pictures(other.train.features).filter((picture) => pictures(fewer.train.features).includes(picture));
  expect(shared).toEqual([]);
});

test("no picture occurs twice, so no test picture is in the training set", () => {
  const all = [...pictures(train.features), ...pictures(held.features)];
  expect(new Set(all).size).toBe(12_000);
});

test("strokes are white on black, with all gray levels, and no digit is too faint or too bold", () => {
  const used = new Set(train.features);
  expect(used.size).toBe(256);
  let sum = 0;
  for (const value of train.features) sum += value;
  const mean = sum / train.features.length;
  expect(mean).toBeGreaterThan(20);
  expect(mean).toBeLessThan(60);
  const bright = new Uint32Array(train.count);
  train.features.forEach((value, index) => {
    if (value > 128) bright[Math.floor(index / pixels)]! += 1;
  });
  expect(Math.min(...bright)).toBeGreaterThanOrEqual(12);
  expect(Math.max(...bright)).toBeLessThanOrEqual(250);
});

/** The fraction of the test digits whose nearest class mean, by squared distance, is that of their class. */
function nearestMeanAccuracy(): number {
  const means = Array.from({ length: 10 }, () => new Float64Array(pixels));
  train.features.forEach((value, index) => {
    means[train.labels[Math.floor(index / pixels)]!]![index % pixels]! += value / 1000;
  });
  let right = 0;
  for (let index = 0; index < held.count; index++) {
    const distances = means.map((mean) =>
      mean.reduce((sum, value, pixel) => sum + (value - held.features[index * pixels + pixel]!) ** 2, 0),
    );
    if (distances.indexOf(Math.min(...distances)) === held.labels[index]) right++;
  }
  return right / held.count;
}

test("labels match the images, and class means of the pixels do not suffice to classify them", () => {
  const accuracy = nearestMeanAccuracy();
  expect(accuracy).toBeGreaterThan(0.6);
  expect(accuracy).toBeLessThan(0.9);
});

describe("refuses", () => {
  test.each([0, -1, 1.5, NaN, Infinity])("%d training examples", (count) => {
    expect(() => builtInDigits({ train: count })).toThrow(OptionError);
  });
  test.each([-1, 0.5, 2 ** 32, NaN])("seed %d", (seed) => {
    expect(() => builtInDigits({ train: 1, test: 1, seed })).toThrow(OptionError);
  });
});
