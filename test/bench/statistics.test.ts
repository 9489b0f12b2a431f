import { describe, expect, test } from "vitest";
import { isCoarse } from "../../src/bench/ceilings.ts";
import { changeOf, quantile, relativeSpread, spreadOf, type Spread } from "../../src/bench/statistics.ts";

const spread = (lowerQuartile: number, median: number, upperQuartile: number): Spread => ({
  lowerQuartile,
  median,
  upperQuartile,
  samples: 9,
});

describe("statistics", () => {
  test("quantiles are samples, or interpolated between two of them", () => {
    expect(quantile([7], 0.25)).toBe(7);
    expect(quantile([1, 2, 3, 4, 5], 0.25)).toBe(2);
    expect(quantile([1, 2, 3, 4], 0.5)).toBe(2.5);
    expect(quantile([10, 20], 0.25)).toBe(12.5);
  });

  test("median and quartiles do not depend on the order, and the median not on an outlier", () => {
    expect(spreadOf([5, 1, 4, 2, 3])).toEqual({ lowerQuartile: 2, median: 3, upperQuartile: 4, samples: 5 });
    expect(spreadOf([3, 1, 2, 4, 1000]).median).toBe(3);
    const samples = [3, 1, 2];
    spreadOf(samples);
    expect(samples).toEqual([3, 1, 2]);
  });

  test("the relative spread is half the interquartile range divided by the median", () => {
    expect(relativeSpread(spread(9, 10, 13))).toBe(0.2);
    expect(relativeSpread(spread(0, 0, 0))).toBe(0);
  });

  test.each([
    ["slower", spread(9, 10, 11), spread(11.5, 12, 13)],
    ["faster", spread(9, 10, 11), spread(7, 8, 8.5)],
    ["same", spread(9, 10, 11), spread(11, 12, 13)],
    ["same", spread(9, 10, 11), spread(5, 8, 9)],
    ["same", spread(5, 10, 20), spread(18, 19, 21)],
  ] as const)("%s, by whether the interquartile ranges overlap", (change, before, now) => {
    expect(changeOf(before, now)).toBe(change);
  });

  test("a clock is coarse if all its times are multiples of a large unit, or 0", () => {
    expect(isCoarse([65_536, 0, 196_608])).toBe(true);
    expect(isCoarse([100_000, 300_000])).toBe(true);
    expect(isCoarse([0, 0])).toBe(true);
    expect(isCoarse([1024, 65_536, 2048])).toBe(false);
    expect(isCoarse([])).toBe(false);
  });
});
