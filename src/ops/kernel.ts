/*
 * How an op's folder tells each backend to run it: cpu.ts exports `kernels: Record<kernel name, CpuKernel>` and
 * webgpu.ts exports `kernels: Record<kernel name, WebGPUKernel>`. Backends find the files by name, so that
 * adding an op touches only its own folder.
 */
import type { Tensor } from "../graph/tensor.ts";
import type { ElementRange } from "../graph/traits.ts";

/** float32 tensors are Float32Array, or Float64Array if the CPU backend computes in float64. */
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
  /**
   * The vec4 of the values at a flat element, a multiple of 4, and at the three after it; undefined if they are not adjacent in
   * memory.
   */
  vec4At(index: string): string | undefined;
}

/** How a kernel writes numbers. */
export interface NumberWriter {
  /** A float32 number, such that a driver takes no product with it for a constant. */
  float(value: number): string;
  /**
   * An integer in which otherwise equal kernels differ, such as the first row of a slice: of type u32, and read from memory, so
   * that such kernels are compiled once. Negative numbers keep their bits.
   */
  argument(value: number): string;
}

/** An op whose every element is one expression: fused into chains, epilogues and prologues. */
export interface PointwiseKernel {
  readonly kind: "pointwise";
  /** WGSL text of the functions that the expression calls. */
  readonly library: string;
  /** WGSL text that the expression of this node calls besides. */
  ownLibrary?(node: Tensor): string | undefined;
  /** Floating-point operations per element, for the plan's table. */
  flops(node: Tensor): number;
  /** The WGSL expression of one element. */
  expression(node: Tensor, inputs: readonly InputValue[], place: Place, numbers: NumberWriter): string;
  /**
   * The WGSL expression of the vec4 of an element, a multiple of 4 along the last axis, and the three after it. Undefined if they
   * are not made of four adjacent elements of an input.
   */
  vec4?(node: Tensor, inputs: readonly InputValue[], place: Place, numbers: NumberWriter): string | undefined;
}

/** One dispatch of an anchor and of what it computes along. */
export interface AnchorLaunch {
  /** WGSL with the entry point `main`, which calls `read_NAME(index)` and each member's finish function. */
  readonly source: string;
  /** The NAME under which it reads each operand. */
  readonly reads: Readonly<Record<string, Tensor>>;
  /** `read_NAME` takes (row, column) of the operand, seen as a matrix of its last axis, and no flat index. */
  readonly readsByRow?: boolean;
  /**
   * The NAMEs of operands that it also reads with `read_NAME_vec4(row, column)`: four adjacent columns, from a multiple of 4. Their
   * rows have a multiple of four columns.
   */
  readonly vec4Reads?: readonly string[];
  /** For each member the function that takes its results: `(index, row, column, value)`. */
  readonly finishes: readonly string[];
  /** Become `const NAME: u32` (or f32, where written with a suffix) before the WGSL. */
  readonly constants: Readonly<Record<string, number | string>>;
  /** Workgroups along x, y, z. */
  readonly grid: readonly [number, number, number];
  readonly flops: number;
  /**
   * The parts of operands (by NAME) and of the output that this launch accesses; whole tensors if absent. They are bound from
   * the aligned element at or before the start.
   */
  readonly readRanges?: Readonly<Record<string, ElementRange>>;
  readonly outputRange?: ElementRange;
  /** Several launches add up into the output: this one starts from what lies there, … */
  readonly accumulates?: boolean;
  /** … and this one is not the last, so it stores the bare sum without the epilogue. */
  readonly partial?: boolean;
  /**
   * The results of parts of the work, in memory of their own: `elements` of each finish function, one after the other. A launch
   * that writes them is partial; its finish functions store the bits of a value at its index. A later launch reads the bits with
   * `read_part(index)`.
   */
  readonly parts?: { readonly access: "write" | "read"; readonly elements: number };
  /** The WGSL uses subgroup operations. */
  readonly subgroups?: boolean;
  /** Of pointwise nodes: the WGSL calls `finish_vec4(vec4_index)`, for elements 4 · vec4_index to 4 · vec4_index + 3. */
  readonly vec4?: boolean;
  /** The WGSL uses subgroup matrices. */
  readonly subgroupMatrices?: boolean;
  /** The WGSL uses float16. */
  readonly float16?: boolean;
}

