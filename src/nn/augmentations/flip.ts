import { less, select } from "../../ops/elementwise/index.ts";
import { flip as reversed } from "../../ops/indexing/index.ts";
import type { Augmentation } from "../augmentation.ts";
import { entryOf, requireNumber } from "../checks.ts";
import { drawBetween, perExample } from "./draws.ts";
import { changeImages, stored } from "./images.ts";

/** The options of `flip`. */
export interface RandomFlipOptions {
  /** "horizontal" exchanges left and right, "vertical" top and bottom. */
  readonly axis: "horizontal" | "vertical";
  /** The probability that an image is flipped, in [0, 1]; 0.5 by default. */
  readonly probability?: number;
}

/** The reversed axis of images [examples, height, width, channels]. */
const AXES = { horizontal: 2, vertical: 1 } as const;

/**
 * Flips each image with some probability.
 * @throws OptionError for an unknown axis or a probability outside [0, 1]
 */
export function flip({ axis, probability = 0.5 }: RandomFlipOptions): Augmentation {
  const name = "flip";
  const flipped = entryOf(name, "axis", AXES, axis);
  requireNumber(`${name} probability`, probability, probability >= 0 && probability <= 1, "a number in [0, 1]");
  return {
    name,
    apply: (batch, context) =>
      changeImages(name, batch, (images) => {
        const isFlipped = less(drawBetween(context, images.shape[0]!, [[0, 1]])[0]!, probability);
        const own = stored(images);
        return select(perExample(isFlipped, 4), reversed(own, flipped), own);
      }),
  };
}
