/*
 * The settings of the Text tab, with their defaults and the values that they allow.
 */
import { choice, fallbacks, range, type Settings } from "../shared/address/codec.ts";
import { batchSizeField, learningRateField } from "../shared/training-fields.ts";

/** What a change of needs new weights. */
export const networkFields = {
  /** A task made by code, or the visitor's own text. */
  data: choice(["addition", "sorting", "reversing", "own"], "addition"),
  layers: choice([1, 2, 3, 4], 2),
  heads: choice([1, 2, 4, 8], 4),
  width: choice([16, 32, 64, 128], 64),
  /** Characters that a character of the visitor's own text is predicted from. A task has its own number. */
  context: choice([16, 32, 64], 64),
  seed: range(1, 9999, 1, 1),
};

/** What training continues with after a change. */
export const trainingFields = {
  rate: learningRateField(0.003),
  batch: batchSizeField(64),
};

export const runFields = { ...networkFields, ...trainingFields };

export type RunSettings = Settings<typeof runFields>;

/** How characters are drawn, and what is shown of a character. */
export const viewFields = {
  temperature: range(0, 2, 0.1, 0.5),
  /** The attention layer and the head whose weights are shown, from 1. */
  layer: choice<number>([1, 2, 3, 4], 1),
  head: choice<number>([1, 2, 3, 4, 5, 6, 7, 8], 1),
};

export type ViewSettings = Settings<typeof viewFields>;

export const fallbackView: ViewSettings = fallbacks(viewFields);

/**
 * The least and most characters of an own text, and the most different ones: each has its own logit. A tenth of the least
 * is longer than the largest context.
 */
export const TEXT_LIMITS = { least: 1000, most: 1_000_000, characters: 256 };
