/*
 * The interface between an op's folder and the WebAssembly backend: wasm.ts exports `kernels: Record<kernel name,
 * WasmKernel>`. An op without a WebAssembly kernel runs its loop of cpu.ts over the same memory.
 *
 * Every function that threads run has the type `(args, start, end, scratch)`: the byte address of its argument block,
 * the range [start, end) of units of work, and the byte address of memory that no other thread uses.
 */
import type { Tensor } from "../graph/tensor.ts";
import type { Index } from "./wasm/indices.ts";
import type { Vector } from "./wasm/vectors.ts";

/** The source of an anchor's input. */
export interface WasmOperand {
  /** The byte address of its first element, or 0 if a function computes it. */
  readonly address: number;
  /** The table index of a function that writes elements [start, end) to `scratch`, or 0 if the input is stored. */
  readonly fill: number;
  /**
   * Like `fill`, for a kernel that reads blocks: the table index of a function that writes rows [start, end) of the
   * input, restricted to a range of columns. The function reads the start and end of the columns from the first two
   * words at `scratch`, and overwrites them. 0 if there is none.
   */
  readonly fillRows: number;
  /** The byte address of the argument block of both functions. */
  readonly fillArguments: number;
}

/** The destination of an anchor's results. */
export interface WasmResult {
  /** The byte address of the first element of the anchor's own result. */
  readonly address: number;
  /** The table index of a function that computes the epilogue on results [start, end), or 0 if there is none. */
  readonly finish: number;
  /** The byte address of that function's argument block. */
  readonly finishArguments: number;
}

/** A word of an argument block: a 32-bit integer, or the bits of a float32 number. */
export type WasmArgument = number | { readonly float: number };

/**
 * One call of an ahead-of-time compiled kernel. The units [0, units) are divided among threads in multiples of `grain`.
 */
export interface WasmCall {
  /** Its exported name in assembly/. */
  readonly kernel: string;
  readonly arguments: readonly WasmArgument[];
  readonly units: number;
  readonly grain: number;
  /** The bytes of scratch memory per thread. */
  readonly scratchBytes: number;
  /** Floating-point operations for all units. */
  readonly flops: number;
  /** Whether it runs at the rate of matrix products, which keep their sums in registers. */
  readonly isProduct?: boolean;
}

/** An op with its own kernel. */
export interface WasmAnchorKernel {
  readonly kind: "anchor";
  /** @returns undefined if this node must run its reference loop instead */
  call(node: Tensor, operands: readonly WasmOperand[], result: WasmResult): WasmCall | undefined;
}

/** One input of a pointwise op. float32 and uint8 tensors are read as vectors, uint32 ones as integers. */
export interface WasmInput {
  /** The values that broadcast to the current elements. */
  here(): Vector;
  /** The values at flat indices of the input. */
  at(index: Index): Vector;
  /** Like `here`, for a uint32 tensor. */
  integerHere(): Index;
  /** Like `at`, for a uint32 tensor. */
  integerAt(index: Index): Index;
}

/** An op that is one expression per element, computed four elements at a time. */
export interface WasmPointwiseKernel {
  readonly kind: "pointwise";
  /** Floating-point operations per element, for the plan's table. */
  flops(node: Tensor): number;
  /**
   * The values of a float32 node, or of a uint32 node without `integer`.
   * @param place the flat index of the node's element
   */
  vector?(node: Tensor, inputs: readonly WasmInput[], place: Index): Vector;
  /** The values of a uint32 node as integers, for which the backend knows how they change along a row. */
  integer?(node: Tensor, inputs: readonly WasmInput[], place: Index): Index;
  /**
   * Called instead of generating a function if the node is computed by itself, from stored inputs. The kernel does not
   * call `finish`.
   * @returns undefined if a generated function is as fast
   */
  call?(node: Tensor, operands: readonly WasmOperand[], result: WasmResult): WasmCall | undefined;
  /**
   * Called instead of generating a function if an anchor reads the node and the inputs are stored.
   * @param addresses the byte addresses of the inputs
   */
  fill?(node: Tensor, addresses: readonly number[]): WasmFill;
}

/** The names of kernels in assembly/ that write elements of a pointwise op for an anchor, and their argument block. */
export interface WasmFill {
  /** Writes elements [start, end); see `WasmOperand`. */
  readonly elements: string;
  readonly rows: string;
  readonly arguments: readonly WasmArgument[];
}

export type WasmKernel = WasmAnchorKernel | WasmPointwiseKernel;
