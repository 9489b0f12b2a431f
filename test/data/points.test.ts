import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { OptionError, DataError } from "../../src/errors.ts";
import { points, type ClassificationDataset, type RegressionDataset } from "../../src/index.ts";

const planes = {
  linear: points.linear,
  xor: points.xor,
  circles: points.circles,
  moons: points.moons,
  spirals: points.spirals,
};
const curves = { line: points.line, polynomial: points.polynomial, sine: points.sine };

/** x, y and label of each point. */
const rows = ({ features, labels }: ClassificationDataset) =>
  Array.from(labels, (label, index) => ({ x: features[2 * index]!, y: features[2 * index + 1]!, label }));

const pairs = ({ features, targets }: RegressionDataset) =>
  Array.from(targets, (y, index) => ({ x: features[index]!, y }));

/** Half a unit in the last place of float32 at 1, and the same again for the engine's sines. */
const ROUNDING = 2 ** -23;

describe("two classes in the plane", () => {
  test.each(Object.entries(planes))("%s: 200 points by default, alternating between the classes", (name, make) => {
    const data = make();
    expect(data).toMatchObject({ name, count: 200, shape: [2], classes: ["0", "1"] });
    expect(data.features).toHaveLength(400);
    expect([...data.labels]).toEqual(Array.from({ length: 200 }, (_, index) => index % 2));
    for (const axis of [0, 1]) {
      const values = data.features.filter((_, index) => index % 2 === axis);
      expect(Math.max(...values)).toBeLessThan(1.5);
      expect(Math.min(...values)).toBeGreaterThan(-1.5);
      expect(Math.max(...values) - Math.min(...values)).toBeGreaterThan(1);
    }
  });

  test("linear: without noise all points are at least 0.12 from the line, each class on its side", () => {
    for (const { x, y, label } of rows(points.linear({ count: 2000, seed: 5 }))) {
      const above = 0.6 * x + 0.8 * y - 0.15;
      expect(label === 1 ? above : -above).toBeGreaterThanOrEqual(0.12 - ROUNDING);
    }
  });

  test("linear: noise moves points across the line", () => {
    const crossed = rows(points.linear({ count: 2000, noise: 0.3 })).filter(
      ({ x, y, label }) => 0.6 * x + 0.8 * y > 0.15 !== (label === 1),
    );
    expect(crossed.length).toBeGreaterThan(50);
  });

  test("xor: class 1 where the signs differ, in all four quadrants", () => {
    const data = rows(points.xor({ count: 400, noise: 0 }));
    for (const { x, y, label } of data) {
      expect(Math.sign(x) !== Math.sign(y)).toBe(label === 1);
      expect(Math.min(Math.abs(x), Math.abs(y))).toBeGreaterThanOrEqual(0.1 - ROUNDING);
    }
    const quadrants = data.map(({ x, y }) => `${x > 0} ${y > 0}`);
    for (const quadrant of new Set(quadrants)) {
      expect(quadrants.filter((found) => found === quadrant).length).toBeGreaterThan(60);
    }
    expect(new Set(quadrants).size).toBe(4);
  });

  test("circles: radius 0.9 and 0.4, in all directions", () => {
    const data = rows(points.circles({ noise: 0 }));
    for (const { x, y, label } of data)
      expect(Math.abs(Math.hypot(x, y) - (label === 1 ? 0.4 : 0.9))).toBeLessThan(ROUNDING);
    expect(new Set(data.map(({ x, y }) => `${x > 0} ${y > 0}`)).size).toBe(4);
  });

  test("moons: an upper and a lower half circle, each with an end inside the other", () => {
    for (const { x, y, label } of rows(points.moons({ noise: 0 }))) {
      const [centreX, centreY] = label === 1 ? [1 / 3, 1 / 6] : [-1 / 3, -1 / 6];
      expect(Math.abs(Math.hypot(x - centreX, y - centreY) - 2 / 3)).toBeLessThan(ROUNDING);
      expect(label === 1 ? centreY - y : y - centreY).toBeGreaterThanOrEqual(-ROUNDING);
    }
  });

  test("spirals: the angle grows with the radius, and the arms are opposite", () => {
    const turns = 2;
    for (const { x, y, label } of rows(points.spirals({ noise: 0, turns }))) {
      const along = (Math.hypot(x, y) - 0.1) / 0.9;
      const angle = 2 * Math.PI * turns * along + label * Math.PI;
      // A radius near 0.1 is known to 2⁻²⁴, and its angle to ten times that, times 2π · 2 turns per unit of the radius.
      expect(Math.hypot(x - Math.hypot(x, y) * Math.cos(angle), y - Math.hypot(x, y) * Math.sin(angle))).toBeLessThan(
        2 ** -18,
      );
    }
  });
});