/** What the device allows to one dispatch. Each compilation of a graph has an object of its own. */
export interface LaunchLimits {
  /** Whether the adapter runs on the CPU; other kernels of products are fast there, and the inner axis is not divided. */
  readonly software: boolean;
  /** Whether arrays that a thread indexes by a variable are slow: their elements are in memory, not in registers. */
  readonly slowArrays?: boolean;
  /** Elements of four bytes in one binding. */
  readonly bindingElements: number;
  /** Workgroups along one dimension. */
  readonly gridSize: number;
  readonly workgroupThreads: number;
  readonly workgroupBytes: number;
  /** The name of the tuner's choice for a class of kernels. */
  readonly choiceOf?: ((kernelClass: string) => string | undefined) | undefined;
  /** Threads that are worth launching where each can also walk over several elements. */
  readonly usefulThreads: number;
  /** The most storage buffers that one dispatch can bind, besides the trace. */
  readonly mostBindings: number;
  /** Whether small kernels share a dispatch. */
  readonly mergeKernels: boolean;
  /** Threads of a subgroup, where that is one number and subgroup operations are allowed. */
  readonly subgroupSize?: number | undefined;
  /** The sizes of subgroup matrices of float16 with float32 sums, and the threads of a subgroup, where the device has them. */
  readonly subgroupMatrix?:
    | { readonly rows: number; readonly columns: number; readonly inner: number; readonly threads: number }
    | undefined;
}

/** What a tuner times: work that a kernel can divide in several ways, all of which give the same bits. */
export interface TuningCase {
  /** Names the class of kernels that share a choice. */
  readonly kernelClass: string;
  /** How large the case is, compared with others. */
  readonly work: number;
  /** The names of all ways that a device can run, … */
  choices(limits: LaunchLimits): readonly string[];
  /** … and of those that may well be fastest. */
  promisingChoices(limits: LaunchLimits): readonly string[];
  /** A node with values to compute, which the kernel runs. */
  build(): Tensor;
}

/**
 * An op with a kernel of its own. Its WGSL reads each input through `read_NAME(index)` and hands each result to a
 * finish function, both generated, so that any chain may be fused before and after it. Every thread calls
 * `finish_thread()` at its end, which raises atomic results.
 */
export interface AnchorKernel {
  readonly kind: "anchor";
  /** Loads code that only some nodes or devices need, before `launches` is called with the node and the same limits. */
  load?(node: Tensor, limits: LaunchLimits): Promise<void>;
  /** Whether the limits leave the kernel of `members` whole, so that it can compute another anchor along; always if absent. */
  canFuse?(members: readonly Tensor[], limits: LaunchLimits): boolean;
  /**
   * Whether one workgroup may run the whole kernel of `members`, so that it can also compute sums over all results of a
   * member. It then calls `finish_reductions(thread, zero)` at its end, with a 0 that the driver cannot know.
   */
  fusesReductions?(members: readonly Tensor[]): boolean;
  /**
   * One launch with the grid [1, 1, 1] and the constant GROUP_THREADS of src/ops/webgpu/lanes.ts, which can share a dispatch with other
   * kernels: its workgroup runs the whole kernel, with the bits of `launches`, and reads no vec4s. Undefined where that is not possible.
   */
  inOneGroup?(members: readonly Tensor[], limits: LaunchLimits): AnchorLaunch | undefined;
  /** @param oneGroup whether one workgroup must run the whole kernel, because it also computes sums over all results */
  launches(members: readonly Tensor[], limits: LaunchLimits, oneGroup: boolean): AnchorLaunch[];
}

/** An op whose one result is the largest of what elements give, which the kernels that make these raise. */
export interface AtomicKernel {
  readonly kind: "atomic";
  /** WGSL text of the functions that the expression calls. */
  readonly library: string;
  /**
   * The WGSL expression, of type u32, of what one element gives.
   * @param value the element
   * @param index its number among the elements of all inputs, of type u32
   */
  expression(node: Tensor, value: string, index: string): string;
}

export type WebGPUKernel = PointwiseKernel | AnchorKernel | AtomicKernel;
