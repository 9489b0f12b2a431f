/*
 * What a compiler needs to know of an op, whatever runs it. Each op that computes states its traits in its record.
 */
import type { Tensor } from "./tensor.ts";

/** Every element is one expression, so that the op can be fused into chains and into the kernels around it. */
export interface PointwiseTraits {
  readonly kind: "pointwise";
  /** Reads its inputs at other elements than its own, so that they must lie in memory. */
  readonly gathers?: boolean;
  /** Cheap enough to compute again in every kernel that reads it, instead of storing it, if it reads only leaves. */
  readonly cheap?: boolean;
  /** Of inputs [condition, kept, replacement] of one element each, it is `kept` where the condition is 0, else `replacement`. */
  readonly replaces?: boolean;
}

/** A reduction of its input, seen as [outer, count, inner], over the middle axis. */
export interface ReductionShape {
  readonly operation: "sum" | "mean" | "max" | "argmax";
  readonly outer: number;
  readonly count: number;
  readonly inner: number;
}

/** The op has a kernel of its own. */
export interface AnchorTraits {
  readonly kind: "anchor";
  /** The positions of inputs that a chain may be fused into, because each element is read about once. */
  readonly prologues?: readonly number[];
  /** The reduction that a node computes. */
  reduction?(node: Tensor): ReductionShape;
  /**
   * Whether one kernel can compute another anchor along with `members` (the first is a node of this op), because it
   * reads the same operand in the same order.
   */
  canFuse?(members: readonly Tensor[], other: Tensor): boolean;
}

/**
 * Its one element, a uint32, is the largest of what the elements of its inputs give, each by itself; constants and per-step
 * scalars give 0. The kernels that make the inputs can combine it along the way, by an atomic maximum. Where they cannot, it
 * has a kernel of its own that reads its inputs from memory.
 */
export interface AtomicTraits {
  readonly kind: "atomic";
  /** The number of the first element of each input: the elements count on from one input to the next. */
  offsets(node: Tensor): readonly number[];
}

/** Concatenates its inputs into one vector. It needs no kernel where they are computed in their places. */
export interface PackTraits {
  readonly kind: "pack";
  /** The first element of each input's slice. */
  offsets(node: Tensor): readonly number[];
}

/** What a compiler knows of an op that computes. */
export type OpTraits = PointwiseTraits | AnchorTraits | AtomicTraits | PackTraits;

/** The reduction that a node computes, if it is one. */
export function reductionOf(node: Tensor): ReductionShape | undefined {
  const { traits } = node.op;
  return traits?.kind === "anchor" ? traits.reduction?.(node) : undefined;
}

export const isPack = ({ op }: Tensor): boolean => op.traits?.kind === "pack";

/** The first element of each slice of a pack; empty for any other node. */
export function packOffsets(node: Tensor): readonly number[] {
  const { traits } = node.op;
  return traits?.kind === "pack" ? traits.offsets(node) : [];
}
