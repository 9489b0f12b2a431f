/*
 * The windows that a convolution or pooling moves over an image. Values are pairs for both axes, [height, width].
 */
import { GraphError } from "../../errors.ts";
import type { Shape } from "../../graph/tensor.ts";

/** A number for each of the two axes, [height, width]. */
export type Pair = readonly [number, number];

/** One number for both axes, or one for each. */
export type PairOption = number | Pair;

/**
 * "same": zeros on all sides, so that the output has ⌈size / stride⌉ elements along each axis; if the
 * number of zeros is odd, the extra one is at the end. "valid": no padding. Otherwise, the number of padding elements
 * on each side: one number for both axes, one for each, or [[top, bottom], [left, right]].
 */
export type Padding = "same" | "valid" | number | Pair | readonly [Pair, Pair];

export interface WindowOptions {
  /** Elements from one window to the next; 1 by default, or the size of the window for pooling. */
  readonly stride?: PairOption;
  /** "valid" by default. */
  readonly padding?: Padding;
  /** Elements of the image from one element of a window to the next; 1 by default. */
  readonly dilation?: PairOption;
}

/** The positions of windows on an image. */
export interface Windows {
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly dilation: Pair;
  /** The number of padding elements before the first element. */
  readonly before: Pair;
  /** The image's elements are at the multiples of these numbers, with padding between them. */
  readonly spread: Pair;
  /** The number of windows along each axis. */
  readonly count: Pair;
}

export function pairOf(where: string, name: string, option: PairOption, least = 1): Pair {
  const pair: Pair = typeof option === "number" ? [option, option] : option;
  if (Array.isArray(pair) && pair.length === 2 && pair.every((value) => Number.isInteger(value) && value >= least))
    return pair;
  throw new GraphError({
    where,
    what: `${name} is ${JSON.stringify(option)}`,
    fix: `Give a whole number of at least ${least}, or one for each of height and width`,
  });
}

/** Elements of padding before the first element and after the last one, along height and width. */
export type Sides = readonly [Pair, Pair];

/**
 * @param image the shape of the images, [examples, height, width, channels]
 * @throws GraphError if an option is outside its range, or if no window fits
 */
export function windowsOf(
  where: string,
  image: Shape,
  kernel: Pair,
  options: WindowOptions,
  usualStride: PairOption = 1,
): Windows {
  const stride = pairOf(where, "stride", options.stride ?? usualStride);
  const dilation = pairOf(where, "dilation", options.dilation ?? 1);
  const sizes = image.slice(1, 3) as unknown as Pair;
  const reach = kernel.map((size, axis) => (size - 1) * dilation[axis]! + 1);
  const sides = sidesOf(where, sizes, kernel, options, usualStride);
  const count = sizes.map((size, axis) => {
    const [before, after] = sides[axis]!;
    return Math.floor((size + before + after - reach[axis]!) / stride[axis]!) + 1;
  }) as unknown as Pair;
  if (count.some((windows) => windows < 1)) {
    throw new GraphError({
      where,
      what: `a window of ${reach.join(" × ")} does not fit images of ${sizes.join(" × ")}`,
      fix: "Take a smaller window or dilation, or more padding",
    });
  }
  return { kernel, stride, dilation, before: [sides[0][0], sides[1][0]], spread: [1, 1], count };
}

/**
 * The padding around an image.
 * @param sizes the height and width of the image
 * @throws GraphError if an option is outside its range
 */
export function sidesOf(
  where: string,
  sizes: Pair,
  kernel: Pair,
  options: WindowOptions,
  usualStride: PairOption = 1,
): Sides {
  const stride = pairOf(where, "stride", options.stride ?? usualStride);
  const dilation = pairOf(where, "dilation", options.dilation ?? 1);
  return paddingOf(where, options.padding ?? "valid", (axis) => {
    const count = Math.ceil(sizes[axis]! / stride[axis]!);
    return Math.max(0, (count - 1) * stride[axis]! + (kernel[axis]! - 1) * dilation[axis]! + 1 - sizes[axis]!);
  });
}

function paddingOf(where: string, padding: Padding, whole: (axis: 0 | 1) => number): Sides {
  if (padding === "valid")
    return [
      [0, 0],
      [0, 0],
    ];
  if (padding === "same") {
    const side = (axis: 0 | 1): Pair => [Math.floor(whole(axis) / 2), Math.ceil(whole(axis) / 2)];
    return [side(0), side(1)];
  }
  if (Array.isArray(padding) && padding.some(Array.isArray)) {
    const [height, width] = padding as readonly [Pair, Pair];
    return [pairOf(where, "padding", height, 0), pairOf(where, "padding", width, 0)];
  }
  const [height, width] = pairOf(where, "padding", padding as PairOption, 0);
  return [
    [height, height],
    [width, width],
  ];
}

/**
 * The windows for the gradient: for each element of the image, the windows that contain it, in reverse order of its
 * position in them.
 * @param size the height and width of the image
 */
export function backwardWindows({ kernel, stride, dilation, before, spread }: Windows, size: Pair): Windows {
  const pair = (value: (axis: 0 | 1) => number): Pair => [value(0), value(1)];
  return {
    kernel,
    stride: spread,
    dilation,
    before: pair((axis) => (kernel[axis] - 1) * dilation[axis] - before[axis]),
    spread: stride,
    count: size,
  };
}

/** The element of an image's axis at a position in a window, or −1 for padding. */
export function elementOf(
  { stride, dilation, before, spread }: Windows,
  axis: 0 | 1,
  window: number,
  place: number,
  size: number,
): number {
  const at = window * stride[axis] + place * dilation[axis] - before[axis];
  if (at < 0 || at % spread[axis] !== 0) return -1;
  const element = at / spread[axis];
  return element < size ? element : -1;
}
