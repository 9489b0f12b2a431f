import { describe, expect, test } from "vitest";
import {
  byHand,
  byLibrary,
  digitAndFilters,
  forward,
  imageGradient,
  largestDifference,
  weightGradient,
  windowsAlong,
  type Sizes,
} from "../../examples/14-convolution-by-hand.ts";
import { Random } from "../../src/index.ts";
import { onBackends } from "./on-backends.ts";

/** Windows that overlap, begin in the padding and leave out the last row, with several channels and filters. */
const odd: Sizes = { size: 6, channels: 2, window: 3, filters: 3, stride: 2, padding: 1 };

function oddValues() {
  const random = new Random(14);
  const values = (count: number) => Array.from({ length: count }, () => random.uniform(-1, 1));
  return { x: values(odd.size ** 2 * odd.channels), w: values(odd.window ** 2 * odd.channels * odd.filters) };
}

describe("convolution by hand", () => {
  test("has the values computed on paper", () => {
    const sizes = { size: 3, channels: 1, window: 2, filters: 1, stride: 1, padding: 0 };
    const { maps, ofWeights, ofImage } = byHand(sizes, [1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 0, 0, -1]);
    // Each map value is a pixel minus its neighbor to the right and below, and δ = y.
    expect(maps).toEqual([-4, -4, -4, -4]);
    expect(ofWeights).toEqual([-48, -64, -96, -112]);
    expect(ofImage.map((value) => value + 0)).toEqual([-4, -4, 0, -4, 0, 4, 0, 4, 4]);
  });

  test("agrees with central differences, with stride, padding, channels and filters", () => {
    const { x, w } = oddValues();
    expect(windowsAlong(odd)).toBe(3);
    const delta = forward(odd, x, w);
    const loss = () => forward(odd, x, w).reduce((total, value) => total + value ** 2 / 2, 0);
    for (const [values, gradient] of [
      [x, imageGradient(odd, w, delta)],
      [w, weightGradient(odd, x, delta)],
    ] as const) {
      expect(gradient).toHaveLength(values.length);
      values.forEach((value, at) => {
        const losses = [1e-4, -1e-4].map((change) => {
          values[at] = value + change;
          return loss();
        });
        values[at] = value;
        expect((losses[0]! - losses[1]!) / 2e-4).toBeCloseTo(gradient[at]!, 7);
      });
    }
  });
});

onBackends("convolution", (backend) => {
  test.each([
    ["a digit and three edge filters", digitAndFilters()],
    ["stride, padding, channels and filters", { sizes: odd, ...oddValues() }],
  ])("has the maps and gradients of the loops: %s", async (_, { sizes, x, w }) => {
    const hand = byHand(sizes, x, w);
    const library = await byLibrary(backend(), sizes, x, w);
    // The sums of the sizes of all terms, to which the rounding of float32 is relative.
    const scales = byHand(sizes, x.map(Math.abs), w.map(Math.abs));
    for (const name of ["maps", "ofWeights", "ofImage"] as const) {
      expect(library[name]).toHaveLength(hand[name].length);
      expect(Math.max(...hand[name])).toBeGreaterThan(0.1);
      expect(largestDifference(hand[name], library[name])).toBeLessThan(16 * 2 ** -24 * Math.max(...scales[name]));
    }
  });
});
