/*
 * How an op's folder tells each backend to run it: cpu.ts exports `kernels: Record<kernel name, CpuKernel>` and
 * webgpu.ts exports `kernels: Record<kernel name, PointwiseKernel | AnchorKernel>`. The backends find the files by
 * their names, so that adding an op touches its own folder only.
 */
import type { Tensor } from "../graph/tensor.ts";

/** float32 tensors are Float32Array, or Float64Array where the CPU backend judges in float64. */
export type NumericArray = Float32Array | Float64Array | Uint32Array | Uint8Array;

/** Computes every element of `output` from whole inputs, row-major. */
export type CpuKernel = (node: Tensor, inputs: readonly NumericArray[], output: NumericArray) => void;

/** Where a kernel is in the value it computes: WGSL expressions of type u32. */
export interface Place {
  /** The flat element. */
  readonly index: string;
  /** The flat element divided by the size of the last axis. */
  readonly row: string;
  /** The position along the last axis. */
  readonly column: string;
}

/** One input of a pointwise op, as WGSL. */
export interface InputValue {
  /** The value that broadcasting puts at the current place. */
  here(): string;
  /** The value at a flat element of the input. */
  at(index: string): string;
}

/** An op whose every element is one expression: fused into chains, epilogues and prologues. */
export interface PointwiseKernel {
  readonly kind: "pointwise";
  /** WGSL text of the functions that the expression calls. */
  readonly library: string;
  /** Reads its inputs at other elements than its own, so that they must lie in memory. */
  readonly gathers?: boolean;
  /** Floating-point operations per element, for the plan's table. */
  flops(node: Tensor): number;
  /** The WGSL expression of one element. */
  expression(node: Tensor, inputs: readonly InputValue[], place: Place): string;
}

/** Elements [start, end) of a tensor that one dispatch touches; bound from the multiple of 64 at or before the start. */
export interface ElementRange {
  readonly start: number;
  readonly end: number;
}

/** One dispatch of an anchor. */
export interface AnchorLaunch {
  /** Become `const NAME: u32` (or f32, where written with a suffix) before the WGSL. */
  readonly constants: Readonly<Record<string, number | string>>;
  /** Workgroups along x, y, z. */
  readonly grid: readonly [number, number, number];
  readonly flops: number;
  /** Parts of inputs (by position) and output that this launch touches; whole tensors if absent. */
  readonly inputRanges?: readonly ElementRange[];
  readonly outputRange?: ElementRange;
  /** Several launches add up into the output: this one starts from what lies there, … */
  readonly accumulates?: boolean;
  /** … and this one is not the last, so it stores the bare sum without the epilogue. */
  readonly partial?: boolean;
}

/** What the device allows to one dispatch. */
export interface LaunchLimits {
  /** Elements of four bytes in one binding. */
  readonly bindingElements: number;
  /** Workgroups along one dimension. */
  readonly gridSize: number;
  readonly workgroupThreads: number;
  readonly workgroupBytes: number;
}

/**
 * An op with a kernel of its own. Its WGSL reads each input through `read_NAME(index)` and hands each result to
 * `finish(index, row, column, value)`, both generated, so that any chain may be fused before and after it.
 */
export interface AnchorKernel {
  readonly kind: "anchor";
  readonly source: string;
  /** The NAME of each input, in order. */
  readonly inputs: readonly string[];
  /** Positions of inputs that a chain may be fused into: each element is read about once. */
  readonly prologues?: readonly number[];
  launches(node: Tensor, limits: LaunchLimits): AnchorLaunch[];
}

export type WebGPUKernel = PointwiseKernel | AnchorKernel;
