import type { Augmentation } from "../augmentation.ts";
import { affineNamed } from "./affine.ts";
import type { FillOptions } from "./images.ts";

/** The options of `scale`. */
export interface RandomScaleOptions extends FillOptions {
  /** The smallest and the largest factor, both above 0, such as [0.9, 1.1]. */
  readonly factor: readonly [smallest: number, largest: number];
}

/**
 * Enlarges each image about its center by a factor that is uniform between two numbers, with bilinear interpolation;
 * factors below 1 reduce it. The size of the image stays the same.
 * @throws OptionError for an option outside its range
 */
export function scale({ factor, ...options }: RandomScaleOptions): Augmentation {
  return affineNamed("scale", { ...options, scale: factor }, "factor");
}
