import type { Tensor } from "../graph/tensor.ts";

/** What a backend states to the compiler about its kernels and its memory. */
export interface BackendRules {
  /** The most buffers that one kernel may bind. */
  readonly mostBindings: number;
  /** A kernel may bind a buffer to read it or to write it, but not both, even where the ranges are disjoint. */
  readonly oneAccessPerBuffer: boolean;
  /** What reads no memory, and what is cheap, is computed again in every kernel that reads it. */
  readonly recomputes: boolean;
  /**
   * What an op with a virtual result reads is put into memory, though others would compute it again: that op reads each
   * element several times. No if absent.
   */
  readonly storesVirtualInputs?: boolean;
  /** Whether the kernel of `anchors` can compute another anchor along, if the traits of its first allow it. */
  canFuse(anchors: readonly Tensor[]): boolean;
  /** Whether the kernel of `anchors` can also compute sums and means over all of its results. */
  makesTotals(anchors: readonly Tensor[]): boolean;
}
