import { expect, test } from "vitest";
import { resampled } from "../../src/data/resample.ts";

const picture = { width: 4, height: 2, values: [0, 40, 80, 120, 0, 80, 160, 240] };

test("each new pixel is the mean of the area that it covers", () => {
  expect([...resampled(picture, { left: 0, top: 0, width: 4, height: 2 }, 2, 1)]).toEqual([30, 150]);
  expect([...resampled(picture, { left: 0, top: 0, width: 4, height: 2 }, 4, 2)]).toEqual(picture.values);
});

test("an area may cut pixels and extend beyond the picture, where pixels are 0", () => {
  expect([...resampled(picture, { left: 0.5, top: 0, width: 2, height: 1 }, 2, 1)]).toEqual([20, 60]);
  expect([...resampled(picture, { left: 2, top: 0, width: 4, height: 4 }, 2, 2)]).toEqual([150, 0, 0, 0]);
});
