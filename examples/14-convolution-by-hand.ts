/*
 * Convolution as plain loops, with its two gradients, compared with `conv2d` and `gradients`. The image x is [height, width,
 * channels], the weights w are [window, window, channels, filters], and the feature maps y are [rows, columns, filters]:
 *
 *   y[r, c, f]         = Σ x[r s + i − p, c s + j − p, k] · w[i, j, k, f]     over i, j and k
 *   ∂loss/∂w[i, j, k, f] = Σ x[r s + i − p, c s + j − p, k] · δ[r, c, f]      over r and c, with δ = ∂loss/∂y
 *   ∂loss/∂x[h, v, k]    = Σ w[i, j, k, f] · δ[r, c, f]                       over all terms of y that contain x[h, v, k]
 *
 * with stride s and padding p. All three add up the same terms x · w of y; only the factors differ. The kernel is not
 * flipped, so it is a cross-correlation, as in all deep learning libraries.
 */
import { builtInDigits, conv2d, gradients, multiply, parameter, square, sum, type Backend } from "../src/index.ts";
import { colors, grays, image, line, picture, points, signColors, type Point } from "./lib/picture.ts";
import type { Stage } from "./lib/stage.ts";
import { valuesOf } from "./lib/values.ts";

/** The sizes of a convolution of one square image with square windows. */
export interface Sizes {
  readonly size: number;
  readonly channels: number;
  readonly window: number;
  readonly filters: number;
  readonly stride: number;
  readonly padding: number;
}

/** The number of windows along each axis. */
export const windowsAlong = ({ size, window, stride, padding }: Sizes): number =>
  Math.floor((size + 2 * padding - window) / stride) + 1;

/** Visits the terms x[pixel] · w[weight] of the outputs y[output]. Pixels of the padding are 0, so they have no terms. */
function eachTerm(sizes: Sizes, visit: (pixel: number, weight: number, output: number) => void): void {
  const { size, channels, window, filters, stride, padding } = sizes;
  const count = windowsAlong(sizes);
  for (let r = 0; r < count; r++) {
    for (let c = 0; c < count; c++) {
      for (let i = 0; i < window; i++) {
        for (let j = 0; j < window; j++) {
          const [row, column] = [r * stride + i - padding, c * stride + j - padding];
          if (row < 0 || row >= size || column < 0 || column >= size) continue;
          for (let k = 0; k < channels; k++) {
            for (let f = 0; f < filters; f++) {
              const pixel = (row * size + column) * channels + k;
              const weight = ((i * window + j) * channels + k) * filters + f;
              visit(pixel, weight, (r * count + c) * filters + f);
            }
          }
        }
      }
    }
  }
}

/** The feature maps of an image. */
export function forward(sizes: Sizes, x: ArrayLike<number>, w: ArrayLike<number>): Float64Array {
  const y = new Float64Array(windowsAlong(sizes) ** 2 * sizes.filters);
  eachTerm(sizes, (pixel, weight, output) => (y[output]! += x[pixel]! * w[weight]!));
  return y;
}

/** The gradient with respect to the weights, from δ, that with respect to the feature maps. */
export function weightGradient(sizes: Sizes, x: ArrayLike<number>, delta: ArrayLike<number>): Float64Array {
  const gradient = new Float64Array(sizes.window ** 2 * sizes.channels * sizes.filters);
  eachTerm(sizes, (pixel, weight, output) => (gradient[weight]! += x[pixel]! * delta[output]!));
  return gradient;
}

/** The gradient with respect to the image. */
export function imageGradient(sizes: Sizes, w: ArrayLike<number>, delta: ArrayLike<number>): Float64Array {
  const gradient = new Float64Array(sizes.size ** 2 * sizes.channels);
  eachTerm(sizes, (pixel, weight, output) => (gradient[pixel]! += w[weight]! * delta[output]!));
  return gradient;
}

/** The feature maps, and the gradients of half the sum of their squares, for which δ = y. */
export interface Results {
  readonly maps: readonly number[];
  readonly ofWeights: readonly number[];
  readonly ofImage: readonly number[];
}

