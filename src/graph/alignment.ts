/**
 * What is bound by itself within a larger buffer (a slice of a pack, a part of a tensor) starts at a multiple of this many
 * elements of four bytes: 256 bytes, the alignment of a binding that every WebGPU device accepts.
 */
export const ALIGNMENT = 64;
