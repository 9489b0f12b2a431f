import type { Tensor } from "../../graph/tensor.ts";
import { greaterEqual, less, multiply, select, subtract } from "../../ops/elementwise/index.ts";
import type { Augmentation } from "../augmentation.ts";
import { requireCount } from "../checks.ts";
import { drawBelow, perExample } from "./draws.ts";
import { changeImages, pixelsFrom, requireFill, type FillOptions } from "./images.ts";

/** The options of `cutout`. */
export interface CutoutOptions extends FillOptions {
  /** The height and the width of the square, at least 1. */
  readonly size: number;
}

/**
 * Overwrites a square of each image. Its center is any pixel with the same probability, so that a part of the square
 * may be outside the image (DeVries and Taylor 2017).
 * @throws OptionError for an option outside its range
 */
export function cutout(options: CutoutOptions): Augmentation {
  const name = "cutout";
  const { size } = options;
  requireCount(`${name} size`, size);
  const fill = requireFill(name, options);
  return {
    name,
    apply: (batch, context) =>
      changeImages(name, batch, (images) => {
        const [examples, height, width] = images.shape as [number, number, number, number];
        const before = Math.floor(size / 2);
        const [row, column] = drawBelow(context, examples, [height, width]).map((center) => perExample(center, 4));
        const [rows, columns] = pixelsFrom([-before, -before], images.shape);
        const isInside = multiply(within(subtract(rows, row!), size), within(subtract(columns, column!), size));
        return select(isInside, fill, images);
      }),
  };
}

const within = (position: Tensor, size: number): Tensor => multiply(greaterEqual(position, 0), less(position, size));
