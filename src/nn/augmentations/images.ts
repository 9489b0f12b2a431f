import { GraphError } from "../../errors.ts";
import type { Shape, Tensor } from "../../graph/tensor.ts";
import { add, subtract, toFloat } from "../../ops/elementwise/index.ts";
import type { Coordinates, Pair } from "../../ops/convolution/index.ts";
import { axisIndex, copy, reshape } from "../../ops/layout/index.ts";
import type { AugmentationContext } from "../augmentation.ts";
import type { Batch } from "../batch.ts";
import { requireFloat32, requireNumber } from "../checks.ts";
import { drawBelow, perExample } from "./draws.ts";

/** An option of augmentations that move images. */
export interface FillOptions {
  /**
   * The value of elements that come from outside the image; 0 by default. Augmentations see normalized features, where
   * the background is not always 0: with `unitScale` black is 0, but with `standardization` it is −mean / deviation.
   */
  readonly fill?: number;
}

export function requireFill(name: string, { fill = 0 }: FillOptions): number {
  requireFloat32(`${name} fill`, fill);
  return fill;
}

/**
 * Changes the features of a batch as images with channels.
 * @param change maps images [examples, height, width, channels] to images of the same shape
 * @throws GraphError if the features are not float32 [examples, height, width] or [examples, height, width, channels]
 */
export function changeImages(name: string, batch: Batch, change: (images: Tensor) => Tensor): Batch {
  const { features } = batch;
  const axes = features?.shape.length ?? 0;
  if (!features || features.dtype !== "float32" || axes < 3 || axes > 4) {
    throw new GraphError({
      where: `augmentation ${name}`,
      what: features
        ? `the features, ${features.dtype}[${features.shape.join(", ")}], are not images`
        : "the batch has no features",
      fix: "Give features [examples, height, width] or [examples, height, width, channels]: a model with an input shape such as [28, 28], whose first layer may be flatten()",
    });
  }
  const images = reshape(features, [...features.shape.slice(0, 3), axes === 4 ? features.shape[3]! : 1]);
  return { ...batch, features: reshape(change(images), features.shape) };
}

/** A tensor that is read at several positions: computed once instead of for each of them. */
export const stored = (x: Tensor): Tensor => copy(x);

/**
 * The row and the column of each element, relative to an origin, float32.
 * @param shape [examples, height, width], or with channels
 */
export function pixelsFrom([row, column]: Pair, shape: Shape): Coordinates {
  const along = (axis: number, origin: number) => subtract(toFloat(axisIndex(shape, axis)), origin);
  return [along(1, row), along(2, column)];
}

/**
 * The position of each pixel before images are moved by whole pixels, by −most … most along the height and the width
 * with equal probabilities.
 */
export function displaced(images: Tensor, most: Pair, context: AugmentationContext): Coordinates {
  const counts = most.map((pixels) => 2 * pixels + 1);
  const [down, across] = drawBelow(context, images.shape[0]!, counts).map((drawn) => perExample(drawn, 3));
  const [rows, columns] = pixelsFrom(most, images.shape.slice(0, 3));
  return [add(rows, down!), add(columns, across!)];
}

/** A distance along both axes of an image: in pixels, or as a fraction of the height and the width. */
export type Distance =
  | { readonly pixels: number; readonly fraction?: undefined }
  | { readonly fraction: number; readonly pixels?: undefined };

/**
 * Checks a distance.
 * @param name the augmentation
 * @throws OptionError unless there is either a number of pixels of at least 0, or a fraction in [0, 1]
 */
export function requireDistance(name: string, { pixels, fraction }: Distance): void {
  if (fraction === undefined) {
    const isAllowed = pixels >= 0 && pixels < 2 ** 24;
    requireNumber(`${name} pixels`, pixels, isAllowed, "a number of pixels of at least 0, or a fraction instead");
  } else {
    const isAllowed = fraction >= 0 && fraction <= 1 && pixels === undefined;
    requireNumber(`${name} fraction`, fraction, isAllowed, "a number in [0, 1], and not also pixels");
  }
}

/** A distance along the height and the width of some images, in pixels. */
export function distanceOn({ pixels, fraction = 0 }: Distance, { shape }: Tensor): Pair {
  return pixels === undefined ? [fraction * shape[1]!, fraction * shape[2]!] : [pixels, pixels];
}
