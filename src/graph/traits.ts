/*
 * The properties of ops that a compiler needs, independent of the backend. Each op that is computed declares its traits
 * in its record.
 */
import type { Tensor } from "./tensor.ts";

/** The elements [start, end) of a tensor, row-major. */
export interface ElementRange {
  readonly start: number;
  readonly end: number;
}

/**
 * Every element of the result is one expression, so the op can be fused into elementwise chains and into the kernels
 * around it.
 */
export interface PointwiseTraits {
  readonly kind: "pointwise";
  /** Whether it reads its inputs at other indices than its own, so that they must be stored in memory. */
  readonly gathers?: boolean;
  /**
   * The elements of the first input that some elements of the result read. Without it, each result may read all of them.
   */
  rangeRead?(node: Tensor, range: ElementRange): ElementRange;
  /**
   * Whether it is cheaper to recompute it in every kernel that reads it than to store it, provided that it reads only
   * leaves.
   */
  readonly cheap?: boolean;
  /** The result may have more elements than a tensor in memory: its readers compute it by row and column. */
  readonly virtual?: boolean;
  /** Given inputs [condition, kept, replacement] of one element each, it is `kept` if the condition is 0, else `replacement`. */
  readonly replaces?: boolean;
}

/** A reduction over the middle axis of an input that is viewed as [outer, count, inner]. */
export interface ReductionShape {
  readonly operation: "sum" | "mean" | "max" | "product" | "argmax";
  readonly outer: number;
  readonly count: number;
  readonly inner: number;
}

/** The op has its own kernel. */
export interface AnchorTraits {
  readonly kind: "anchor";
  /** The positions of inputs into which an elementwise chain may be fused, because each element is read about once. */
  readonly prologues?: readonly number[];
  /** The reduction that a node computes. */
  reduction?(node: Tensor): ReductionShape;
  /** The floating-point operations of a node; one for each of its elements if absent. */
  flops?(node: Tensor): number;
  /**
   * Whether one kernel can compute `other` together with `members`, of which the first is a node of this op, because it
   * reads the same operand in the same order.
   */
  canFuse?(members: readonly Tensor[], other: Tensor): boolean;
}

/**
 * The result is one uint32: the largest of the values that the elements of its inputs give, each by itself; constants and
 * per-step scalars give 0. The kernels that compute the inputs can combine it with an atomic maximum. Where they cannot,
 * the op has a kernel of its own, which reads its inputs from memory.
 */
export interface AtomicTraits {
  readonly kind: "atomic";
  /** The number of the first element of each input: the elements count on from one input to the next. */
  offsets(node: Tensor): readonly number[];
}

/** Concatenates its inputs into one vector. No kernel is needed if they are computed directly in their slices. */
export interface PackTraits {
  readonly kind: "pack";
  /** The index of the first element of each input's slice. */
  offsets(node: Tensor): readonly number[];
}

/** The properties of an op that is computed. */
export type OpTraits = PointwiseTraits | AnchorTraits | AtomicTraits | PackTraits;

/** The reduction that a node computes; undefined if it is not a reduction. */
export function reductionOf(node: Tensor): ReductionShape | undefined {
  const { traits } = node.op;
  return traits?.kind === "anchor" ? traits.reduction?.(node) : undefined;
}

export const isPack = ({ op }: Tensor): boolean => op.traits?.kind === "pack";

/** The index of the first element of each slice of a pack; empty for any other node. */
export function packOffsets(node: Tensor): readonly number[] {
  const { traits } = node.op;
  return traits?.kind === "pack" ? traits.offsets(node) : [];
}
