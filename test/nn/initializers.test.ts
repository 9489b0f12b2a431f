import { describe, expect, test } from "vitest";
import { OptionError } from "../../src/errors.ts";
import { initializers } from "../../src/nn/index.ts";
import { Random } from "../../src/random.ts";

const fans = { fanIn: 300, fanOut: 200 };
const shape = [fans.fanIn, fans.fanOut];

function statistics(values: Float32Array) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { mean, variance, largest: values.reduce((most, value) => Math.max(most, Math.abs(value)), 0) };
}

/**
 * With 60,000 values, the standard error of the variance is at most 0.6 %. Any mix-up of the fans changes it by 20 %.
 */
const drawn = [
  ["normal(0.05)", initializers.normal(0.05), 0.05 ** 2, undefined],
  ["uniform(0.05)", initializers.uniform(0.05), 0.05 ** 2 / 3, 0.05],
  ["xavierNormal", initializers.xavierNormal, 2 / 500, undefined],
  ["xavierUniform", initializers.xavierUniform, 2 / 500, Math.sqrt(6 / 500)],
  ["heNormal", initializers.heNormal, 2 / 300, undefined],
  ["heUniform", initializers.heUniform, 2 / 300, Math.sqrt(6 / 300)],
  ["fanInUniform", initializers.fanInUniform, 1 / 900, 1 / Math.sqrt(300)],
] as const;

describe("random initializers", () => {
  test.each(drawn)("%s has the right mean, variance and limit", (_, initializer, variance, limit) => {
    const found = statistics(initializer(shape, fans, new Random(7)));
    expect(Math.abs(found.variance / variance - 1)).toBeLessThan(0.03);
    expect(Math.abs(found.mean)).toBeLessThan(5 * Math.sqrt(variance / 60_000));
    if (limit !== undefined) {
      expect(found.largest).toBeLessThanOrEqual(Math.fround(limit));
      expect(found.largest).toBeGreaterThan(0.999 * limit);
    } else {
      // A normal number exceeds three standard deviations once in 370, a uniform one with the same variance never.
      expect(found.largest).toBeGreaterThan(3 * Math.sqrt(variance));
    }
  });

  test.each(drawn)(
    "%s draws the same numbers from the same stream, and others from another stream",
    (_, initializer) => {
      const draw = (seed: number) => initializer([4, 5], fans, new Random(seed));
      expect(draw(1)).toEqual(draw(1));
      expect(draw(1)).not.toEqual(draw(2));
    },
  );
});

describe("fixed initializers", () => {
  const random = new Random(1);

  test("zeros, constant and given values", () => {
    expect([...initializers.zeros([2, 2], fans, random)]).toEqual([0, 0, 0, 0]);
    expect([...initializers.constant(1.5)([3], fans, random)]).toEqual([1.5, 1.5, 1.5]);
    expect([...initializers.given([1, 2, 3])([3, 1], fans, random)]).toEqual([1, 2, 3]);
  });

  test("given values must match the parameter's size", () => {
    const build = () => initializers.given([1, 2, 3])([2, 2], fans, random);
    expect(build).toThrow(/3 values for the shape \[2, 2\] of size 4/);
  });

  test.each([
    () => initializers.constant(NaN),
    () => initializers.normal(-1),
    () => initializers.normal(Infinity),
    () => initializers.uniform(NaN),
  ])("%s is refused", (make) => {
    expect(make).toThrow(OptionError);
  });
});
