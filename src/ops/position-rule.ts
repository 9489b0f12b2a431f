/*
 * How ops compute a single position of a sequence. The file `position.ts` of an op's folder exports the rules of its ops as
 * `positionRules`, by the name of the kernel, as its other files export kernels.
 */
import { Tensor, type Shape } from "../graph/tensor.ts";

/** A node at one position. */
export interface Row {
  /** As the node, with size 1 along the axis of positions. */
  readonly value: Tensor;
  /** The axis of positions. */
  readonly axis: number;
}

/** A sequence of which one position is computed. */
export interface Sequence {
  /** The number of positions. */
  readonly count: number;
  /** The index of the position, a uint32 scalar. */
  readonly position: Tensor;
  /** The same as indices, [1]. */
  readonly index: Tensor;
  /** A node at the position; undefined if it does not depend on the tokens. */
  rowOf(tensor: Tensor): Row | undefined;
  /** A tensor with all positions so far, from the cache; the tensor itself if it does not depend on the tokens. */
  whole(tensor: Tensor): Tensor;
  /** The part at the position along an axis, of a tensor that does not depend on the tokens. */
  part(tensor: Tensor, axis: number): Tensor;
}

/** How an op computes one position. */
export interface PositionRule {
  /**
   * A node that depends on the tokens, at the position.
   * @returns undefined if it mixes positions in a way that has no rule
   */
  row?(node: Tensor, sequence: Sequence): Row | undefined;
  /**
   * The part of a node that does not depend on the tokens, at the position along an axis of size above 1. Without it, the
   * part is read from the whole node.
   */
  part?(node: Tensor, axis: number, sequence: Sequence): Tensor;
}

/** The rules of ops by the names of their kernels. */
export type PositionRules = Readonly<Record<string, PositionRule>>;

/** A shape with another size of an axis. */
export const withSize = (shape: Shape, axis: number, size: number): Shape =>
  shape.map((own, place) => (place === axis ? size : own));

/** Applies the op of a node with one input to a row, for ops that treat all positions of an axis alike. */
export function sameOp({ op, shape, dtype, attributes }: Tensor, { value, axis }: Row, changed = attributes): Row {
  return { value: new Tensor(op, [value], changed, { shape: withSize(shape, axis, 1), dtype }), axis };
}

/** For ops that compute each row of the last axis by itself. */
export const ofRows: PositionRule = {
  row(node, { rowOf }) {
    const row = rowOf(node.inputs[0]!);
    return row && row.axis !== node.shape.length - 1 ? sameOp(node, row) : undefined;
  },
};
