/*
 * The leading axes of a batched product. A batch is one matrix product. With broadcasting, several batches use the same
 * matrix of an operand.
 */
import { GraphError } from "../../errors.ts";
import { sizeOf, type Shape, type Tensor } from "../../graph/tensor.ts";
import { broadcastShapes } from "../elementwise/function.ts";

/** The leading axes of a batched product, which has one matrix product for each of their positions. */
export interface BatchAttributes {
  /** The sizes of the result's leading axes. */
  readonly sizes: readonly number[];
  /** For each axis, the stride of the left operand in matrices; 0 if the axis is broadcast. */
  readonly left: readonly number[];
  readonly right: readonly number[];
}

/** The number of matrix products of a node; 1 without leading axes. */
export const batchCount = (batch: BatchAttributes | undefined): number => (batch ? sizeOf(batch.sizes) : 1);

/** @throws GraphError if the leading axes do not broadcast */
export function batchesOf(left: Tensor, right: Tensor): BatchAttributes {
  const sizes = broadcastShapes("matmul", [{ shape: leadingOf(left) }, { shape: leadingOf(right) }]);
  return { sizes, left: matrixStrides(leadingOf(left), sizes), right: matrixStrides(leadingOf(right), sizes) };
}

const leadingOf = ({ shape }: Tensor): Shape => shape.slice(0, -2);

function matrixStrides(shape: Shape, sizes: Shape): number[] {
  const missing = sizes.length - shape.length;
  return sizes.map((_, axis) => {
    const own = shape[axis - missing] ?? 1;
    return own === 1 ? 0 : sizeOf(shape.slice(axis - missing + 1));
  });
}

/** The index of the matrix of an operand that a batch uses. */
export function matrixOf(batch: number, sizes: readonly number[], strides: readonly number[]): number {
  let rest = batch;
  let matrix = 0;
  for (let axis = sizes.length - 1; axis >= 0; axis--) {
    matrix += (rest % sizes[axis]!) * strides[axis]!;
    rest = Math.floor(rest / sizes[axis]!);
  }
  return matrix;
}

/** "each" if batch b uses matrix b, "one" if all use matrix 0. */
export function isPlain(sizes: readonly number[], strides: readonly number[]): "each" | "one" | undefined {
  if (strides.every((stride) => stride === 0)) return "one";
  let expected = 1;
  for (let axis = sizes.length - 1; axis >= 0; axis--) {
    if (sizes[axis] !== 1 && strides[axis] !== expected) return undefined;
    expected *= sizes[axis]!;
  }
  return "each";
}

/** @throws GraphError for a tensor with fewer than two axes */
export function requireMatrices(tensor: Tensor): void {
  if (tensor.shape.length >= 2) return;
  throw new GraphError({ where: "matmul", what: `${tensor} is not a matrix`, fix: "Reshape it to two axes first" });
}
