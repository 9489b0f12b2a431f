/*
 * Augmentations that move whole pixels, against plain loops with the same draws.
 */
import { describe, expect, test } from "vitest";
import { augmentations } from "../../../src/index.ts";
import type { Augmentation } from "../../../src/nn/augmentation.ts";
import { apply, drawn, images } from "./apply.ts";

const [EXAMPLES, HEIGHT, WIDTH, CHANNELS] = [9, 4, 5, 2] as const;
const SEED = 5;

const batch = { features: images([EXAMPLES, HEIGHT, WIDTH, CHANNELS]) };

/** The value of a pixel, with `fill` outside the image. */
function pixel(example: number, row: number, column: number, channel: number, fill: number): number {
  if (row < 0 || row >= HEIGHT || column < 0 || column >= WIDTH) return fill;
  return batch.features.values[((example * HEIGHT + row) * WIDTH + column) * CHANNELS + channel]!;
}

type Place = [row: number, column: number];

/** The expected features, if each pixel shows the one at another place. */
function moved(placeOf: (example: number, row: number, column: number) => Place | undefined, fill: number): number[] {
  const expected: number[] = [];
  for (let example = 0; example < EXAMPLES; example++)
    for (let row = 0; row < HEIGHT; row++)
      for (let column = 0; column < WIDTH; column++)
        for (let channel = 0; channel < CHANNELS; channel++) {
          const place = placeOf(example, row, column);
          expected.push(place ? pixel(example, ...place, channel, fill) : fill);
        }
  return expected;
}

const below = (u: number, count: number) => Math.floor(u * count);

const featuresOf = async (augmentation: Augmentation) => [
  ...(await apply(augmentation, batch, { seed: SEED })).results["features"]!,
];

/** The rows and columns that each example was shifted by: those of its draws. */
function shiftsOf(down: number, across: number): Place[] {
  return Array.from({ length: EXAMPLES }, (_, example) => {
    const [first, second] = drawn(SEED, 0, example, 2) as [number, number];
    return [below(first, 2 * down + 1) - down, below(second, 2 * across + 1) - across];
  });
}

describe("shift", () => {
  test("by pixels", async () => {
    const shifts = shiftsOf(2, 2);
    const expected = moved((example, row, column) => [row + shifts[example]![0], column + shifts[example]![1]], -0.5);
    expect(await featuresOf(augmentations.shift({ pixels: 2, fill: -0.5 }))).toEqual(expected);
    expect(new Set(shifts.map(String)).size).toBeGreaterThan(4);
  });

  test("by a fraction of the height and the width, rounded down", async () => {
    const shifts = shiftsOf(1, 2);
    const expected = moved((example, row, column) => [row + shifts[example]![0], column + shifts[example]![1]], 0);
    expect(await featuresOf(augmentations.shift({ fraction: 0.4 }))).toEqual(expected);
  });

  test("by nothing", async () => {
    expect(await featuresOf(augmentations.shift({ pixels: 0.9 }))).toEqual([...batch.features.values]);
  });

  test("reaches every shift about equally often", async () => {
    const examples = 2000;
    const impulses = { values: new Float32Array(examples * 25), shape: [examples, 5, 5] };
    for (let example = 0; example < examples; example++) impulses.values[example * 25 + 12] = 1;
    const { results } = await apply(augmentations.shift({ pixels: 2 }), { features: impulses });
    const counts = new Array<number>(25).fill(0);
    results["features"]!.forEach((value, index) => (counts[index % 25]! += value));
    // Six standard deviations of a binomial count.
    for (const count of counts) expect(Math.abs(count - 80)).toBeLessThan(6 * Math.sqrt(80));
  });
});

describe("crop", () => {
  const inRange = (position: number, size: number) => Math.min(Math.max(position, 0), size - 1);
  const mirrored = (position: number, size: number) =>
    position < 0 ? -position : position >= size ? 2 * (size - 1) - position : position;

  test.each([
    ["constant", (position: number) => position],
    ["edge", inRange],
    ["reflect", mirrored],
  ] as const)("with %s padding", async (mode, shown) => {
    const shifts = shiftsOf(3, 3);
    const expected = moved((example, row, column) => {
      const [down, across] = shifts[example]!;
      return [shown(row + down, HEIGHT), shown(column + across, WIDTH)];
    }, 7);
    expect(await featuresOf(augmentations.crop({ padding: 3, mode, fill: 7 }))).toEqual(expected);
  });
});

describe("flip", () => {
  const isFlipped = (probability: number) =>
    Array.from({ length: EXAMPLES }, (_, example) => drawn(SEED, 0, example, 1)[0]! < probability);

  test.each([0, 0.5, 1])("horizontal with probability %f", async (probability) => {
    const flips = isFlipped(probability);
    const expected = moved((example, row, column) => [row, flips[example] ? WIDTH - 1 - column : column], 0);
    expect(await featuresOf(augmentations.flip({ axis: "horizontal", probability }))).toEqual(expected);
  });

  test("vertical with probability ½ by default", async () => {
    const flips = isFlipped(0.5);
    const expected = moved((example, row, column) => [flips[example] ? HEIGHT - 1 - row : row, column], 0);
    expect(await featuresOf(augmentations.flip({ axis: "vertical" }))).toEqual(expected);
    expect(new Set(flips).size).toBe(2);
  });
});

describe("cutout", () => {
  test.each([1, 2, 3])("overwrites a square of %i", async (size) => {
    const expected = moved((example, row, column) => {
      const [first, second] = drawn(SEED, 0, example, 2) as [number, number];
      const [down, across] = [row - below(first, HEIGHT), column - below(second, WIDTH)];
      const isInside = [down, across].every((distance) => distance >= -(size >> 1) && distance < size - (size >> 1));
      return isInside ? undefined : [row, column];
    }, -2);
    expect(await featuresOf(augmentations.cutout({ size, fill: -2 }))).toEqual(expected);
  });
});

test("images without channels keep their shape", async () => {
  const { shapes, results } = await apply(augmentations.flip({ axis: "vertical", probability: 1 }), {
    features: { values: Float32Array.of(1, 2, 3, 4, 5, 6), shape: [1, 3, 2] },
    labels: { values: Uint32Array.of(3), shape: [1] },
  });
  expect(shapes["features"]).toEqual([1, 3, 2]);
  expect([...results["features"]!]).toEqual([5, 6, 3, 4, 1, 2]);
  expect([...results["labels"]!]).toEqual([3]);
});

test("a step draws the same numbers again, and another step draws others", async () => {
  const augmentation = augmentations.shift({ pixels: 2 });
  const featuresAt = async (step: number) => (await apply(augmentation, batch, { step })).results["features"]!;
  expect(await featuresAt(7)).toEqual(await featuresAt(7));
  expect(await featuresAt(7)).not.toEqual(await featuresAt(8));
});