describe("curves", () => {
  test("without noise, the targets are the function of x", () => {
    const cases: [RegressionDataset, (x: number) => number][] = [
      [points.line({ noise: 0 }), (x) => 0.7 * x + 0.2],
      [points.line({ noise: 0, slope: -2, intercept: 1 }), (x) => 1 - 2 * x],
      [points.polynomial({ noise: 0 }), (x) => 0.1 - 1.1 * x - 0.4 * x ** 2 + 1.8 * x ** 3],
      [points.polynomial({ noise: 0, coefficients: [0.5, 0, 2] }), (x) => 0.5 + 2 * x ** 2],
      [points.sine({ noise: 0 }), (x) => 0.8 * Math.sin(1.5 * Math.PI * x)],
      [points.sine({ noise: 0, waves: 3, amplitude: 0.5 }), (x) => 0.5 * Math.sin(3 * Math.PI * x)],
    ];
    for (const [data, valueAt] of cases) {
      expect(data).toMatchObject({ count: 200, shape: [1], outputs: ["y"] });
      // x is rounded by at most 2⁻²⁵, times the largest slope, 3π/2, and the target by as much.
      for (const { x, y } of pairs(data)) expect(Math.abs(y - valueAt(x))).toBeLessThan(2 ** -22);
    }
  });

  test("x covers −1 … 1, and the noise has the given deviation", () => {
    const data = pairs(points.line({ count: 5000, noise: 0.25, seed: 3 }));
    const xs = data.map(({ x }) => x);
    expect(Math.min(...xs)).toBeLessThan(-0.99);
    expect(Math.max(...xs)).toBeGreaterThan(0.99);
    const squares = data.map(({ x, y }) => (y - 0.7 * x - 0.2) ** 2);
    const deviation = Math.sqrt(squares.reduce((sum, square) => sum + square) / 5000);
    // Five standard errors of the deviation of 5,000 normal numbers: 5 · 0.25 / √10,000.
    expect(Math.abs(deviation - 0.25)).toBeLessThan(0.0125);
  });
});

describe("every set", () => {
  const all = { ...planes, ...curves };
  const values = (data: ClassificationDataset | RegressionDataset) =>
    "targets" in data ? pairs(data).flatMap(({ x, y }) => [x, y]) : [...data.features];
  const names = fc.constantFrom(...(Object.keys(all) as (keyof typeof all)[]));
  const seeds = fc.integer({ min: 0, max: 2 ** 32 - 1 });

  test("depends only on its options; a larger set starts with the same points, and another seed gives others", () => {
    fc.assert(
      fc.property(names, seeds, fc.integer({ min: 1, max: 40 }), (name, seed, count) => {
        const some = values(all[name]({ seed, count }));
        expect(values(all[name]({ seed, count: count + 7 })).slice(0, some.length)).toEqual(some);
        expect(values(all[name]({ seed: (seed + 1) % 2 ** 32, count }))).not.toEqual(some);
      }),
    );
  });

  test("moves each point in proportion to the noise", () => {
    fc.assert(
      fc.property(names, seeds, (name, seed) => {
        const [none, once, twice] = [0, 0.2, 0.4].map((noise) => values(all[name]({ seed, count: 5, noise })));
        none!.forEach((value, index) => {
          // Three values of at most 4, each rounded by half of 2⁻²².
          expect(Math.abs(twice![index]! - value - 2 * (once![index]! - value))).toBeLessThan(2 ** -20);
        });
      }),
    );
  });

  test.each([
    [{ count: 0 }, "points count: 0 is out of range"],
    [{ count: 1.5 }, "points count: 1.5 is out of range"],
    [{ noise: -0.1 }, "points noise: -0.1 is out of range"],
    [{ noise: NaN }, "points noise: NaN is out of range"],
    [{ seed: -1 }, "points seed: -1 is out of range"],
    [{ seed: 2 ** 32 }, "points seed: 4294967296 is out of range"],
  ])("refuses %o", (options, message) => {
    for (const make of Object.values(all)) {
      expect(() => make(options)).toThrow(OptionError);
      expect(() => make(options)).toThrow(message);
    }
  });

  test("refuses options that would give NaN", () => {
    expect(() => points.spirals({ turns: 0 })).toThrow("points turns: 0 is out of range");
    expect(() => points.line({ slope: NaN })).toThrow(DataError);
  });
});
