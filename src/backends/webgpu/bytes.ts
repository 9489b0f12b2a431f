import { integerLiteral } from "../../ops/webgpu/wgsl.ts";
import { sizeOf, type Tensor } from "../../graph/tensor.ts";

/*
 * WGSL has no byte type: a uint8 tensor is stored in words of four bytes, and each of its rows (one entry of the first
 * axis) starts at a whole word.
 */

export const byteRows = (tensor: Tensor): number => (tensor.shape.length < 2 ? 1 : tensor.shape[0]!);

/** Number of words per row. */
export const byteRowWords = (tensor: Tensor): number =>
  Math.ceil((tensor.shape.length < 2 ? tensor.size : sizeOf(tensor.shape.slice(1))) / 4);

/** Number of 4-byte words of a tensor in memory. */
export const wordsOf = (tensor: Tensor): number =>
  tensor.dtype === "uint8" ? byteRows(tensor) * byteRowWords(tensor) : tensor.size;

/** The WGSL of the position of an element of a uint8 tensor among the bytes of its words. */
export function bytePlace(tensor: Tensor, index: string): string {
  const width = tensor.size / byteRows(tensor);
  const stride = byteRowWords(tensor) * 4;
  const [w, s] = [integerLiteral(width), integerLiteral(stride)];
  return width === stride ? index : `(${index} / ${w} * ${s} + ${index} % ${w})`;
}
