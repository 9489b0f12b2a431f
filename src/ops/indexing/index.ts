/*
 * Ops that move elements: each element of the result is an element of an input, found by its position or by an index.
 * They are read where they are needed: a reader computes the position itself, and nothing is copied, unless the result is
 * an output.
 */
export { concat, split, stack } from "./concat.ts";
export { flip, pad, slice, tile, type PadMode, type PadOptions, type SliceRange } from "./move.ts";
export { sortOrder, sumByIndex, take, takeAlong, type TakeOptions } from "./take.ts";
