import type { Tensor } from "../graph/tensor.ts";

/** The rules of a backend for its kernels and memory. */
export interface BackendRules {
  /** The maximum number of buffers that one kernel can bind. */
  readonly mostBindings: number;
  /** Whether a kernel can bind a buffer only for reading or only for writing, even if the ranges are disjoint. */
  readonly oneAccessPerBuffer: boolean;
  /** Whether values that read no memory, and cheap ones, are recomputed in every kernel that reads them. */
  readonly recomputes: boolean;
  /**
   * Whether the inputs of ops with a virtual result are stored, although other readers would recompute them: such an op reads
   * each element several times. False if absent.
   */
  readonly storesVirtualInputs?: boolean;
  /** Whether the kernel of `anchors` can also compute another anchor, if the traits of its first one allow it. */
  canFuse(anchors: readonly Tensor[]): boolean;
  /** Whether every kernel can combine atomic results of the elements that it computes; see `AtomicTraits`. */
  readonly atomics: boolean;
  /** Whether the kernel of `anchors` can also compute sums and means of all of its results. */
  makesTotals(anchors: readonly Tensor[]): boolean;
}