export function byHand(sizes: Sizes, x: ArrayLike<number>, w: ArrayLike<number>): Results {
  const maps = forward(sizes, x, w);
  return {
    maps: [...maps],
    ofWeights: [...weightGradient(sizes, x, maps)],
    ofImage: [...imageGradient(sizes, w, maps)],
  };
}

export function byLibrary(
  backend: Backend,
  sizes: Sizes,
  x: readonly number[],
  w: readonly number[],
): Promise<Results> {
  const { size, channels, window, filters, stride, padding } = sizes;
  const pixels = parameter("x", [1, size, size, channels], x);
  const weights = parameter("w", [window, window, channels, filters], w);
  const maps = conv2d(pixels, weights, { stride, padding });
  const loss = multiply(0.5, sum(square(maps)));
  const [ofWeights, ofImage] = gradients(loss, [weights, pixels]);
  return valuesOf(backend, { maps, ofWeights, ofImage });
}

/** Sobel's filters (Duda and Hart 1973, p. 271), whose maps are positive where it gets brighter to the right or downward, and Laplace's. */
export const filters = {
  "vertical edges": [-1, 0, 1, -2, 0, 2, -1, 0, 1],
  "horizontal edges": [-1, -2, -1, 0, 0, 0, 1, 2, 1],
  outlines: [0, -1, 0, -1, 4, -1, 0, -1, 0],
} as const;

/** A built-in digit with pixels in 0 … 1, and the three filters as [3, 3, 1, 3]. */
export function digitAndFilters(): { sizes: Sizes; x: number[]; w: number[] } {
  const kernels = Object.values(filters);
  const x = Array.from(builtInDigits({ train: 6, test: 1 }).train.features.subarray(-28 * 28), (level) => level / 255);
  const w = kernels[0]!.flatMap((_, place) => kernels.map((kernel) => kernel[place]!));
  return { sizes: { size: 28, channels: 1, window: 3, filters: kernels.length, stride: 1, padding: 1 }, x, w };
}

/** The largest difference of two lists of numbers. */
export const largestDifference = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((largest, value, index) => Math.max(largest, Math.abs(value - b[index]!)), 0);

/** The smallest range around 0 with all of the values. */
function symmetric(values: readonly number[]): readonly [low: number, high: number] {
  const most = Math.max(...values.map(Math.abs));
  return [-most, most];
}

const labels = { maps: "feature maps", ofWeights: "∂loss/∂w", ofImage: "∂loss/∂x" } as const;

export async function main({ backend, print, draw }: Stage): Promise<void> {
  const { sizes, x, w } = digitAndFilters();
  const [hand, library] = [byHand(sizes, x, w), await byLibrary(backend, sizes, x, w)];
  for (const name of ["maps", "ofWeights", "ofImage"] as const) {
    const difference = largestDifference(hand[name], library[name]).toExponential(1);
    print(`${labels[name]}: ${hand[name].length} values, which differ by at most ${difference}`);
  }
  const panelOf = (title: string, values: readonly number[], range = symmetric(values), fills = signColors) => ({
    title,
    x: { min: 0, max: 28, hidden: true },
    y: { min: 0, max: 28, hidden: true },
    series: [image({ width: 28, height: 28, values, range, colors: fills })],
  });
  const maps = Object.keys(filters).map((title, filter) =>
    panelOf(
      title,
      Array.from(hand.maps).filter((_, at) => at % sizes.filters === filter),
    ),
  );
  const ends = [Math.min(...hand.ofWeights), Math.max(...hand.ofWeights)];
  const agreement = hand.ofWeights.map((value, at): Point => [value, library.ofWeights[at]!]);
  const panels = [
    panelOf("the image", x, [0, 1], grays),
    ...maps,
    panelOf("∂loss/∂x", hand.ofImage),
    {
      title: "∂loss/∂w",
      x: { name: "by hand" },
      y: { name: "by the library" },
      legend: false,
      series: [
        line(
          "equal",
          ends.map((value): Point => [value, value]),
          { color: colors.gray },
        ),
        points("27 weights", agreement, { color: colors.blue, size: 6 }),
      ],
    },
  ];
  await draw(picture("14", panels, 3, { width: 300, height: 300, left: 58, right: 18, top: 38, bottom: 38 }));
}
