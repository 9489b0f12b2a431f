/**
 * The alignment, in elements of four bytes, of everything that is bound separately within a larger buffer: a slice of a
 * pack, a part of a tensor, the scalars of a step. It is 256 bytes, which every WebGPU device accepts.
 */
export const ALIGNMENT = 64;

/** The number of elements, rounded up to a multiple of `ALIGNMENT`. */
export const aligned = (elements: number): number => Math.ceil(elements / ALIGNMENT) * ALIGNMENT;

/** The last multiple of `ALIGNMENT` at or before an element. */
export const alignedBefore = (element: number): number => Math.floor(element / ALIGNMENT) * ALIGNMENT;
