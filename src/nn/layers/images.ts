/*
 * Options and shapes shared by the layers for images and signals.
 */
import { excerpt, GraphError, OptionError } from "../../errors.ts";
import type { Shape, Tensor } from "../../graph/tensor.ts";
import type { Padding, Pair, PairOption, Sides } from "../../ops/convolution/index.ts";
import { reshape } from "../../ops/layout/index.ts";

/** The positions of a layer's windows on an image. */
export interface LayerWindowOptions {
  /** Pixels from one window to the next, for both axes or [height, width]; 1 by default. */
  readonly stride?: PairOption;
  /**
   * "valid": no padding, the default. "same": zeros on all sides, so that the output has ⌈size / stride⌉ rows and
   * columns; an extra row or column of zeros is at the bottom or right. Otherwise, a number of pixels on each side, one
   * number for each axis ([height, width]), or [[top, bottom], [left, right]].
   */
  readonly padding?: Padding;
}

/** The checked window options in a layer's config. */
export interface WindowConfig {
  readonly window: Pair;
  readonly stride: Pair;
  readonly padding: "same" | "valid" | Sides;
}

/** The windows in a checked config, which may have a dilation. */
export interface LayerWindows extends WindowConfig {
  readonly dilation?: Pair;
}

/**
 * @param where the layer, for messages
 * @throws OptionError
 */
export function windowConfig(
  where: string,
  window: PairOption,
  { stride = 1, padding = "valid" }: LayerWindowOptions,
): WindowConfig {
  return {
    window: requirePair(`${where} window`, window),
    stride: requirePair(`${where} stride`, stride),
    padding: requirePadding(`${where} padding`, padding),
  };
}

const isWhole = (value: unknown, least: number): value is number =>
  Number.isSafeInteger(value) && (value as number) >= least;

const isPair = (value: unknown, least: number): value is Pair =>
  Array.isArray(value) && value.length === 2 && value.every((size) => isWhole(size, least));

/** @throws OptionError for anything but an integer or a pair of integers */
export function requirePair(where: string, value: PairOption, least = 1): Pair {
  if (isPair(value, least)) return [value[0], value[1]];
  if (isWhole(value, least)) return [value, value];
  throw new OptionError({
    where,
    what: `${excerpt(value)} is out of range`,
    fix: `Give a whole number of at least ${least}, or [height, width]`,
  });
}

/** @throws OptionError */
export function requirePadding(where: string, padding: Padding): "same" | "valid" | Sides {
  if (padding === "same" || padding === "valid") return padding;
  if (Array.isArray(padding) && padding.length === 2 && padding.every((side) => isPair(side, 0))) {
    const [[top, bottom], [left, right]] = padding as Sides;
    return [
      [top, bottom],
      [left, right],
    ];
  }
  if (isWhole(padding, 0) || isPair(padding, 0)) {
    const [height, width] = requirePair(where, padding, 0);
    return [
      [height, height],
      [width, width],
    ];
  }
  throw new OptionError({
    where,
    what: `${excerpt(padding)} is not a padding`,
    fix: 'Give "same", "valid", a number of pixels, [height, width], or [[top, bottom], [left, right]]',
  });
}

/**
 * The shape of images, [height, width, channels]. Images of shape [height, width] have one channel.
 * @throws GraphError for a shape with another number of axes
 */
export function imageShape(where: string, shape: Shape): readonly [number, number, number] {
  const [height, width, channels = 1] = shape;
  if (shape.length === 2 || shape.length === 3) return [height!, width!, channels];
  throw new GraphError({
    where,
    what: `its input has the shape [${shape.join(", ")}] per example, which is not an image`,
    fix: "Give [height, width, channels] or [height, width], or insert reshape([height, width, channels]) before this layer",
  });
}

/** Adds the channel axis to a batch of images that lacks it. */
export const withChannels = (x: Tensor, [height, width, channels]: readonly [number, number, number]): Tensor =>
  x.shape.length === 4 ? x : reshape(x, [x.shape[0]!, height, width, channels]);

/**
 * The shape of signals, [length, channels]. Signals of shape [length] have one channel.
 * @throws GraphError for a shape with another number of axes
 */
export function signalShape(where: string, shape: Shape): readonly [number, number] {
  const [length, channels = 1] = shape;
  if (shape.length === 1 || shape.length === 2) return [length!, channels];
  throw new GraphError({
    where,
    what: `its input has the shape [${shape.join(", ")}] per example, which is not a signal`,
    fix: "Give [length, channels] or [length], or insert reshape([length, channels]) before this layer",
  });
}

/** @throws GraphError if the groups do not divide the channels */
export function requireGroups(where: string, groups: number, channels: number): void {
  if (channels % groups === 0) return;
  throw new GraphError({
    where,
    what: `its input has ${channels} channels, which ${groups} groups do not divide`,
    fix: "Give a number of groups that divides the channels",
  });
}

/**
 * A permutation that moves the channels of a batch of images or signals, with `axes` axes per example, to the front.
 */
export const channelsFirstAxes = (axes: number): number[] => [
  0,
  axes,
  ...Array.from({ length: axes - 1 }, (_, axis) => axis + 1),
];
