import { samplePixels } from "../../ops/convolution/sample.ts";
import type { Augmentation } from "../augmentation.ts";
import {
  changeImages,
  displaced,
  distanceOn,
  requireDistance,
  requireFill,
  stored,
  type Distance,
  type FillOptions,
} from "./images.ts";

/** The options of `shift`. */
export type RandomShiftOptions = Distance & FillOptions;

/**
 * Shifts each image by a whole number of pixels along each axis, uniform in −most … most. There is no interpolation.
 * With `fraction`, the most is that fraction of the height and the width, rounded down.
 * @throws OptionError for an option outside its range
 */
export function shift(options: RandomShiftOptions): Augmentation {
  const name = "shift";
  requireDistance(name, options);
  const fill = requireFill(name, options);
  return {
    name,
    apply: (batch, context) =>
      changeImages(name, batch, (images) => {
        const most = distanceOn(options, images).map(Math.floor) as [number, number];
        return samplePixels(name, stored(images), displaced(images, most, context), { fill });
      }),
  };
}
