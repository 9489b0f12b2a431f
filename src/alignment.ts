/**
 * What is bound by itself within a larger buffer (a slice of a pack, a part of a tensor, the scalars of a step) starts at a
 * multiple of this many elements of four bytes: 256 bytes, the alignment that every WebGPU device accepts.
 */
export const ALIGNMENT = 64;

/** The least multiple of `ALIGNMENT` that holds so many elements. */
export const aligned = (elements: number): number => Math.ceil(elements / ALIGNMENT) * ALIGNMENT;

/** The last multiple of `ALIGNMENT` up to an element. */
export const alignedBefore = (element: number): number => Math.floor(element / ALIGNMENT) * ALIGNMENT;
