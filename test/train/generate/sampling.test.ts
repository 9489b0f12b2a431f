import { describe, expect, test } from "vitest";
import { DataError, OptionError } from "../../../src/errors.ts";
import { requireSampling, sampleToken, type SamplingOptions } from "../../../src/train/generate/sampling.ts";

const DRAWS = 20_000;

/** The fraction of draws of each token. */
function frequencies(logits: readonly number[], options: SamplingOptions): number[] {
  const counts = logits.map(() => 0);
  for (let position = 0; position < DRAWS; position++) counts[sampleToken(logits, options, position)]!++;
  return counts.map((count) => count / DRAWS);
}

/** Checks frequencies within four standard deviations of the expected number. */
function expectFrequencies(found: readonly number[], expected: readonly number[]): void {
  expected.forEach((p, token) => {
    if (p === 0) expect(found[token]).toBe(0);
    else expect(Math.abs(found[token]! - p)).toBeLessThan(4 * Math.sqrt((p * (1 - p)) / DRAWS));
  });
}

const logits = [0.5, 0.2, 0.15, 0.1, 0.05].map(Math.log).toReversed();

describe("a token", () => {
  test("is drawn with the probabilities of the softmax", () => {
    expectFrequencies(frequencies(logits, { seed: 7 }), [0.05, 0.1, 0.15, 0.2, 0.5]);
    // Only differences of logits matter, also where their exponentials overflow.
    const shifted = logits.map((logit) => logit + 1000);
    expectFrequencies(frequencies(shifted, {}), [0.05, 0.1, 0.15, 0.2, 0.5]);
  });

  test("is drawn after the logits are divided by the temperature", () => {
    const squares = [0.0025, 0.01, 0.0225, 0.04, 0.25];
    const sum = squares.reduce((before, square) => before + square, 0);
    const expected = squares.map((square) => square / sum);
    expectFrequencies(frequencies(logits, { temperature: 0.5 }), expected);
  });

  test("is the most likely one at temperature 0, the first of equal ones", () => {
    expect(frequencies([1, 3, 2, 3], { temperature: 0 })).toEqual([0, 1, 0, 0]);
  });

  test("is one of the topK most likely ones", () => {
    expectFrequencies(frequencies(logits, { topK: 2 }), [0, 0, 0, 2 / 7, 5 / 7]);
    expect(frequencies(logits, { topK: 1 })).toEqual([0, 0, 0, 0, 1]);
    expectFrequencies(frequencies(logits, { topK: 99 }), [0.05, 0.1, 0.15, 0.2, 0.5]);
  });

  test("is one of the most likely ones that add up to topP", () => {
    expectFrequencies(frequencies(logits, { topP: 0.69 }), [0, 0, 0, 2 / 7, 5 / 7]);
    expectFrequencies(frequencies(logits, { topP: 0.71 }), [0, 0, 3 / 17, 4 / 17, 10 / 17]);
    expect(frequencies(logits, { topP: 0.01 })).toEqual([0, 0, 0, 0, 1]);
    // After topK: 5 / 7 of the two most likely ones is above 0.7.
    expect(frequencies(logits, { topK: 2, topP: 0.7 })).toEqual([0, 0, 0, 0, 1]);
  });

  test("depends on the seed and the position", () => {
    const draws = (seed: number) =>
      Array.from({ length: 20 }, (_, position) => sampleToken(logits, { seed }, position));
    expect(draws(1)).toEqual(draws(1));
    expect(draws(1)).not.toEqual(draws(2));
    expect(new Set(draws(1)).size).toBeGreaterThan(1);
  });
});

test("logits that are not finite are refused", () => {
  for (const wrong of [NaN, Infinity, -Infinity])
    expect(() => sampleToken([0, wrong], {}, 0)).toThrow(
      new DataError({
        where: "generate",
        what: `the logit of token 1 is ${wrong}`,
        fix: "Train the model with a smaller learning rate",
      }),
    );
});

test("options outside their range are refused", () => {
  const wrong: SamplingOptions[] = [
    ...[-1, NaN, Infinity].map((temperature) => ({ temperature })),
    ...[0, 1.5].map((topK) => ({ topK })),
    ...[0, 1.1, NaN].map((topP) => ({ topP })),
    { seed: -1 },
  ];
  for (const options of wrong) expect(() => requireSampling(options), JSON.stringify(options)).toThrow(OptionError);
});
