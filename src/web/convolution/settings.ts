/*
 * The settings of the Convolution tab, with their defaults and the values that they allow.
 */
import { choice, fallbacks, range, tuple, type Settings } from "../shared/address/codec.ts";
import { batchSizeField, learningRateField } from "../shared/training-fields.ts";

/** The drawing is shifted by up to this many pixels in each direction. */
export const MOST_SHIFT = 3;

/** Every shift along one axis, in pixels. */
export const shiftsAlong: readonly number[] = Array.from(
  { length: 2 * MOST_SHIFT + 1 },
  (_, index) => index - MOST_SHIFT,
);

/** The settings of both networks. A change of the data or the seed needs new weights. */
export const trainingFields = {
  /** "auto" is MNIST if its files are beside the page, and otherwise the built-in digits. */
  data: choice(["auto", "digits", "mnist"], "auto"),
  seed: range(1, 9999, 1, 1),
  rate: learningRateField(0.002),
  batch: batchSizeField(64),
};

export type TrainingSettings = Settings<typeof trainingFields>;

const shift = choice(shiftsAlong, 0);

/** What the networks see: a test image, unless the visitor has drawn something, and how far it is shifted. */
export const subjectFields = {
  digit: choice<number>([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 3),
  /** To the right and down, in pixels. */
  shift: tuple<readonly [x: number, y: number]>([shift, shift], "_"),
};

export type SubjectSettings = Settings<typeof subjectFields>;

export const fallbackSubject: SubjectSettings = fallbacks(subjectFields);
