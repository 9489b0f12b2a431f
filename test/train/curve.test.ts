import { expect, test } from "vitest";
import { joined, thinned, type CurvePoint } from "../../src/train/curve.ts";

const point = (step: number, loss: number, accuracy: number): CurvePoint => ({ step, loss, accuracy });

test("joins each two points into their mean at the later step, and keeps a single last one", () => {
  const points = [point(1, 4, 0), point(2, 2, 0.5), point(3, 1, 1), point(4, 3, 0.5), point(5, 7, 0.25)];
  expect(thinned(points, 2)).toEqual([
    { step: 2, loss: 3, accuracy: 0.25, count: 2 },
    { step: 4, loss: 2, accuracy: 0.75, count: 2 },
    { step: 5, loss: 7, accuracy: 0.25, count: 1 },
  ]);
  expect(thinned([], 3)).toEqual([]);
});

test("weights points by the number of values in them, and takes other fields from the last point", () => {
  const long = { ...point(30, 1, 0.9), count: 3, seconds: 6 };
  const short = { ...point(40, 5, 0.1), count: 1, seconds: 8 };
  const all = joined([long, short]);
  expect(all).toMatchObject({ step: 40, loss: 2, count: 4, seconds: 8 });
  expect(all.accuracy).toBeCloseTo(0.7, 12);
});
