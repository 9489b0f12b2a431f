import { sizeOf, type Tensor } from "../../graph/tensor.ts";

/*
 * WGSL has no bytes: a uint8 tensor lies in words of four, and each of its rows (the elements of one entry of the
 * first axis) starts at a whole word.
 */

export const byteRows = (tensor: Tensor): number => (tensor.shape.length < 2 ? 1 : tensor.shape[0]!);

/** Words that one row takes. */
export const byteRowWords = (tensor: Tensor): number =>
  Math.ceil((tensor.shape.length < 2 ? tensor.size : sizeOf(tensor.shape.slice(1))) / 4);

/** Words of four bytes that a tensor takes in memory. */
export const wordsOf = (tensor: Tensor): number =>
  tensor.dtype === "uint8" ? byteRows(tensor) * byteRowWords(tensor) : tensor.size;
