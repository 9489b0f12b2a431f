import type { Tensor } from "../../graph/tensor.ts";
import { samplePixels } from "../../ops/convolution/sample.ts";
import { abs, clip, subtract } from "../../ops/elementwise/index.ts";
import type { PadMode } from "../../ops/indexing/index.ts";
import type { Augmentation } from "../augmentation.ts";
import { entryOf, requireCount, requireNumber } from "../checks.ts";
import { changeImages, displaced, requireFill, stored, type FillOptions } from "./images.ts";

/** The options of `crop`. */
export interface RandomCropOptions extends FillOptions {
  /** The number of pixels added on each side before an image is cropped to its own size. */
  readonly padding: number;
  /**
   * What is added: `fill` ("constant", the default), the nearest pixel ("edge"), or the image mirrored at its outer
   * pixels ("reflect", for padding below the height and the width).
   */
  readonly mode?: PadMode;
}

/** The position along an axis of `size` pixels that is shown for one in the padding. */
const SHOWN: Readonly<Record<PadMode, (position: Tensor, size: number) => Tensor>> = {
  constant: (position) => position,
  edge: (position, size) => clip(position, 0, size - 1),
  reflect: (position, size) => subtract(size - 1, abs(subtract(size - 1, abs(position)))),
};

/**
 * Pads each image on all sides and crops it at a random place to its own size, like torchvision's RandomCrop with
 * padding.
 * @throws OptionError for an option outside its range. Applying it throws an OptionError for "reflect" with padding of
 * at least the height or the width
 */
export function crop(options: RandomCropOptions): Augmentation {
  const name = "crop";
  const { padding, mode = "constant" } = options;
  requireCount(`${name} padding`, padding, 0);
  const shown = entryOf(name, "mode", SHOWN, mode);
  const fill = requireFill(name, options);
  return {
    name,
    apply: (batch, context) =>
      changeImages(name, batch, (images) => {
        const [, height, width] = images.shape as [number, number, number, number];
        const most = mode === "reflect" ? Math.min(height, width) - 1 : Infinity;
        requireNumber(
          `${name} padding`,
          padding,
          padding <= most,
          `at most ${most} to reflect images of ${height} × ${width}`,
        );
        const [rows, columns] = displaced(images, [padding, padding], context);
        return samplePixels(name, stored(images), [shown(rows, height), shown(columns, width)], { fill });
      }),
  };
}
