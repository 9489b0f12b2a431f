/*
 * Kernels that several launches compute, because the whole does not fit in a binding or in a grid.
 */

/** The positions [start, end) along an axis that one launch computes. */
export interface Part {
  readonly start: number;
  readonly end: number;
}

/** Divides the positions from 0 to `size` into parts of at most `most`. */
export const partsOf = (size: number, most: number): Part[] =>
  Array.from({ length: Math.ceil(size / most) }, (_, part) => ({
    start: part * most,
    end: Math.min(size, (part + 1) * most),
  }));
