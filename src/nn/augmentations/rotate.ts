import type { Augmentation } from "../augmentation.ts";
import { affineNamed } from "./affine.ts";
import type { FillOptions } from "./images.ts";

/** The options of `rotate`. */
export interface RandomRotateOptions extends FillOptions {
  /** The largest angle, in [0, 180]. */
  readonly degrees: number;
}

/**
 * Rotates each image about its center by an angle that is uniform in ±degrees, with bilinear interpolation. To rotate
 * and to scale or shift, use `affine`, which interpolates only once.
 * @throws OptionError for an option outside its range
 */
export function rotate({ degrees, ...options }: RandomRotateOptions): Augmentation {
  return affineNamed("rotate", { ...options, rotate: degrees }, "degrees");
}
