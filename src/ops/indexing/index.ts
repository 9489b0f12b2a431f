/*
 * Ops that move elements: each element of the result is an element of an input, chosen by its position or by an index.
 * Readers compute the position themselves, so nothing is copied unless the result is an output.
 */
export { concat, split, stack } from "./concat.ts";
export { flip, pad, slice, tile, type PadMode, type PadOptions, type SliceRange } from "./move.ts";
export { oneHot } from "./one-hot.ts";
export { sortOrder, sumByIndex, take, takeAlong, type TakeOptions } from "./take.ts";
