import { describe, expect, test } from "vitest";
import { augmentations } from "../../../src/index.ts";
import { betaQuantiles } from "../../../src/nn/augmentations/beta.ts";
import { apply, drawn, images } from "./apply.ts";

const [EXAMPLES, CLASSES] = [5, 3] as const;
const SEED = 11;

const labels = { values: Uint32Array.of(0, 2, 1, 1, 2), shape: [EXAMPLES] };
const features = images([EXAMPLES, 2, 3]);

const quantiles = betaQuantiles(0.4, 1024);
const shares = Array.from(
  { length: EXAMPLES },
  (_, example) => quantiles[Math.floor(1024 * drawn(SEED, 0, example, 1)[0]!)]!,
);

/** Rows mixed with those at the same distance from the end. */
function mixed(rows: readonly (readonly number[])[]): number[] {
  return rows.flatMap((row, example) =>
    row.map((value, position) => {
      const other = rows[rows.length - 1 - example]![position]!;
      return shares[example]! * value + (1 - shares[example]!) * other;
    }),
  );
}

const rowsOf = (values: ArrayLike<number>, width: number) =>
  Array.from({ length: values.length / width }, (_, row) => Array.from(values).slice(row * width, (row + 1) * width));

function expectClose(found: ArrayLike<number>, wanted: readonly number[]) {
  expect(found.length).toBe(wanted.length);
  wanted.forEach((value, index) => expect(found[index]!).toBeCloseTo(value, 5));
}

describe("mixup", () => {
  test("mixes features and integer labels, which become probabilities", async () => {
    const batch = { features, labels };
    const { results, shapes } = await apply(augmentations.mixup({ alpha: 0.4, classes: CLASSES }), batch, {
      seed: SEED,
    });
    expect(shapes).toEqual({ features: [EXAMPLES, 2, 3], labels: [EXAMPLES, CLASSES] });
    expectClose(results["features"]!, mixed(rowsOf(features.values, 6)));
    const oneHot = [...labels.values].map((label) =>
      Array.from({ length: CLASSES }, (_, one) => Number(one === label)),
    );
    expectClose(results["labels"]!, mixed(oneHot));
    for (const row of rowsOf(results["labels"]!, CLASSES))
      expect(row.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 6);
    expect(new Set(shares).size).toBe(EXAMPLES);
  });

  test("mixes probabilities and targets with the shares of the features", async () => {
    const probabilities = {
      values: Float32Array.from({ length: EXAMPLES * 2 }, (_, index) => index),
      shape: [EXAMPLES, 2],
    };
    for (const name of ["labels", "targets"]) {
      const batch = { features, [name]: probabilities };
      const { results } = await apply(augmentations.mixup({ alpha: 0.4 }), batch, { seed: SEED });
      expectClose(results["features"]!, mixed(rowsOf(features.values, 6)));
      expectClose(results[name]!, mixed(rowsOf(probabilities.values, 2)));
    }
  });
});

describe("the quantiles of Beta(α, α)", () => {
  const COUNT = 1024;
  const levels = Array.from({ length: COUNT }, (_, index) => (index + 0.5) / COUNT);

  test("for α = 1 are uniform", () => expectClose(betaQuantiles(1, COUNT), levels));

  test("for α = ½ are those of the arcsine distribution", () => {
    expectClose(
      betaQuantiles(0.5, COUNT),
      levels.map((level) => Math.sin((Math.PI * level) / 2) ** 2),
    );
  });

  test("for α = 2 solve 3x² − 2x³ = level", () => {
    expectClose(
      betaQuantiles(2, COUNT).map((x) => 3 * x ** 2 - 2 * x ** 3),
      levels,
    );
  });

  test.each([0.01, 0.1, 0.2, 0.4, 3, 30, 100])("for α = %f have the variance 1 / (4 (2α + 1))", (alpha) => {
    const values = betaQuantiles(alpha, COUNT);
    const variance = values.reduce((sum, value) => sum + (value - 0.5) ** 2, 0) / COUNT;
    expect(variance * 4 * (2 * alpha + 1)).toBeCloseTo(1, 1.7);
    expect(values.every((value, index) => index === 0 || value >= values[index - 1]!)).toBe(true);
    expect(values.every((value, index) => Math.abs(value + values[COUNT - 1 - index]! - 1) < 1e-12)).toBe(true);
  });
});
