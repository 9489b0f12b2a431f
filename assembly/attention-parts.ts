/*
 * The argument block of the kernels of attention, and the parts of their scratch memory, each of BLOCK rows: seven for
 * operands or sums, with rows as long as the longest operand's, rounded up to eight elements; three of BLOCK × BLOCK scores;
 * and one for numbers of queries and keys.
 */
import { BLOCK } from "./attention-rows";
import { word } from "./operand";

// Words of the argument block, which src/ops/attention/wasm.ts writes.
export const Q = 0;
export const K = 3;
export const V = 6;
export const STATISTICS = 9;
export const UPSTREAM = 12;
export const DELTA = 15;
export const MASK = 18;
export const DROPOUT = 21;
export const RESULT = 24;
export const QUERIES = 27;
export const KEYS = 28;
export const WIDTH = 29;
export const VALUES = 30;
export const SCALE = 31;
export const FLAGS = 32;
export const MASK_QUERY_STRIDE = 33;
/** The leading axes of the mask: their number, and for each its size and its stride in elements. */
export const MASK_AXES = 34;
export const AXES = 35;
export const AXIS_WORDS = 2;

export const CAUSAL = 1;
export const MASKS = 2;
export const DROPS = 4;

// Parts of the scratch memory.
export const COMPUTED = 0;
export const LEFT = 1;
export const LEFT_UPSTREAM = 2;
export const RIGHT_KEYS = 3;
export const RIGHT_VALUES = 4;
export const SUMS = 5;
export const VALUE_SUMS = 6;
const OPERAND_PARTS = 7;

export const BLOCK_BYTES = BLOCK << 2;
const SCORE_BYTES = BLOCK * BLOCK_BYTES;

/** The bytes of a row of an operand's part of the scratch memory. */
export function rowBytes(args: i32): i32 {
  return ((max(word(args, WIDTH), word(args, VALUES)) + 7) & ~7) << 2;
}

export function part(args: i32, scratch: i32, index: i32): i32 {
  return scratch + index * BLOCK * rowBytes(args);
}

// The blocks of scores, of their gradients, and of the panels packed from them.
export function scoresOf(args: i32, scratch: i32): i32 {
  return part(args, scratch, OPERAND_PARTS);
}
export function slopesOf(args: i32, scratch: i32): i32 {
  return scoresOf(args, scratch) + SCORE_BYTES;
}
export function panelsOf(args: i32, scratch: i32): i32 {
  return slopesOf(args, scratch) + SCORE_BYTES;
}

// The numbers of queries and keys: the statistics of each query, its delta, and a row of the mask and of dropout.
export function statisticsOf(args: i32, scratch: i32): i32 {
  return panelsOf(args, scratch) + SCORE_BYTES;
}
export function deltaOf(args: i32, scratch: i32): i32 {
  return statisticsOf(args, scratch) + 2 * BLOCK_BYTES;
}
export function maskOf(args: i32, scratch: i32): i32 {
  return deltaOf(args, scratch) + BLOCK_BYTES;
}
export function dropoutOf(args: i32, scratch: i32): i32 {
  return maskOf(args, scratch) + BLOCK_BYTES;
}
