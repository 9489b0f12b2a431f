/*
 * Augmentations as an amount for each, in the form in which an option or a message has them.
 */
import { isRegression, type Dataset, type Normalization } from "../data/dataset.ts";
import { augmentations, type Augmentation } from "../nn/index.ts";

/** The augmentations that have a single amount; each comment says what the amount is. */
export const augmentationNames = [
  /** The most pixels along each axis. */
  "shift",
  /** The largest angle in degrees. */
  "rotate",
  /** The largest change of the size, as a fraction. */
  "scale",
  /** The probability of exchanging left and right. */
  "flip",
  /** The pixels added on each side before an image is cropped. */
  "crop",
  /** The side of the square in pixels. */
  "cutout",
  /** The parameter of the beta distribution. */
  "mixup",
] as const;

export type AugmentationName = (typeof augmentationNames)[number];

/** What augmentations need to know of the data. */
export interface AugmentationData {
  /** The value of black after normalization, with which pixels from outside an image are filled. */
  readonly fill: number;
  /** The number of classes; undefined for regression. */
  readonly classes: number | undefined;
}

export const contextOf = (data: Dataset, { offset }: Normalization): AugmentationData => ({
  fill: typeof offset === "number" ? offset : offset.reduce((sum, value) => sum + value, 0) / offset.length,
  classes: isRegression(data) ? undefined : data.classes.length,
});

/**
 * The augmentations with these amounts, in their order. Shifts, rotations and changes of size become one interpolation, which
 * comes first; only shifts, which are by whole pixels, need none.
 * @throws OptionError for an amount that is out of range
 */
export function augmentationsOf(
  amounts: ReadonlyMap<AugmentationName, number>,
  { fill, classes }: AugmentationData,
): Augmentation[] {
  const { affine, crop, cutout, flip, mixup, shift } = augmentations;
  const [shifted, rotate = 0, scaled = 0] = [amounts.get("shift"), amounts.get("rotate"), amounts.get("scale")];
  const isWhole = rotate === 0 && scaled === 0;
  const made: Readonly<Record<AugmentationName, (amount: number) => Augmentation | undefined>> = {
    shift: (pixels) => (isWhole ? shift({ pixels, fill }) : undefined),
    rotate: () => undefined,
    scale: () => undefined,
    flip: (probability) => flip({ axis: "horizontal", probability }),
    crop: (padding) => crop({ padding, fill }),
    cutout: (size) => cutout({ size, fill }),
    mixup: (alpha) => mixup({ alpha, classes }),
  };
  const moves = { rotate, scale: [1 - scaled, 1 + scaled] as const, shift: { pixels: shifted ?? 0 }, fill };
  return [...(isWhole ? [] : [affine(moves)]), ...[...amounts].flatMap(([name, amount]) => made[name](amount) ?? [])];
}
