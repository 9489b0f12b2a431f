import { expect, test } from "vitest";
import { builtInDigits } from "../../../src/index.ts";
import {
  atEveryShift,
  samplesOf,
  shareCorrect,
  shifted,
  shiftedImages,
} from "../../../src/web/convolution/service/pictures.ts";
import { shiftsAlong } from "../../../src/web/convolution/settings.ts";

const picture = Uint8Array.from({ length: 784 }, (_, index) => (index % 250) + 1);

test.each([
  [2, 3],
  [-2, 3],
  [3, -1],
  [-3, -3],
  [0, 0],
] as const)("a picture moves by %i to the right and %i down, and what enters is empty", (right, down) => {
  const moved = shifted(picture, [right, down]);
  for (let row = 0; row < 28; row++) {
    for (let column = 0; column < 28; column++) {
      const [y, x] = [row - down, column - right];
      const isInside = y >= 0 && x >= 0 && y < 28 && x < 28;
      expect(moved[row * 28 + column]).toBe(isInside ? picture[y * 28 + x] : 0);
    }
  }
});

test("the pictures at every shift are in rows from the top", () => {
  const all = atEveryShift(picture);
  const width = shiftsAlong.length;
  const at = (row: number, column: number) =>
    all.subarray((row * width + column) * 784, (row * width + column + 1) * 784);
  expect(all).toHaveLength(width ** 2 * 784);
  expect(at(0, width - 1)).toEqual(shifted(picture, [3, -3]));
  expect(at(3, 3)).toEqual(picture);
});

test("a quarter of the images is moved in each direction, and samples are one of each digit", () => {
  const { test: data } = builtInDigits({ train: 10, test: 60 });
  const features = data.features as Uint8Array;
  const moved = shiftedImages(data, 2);
  const directions = [
    [2, 0],
    [-2, 0],
    [0, 2],
    [0, -2],
  ] as const;
  for (const index of [0, 1, 2, 3, 59]) {
    const image = (from: Uint8Array) => from.subarray(index * 784, (index + 1) * 784);
    expect(image(moved)).toEqual(shifted(image(features), directions[index % 4]!));
  }
  const samples = samplesOf(data);
  const first = data.labels.indexOf(7);
  expect(samples.subarray(7 * 784, 8 * 784)).toEqual(features.subarray(first * 784, (first + 1) * 784));
});

test("the share of correct predictions", () => {
  expect(shareCorrect(Uint32Array.of(1, 2, 3, 4), Uint32Array.of(1, 2, 0, 4))).toBe(0.75);
});
