import type { Tensor } from "../../graph/tensor.ts";

/** Bytes of a tensor in memory; uint8 tensors are plain bytes. */
export const bytesOf = ({ dtype, size }: Tensor): number => (dtype === "uint8" ? size : 4 * size);

/** Words of four bytes that hold a tensor. */
export const wordsOf = (tensor: Tensor): number => Math.ceil(bytesOf(tensor) / 4);
