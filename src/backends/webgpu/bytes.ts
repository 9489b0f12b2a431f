/*
 * WGSL has no byte type: a uint8 tensor is stored in words of four bytes, and each of its rows (one entry of the first
 * axis) starts at a whole word.
 */
import type { Tensor } from "../../graph/tensor.ts";
import { integerLiteral } from "../../ops/webgpu/wgsl.ts";

/** The rows of a uint8 tensor in memory. A tensor with one axis is one row. */
interface ByteRows {
  readonly count: number;
  /** The bytes of a row. */
  readonly width: number;
  /** The bytes from the start of a row to that of the next one: whole words. */
  readonly stride: number;
}

export function byteRowsOf({ shape, size }: Tensor): ByteRows {
  const count = shape.length < 2 ? 1 : shape[0]!;
  const width = size / count;
  return { count, width, stride: 4 * Math.ceil(width / 4) };
}

/** The number of 4-byte words of a tensor in memory. */
export function wordsOf(tensor: Tensor): number {
  if (tensor.dtype !== "uint8") return tensor.size;
  const { count, stride } = byteRowsOf(tensor);
  return (count * stride) / 4;
}

/** The WGSL of the position of an element of a uint8 tensor among the bytes of its words. */
export function bytePlace(tensor: Tensor, index: string): string {
  const { width, stride } = byteRowsOf(tensor);
  const [w, s] = [integerLiteral(width), integerLiteral(stride)];
  return width === stride ? index : `(${index} / ${w} * ${s} + ${index} % ${w})`;
}
