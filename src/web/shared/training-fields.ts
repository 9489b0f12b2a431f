/*
 * The settings of training that all tabs have, with the values that they allow.
 */
import { range, type RangeField } from "./address/codec.ts";

export const learningRateField = (fallback: number): RangeField => range(1e-6, 10, "any", fallback);

/** The number of examples of a step. */
export const batchSizeField = (fallback: number): RangeField => range(1, 1024, 1, fallback);

export const optimizerNames = ["sgd", "momentum", "nesterov", "rmsprop", "adam", "adamW"] as const;
