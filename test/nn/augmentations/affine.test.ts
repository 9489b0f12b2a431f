/*
 * Interpolation is exact for linear functions of the position. So images whose first channel is the row, and whose
 * second channel is the column, show where each pixel comes from.
 */
import { describe, expect, test } from "vitest";
import { augmentations, type RandomAffineOptions } from "../../../src/index.ts";
import { apply, images } from "./apply.ts";

const [EXAMPLES, HEIGHT, WIDTH] = [40, 9, 12] as const;
const OUTSIDE = -1e30;

const positions = {
  values: Float32Array.from({ length: EXAMPLES * HEIGHT * WIDTH * 2 }, (_, index) => {
    const pixel = (index >> 1) % (HEIGHT * WIDTH);
    return index % 2 === 0 ? Math.floor(pixel / WIDTH) : pixel % WIDTH;
  }),
  shape: [EXAMPLES, HEIGHT, WIDTH, 2],
};

interface Source {
  readonly pixel: readonly [number, number];
  readonly from: readonly [number, number];
}

/** Where the pixels of each example come from, if they come from inside of the image. */
async function sourcesOf(options: RandomAffineOptions, seed = 3): Promise<Source[][]> {
  const { results } = await apply(
    augmentations.affine({ ...options, fill: OUTSIDE }),
    { features: positions },
    { seed },
  );
  const values = results["features"]!;
  return Array.from({ length: EXAMPLES }, (_, example) => {
    const sources: Source[] = [];
    for (let row = 0; row < HEIGHT; row++)
      for (let column = 0; column < WIDTH; column++) {
        const at = ((example * HEIGHT + row) * WIDTH + column) * 2;
        const from = [values[at]!, values[at + 1]!] as const;
        // Any share of the fill makes a number below 0.
        if (from[0] >= 0 && from[1] >= 0) sources.push({ pixel: [row, column], from });
      }
    return sources;
  });
}

/** The affine map from sources to pixels, by least squares: [row, column] = offset + M · (source − center). */
function fitted(sources: readonly Source[]) {
  const [centerRow, centerColumn] = [(HEIGHT - 1) / 2, (WIDTH - 1) / 2];
  // A rotation and an enlargement have two parameters: M = [[c, −s], [s, c]].
  const mean = (of: (source: Source) => number) => sources.reduce((sum, one) => sum + of(one), 0) / sources.length;
  const from = [mean((one) => one.from[0]), mean((one) => one.from[1])] as const;
  const to = [mean((one) => one.pixel[0]), mean((one) => one.pixel[1])] as const;
  let [c, s, square] = [0, 0, 0];
  for (const { pixel, from: at } of sources) {
    const [y, x] = [at[0] - from[0], at[1] - from[1]];
    const [v, u] = [pixel[0] - to[0], pixel[1] - to[1]];
    c += y * v + x * u;
    s += y * u - x * v;
    square += y * y + x * x;
  }
  c /= square;
  s /= square;
  const shown = ([row, column]: readonly [number, number]) => {
    const [y, x] = [row - from[0], column - from[1]];
    return [to[0] + c * y - s * x, to[1] + s * y + c * x] as const;
  };
  const residual = Math.max(
    ...sources.map(({ pixel, from: at }) => Math.hypot(shown(at)[0] - pixel[0], shown(at)[1] - pixel[1])),
  );
  const center = shown([centerRow, centerColumn]);
  return {
    degrees: (Math.atan2(s, c) * 180) / Math.PI,
    factor: Math.hypot(c, s),
    shift: [center[0] - centerRow, center[1] - centerColumn] as const,
    residual,
  };
}

/** The smallest and the largest number. */
const extremes = (values: readonly number[]) => [Math.min(...values), Math.max(...values)] as const;

describe("affine", () => {
  test("turns, enlarges and shifts about the center, within its ranges and over most of them", async () => {
    const maps = (await sourcesOf({ rotate: 30, scale: [0.8, 1.25], shift: { pixels: 1.5 } })).map(fitted);
    for (const { residual } of maps) expect(residual).toBeLessThan(1e-4);
    const [least, most] = extremes(maps.map(({ degrees }) => degrees));
    expect(least).toBeGreaterThan(-30.001);
    expect(least).toBeLessThan(-20);
    expect(most).toBeLessThan(30.001);
    expect(most).toBeGreaterThan(20);
    const [smallest, largest] = extremes(maps.map(({ factor }) => factor));
    expect(smallest).toBeGreaterThan(0.7999);
    expect(smallest).toBeLessThan(0.88);
    expect(largest).toBeLessThan(1.2501);
    expect(largest).toBeGreaterThan(1.17);
    for (const axis of [0, 1] as const) {
      const [low, high] = extremes(maps.map(({ shift }) => shift[axis]));
      expect(low).toBeGreaterThan(-1.5001);
      expect(low).toBeLessThan(-1);
      expect(high).toBeLessThan(1.5001);
      expect(high).toBeGreaterThan(1);
    }
  });

  test("shifts by fractions of the height and the width", async () => {
    const maps = (await sourcesOf({ shift: { fraction: 0.25 } })).map(fitted);
    const [down, across] = [0, 1].map((axis) => Math.max(...maps.map(({ shift }) => Math.abs(shift[axis]!))));
    expect(down).toBeGreaterThan((0.9 * HEIGHT) / 4);
    expect(down).toBeLessThan(HEIGHT / 4 + 1e-4);
    expect(across).toBeGreaterThan((0.9 * WIDTH) / 4);
    expect(across).toBeLessThan(WIDTH / 4 + 1e-4);
    for (const { degrees, factor } of maps) {
      expect(degrees).toBeCloseTo(0, 4);
      expect(factor).toBeCloseTo(1, 5);
    }
  });

  test("changes nothing without ranges", async () => {
    const features = images([3, 5, 7]);
    const { results } = await apply(augmentations.affine({}), { features });
    expect([...results["features"]!]).toEqual([...features.values]);
  });

  test("interpolates between the image and the fill", async () => {
    // One row is shifted along the width by less than one pixel, so that one border is filled.
    const features = { values: new Float32Array(6).fill(1), shape: [1, 1, 6] };
    const { results } = await apply(augmentations.affine({ shift: { fraction: 1 / 8 }, fill: 3 }), { features });
    const values = [...results["features"]!];
    // Along the height the only row mixes with the fill; along the width one border pixel does so once more.
    const [middle] = values.slice(2, 3) as [number];
    expect(middle).toBeGreaterThan(1);
    expect(middle).toBeLessThan(1.26);
    expect(values.slice(1, 5)).toEqual([middle, middle, middle, middle]);
    expect(Math.max(values[0]!, values[5]!)).toBeGreaterThan(middle);
    expect(Math.min(values[0]!, values[5]!)).toBe(middle);
  });
});

test("rotate and scale are affine with one range", async () => {
  const features = images([4, 6, 5]);
  const resultOf = async (augmentation: ReturnType<typeof augmentations.affine>) =>
    (await apply(augmentation, { features })).results["features"];
  expect(await resultOf(augmentations.rotate({ degrees: 45, fill: 2 }))).toEqual(
    await resultOf(augmentations.affine({ rotate: 45, fill: 2 })),
  );
  expect(await resultOf(augmentations.scale({ factor: [0.5, 2], fill: 2 }))).toEqual(
    await resultOf(augmentations.affine({ scale: [0.5, 2], fill: 2 })),
  );
  expect(await resultOf(augmentations.rotate({ degrees: 45 }))).not.toEqual(
    await resultOf(augmentations.scale({ factor: [0.5, 2] })),
  );
});
