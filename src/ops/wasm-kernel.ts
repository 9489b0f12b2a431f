/*
 * How an op's folder tells the WebAssembly backend to run it: wasm.ts exports `kernels: Record<kernel name, WasmKernel>`.
 * An op without one runs its loop of cpu.ts over the same memory.
 *
 * Every function that threads run has the type `(args, start, end, scratch)`: the byte address of its argument block, the
 * units of work [start, end), and the byte address of memory that no other thread uses.
 */
import type { Tensor } from "../graph/tensor.ts";
import type { Index } from "./wasm/indices.ts";
import type { Vector } from "./wasm/vectors.ts";

/** Where the elements of an anchor's input come from. */
export interface WasmOperand {
  /** The byte address of its first element; 0 where a function computes it. */
  readonly address: number;
  /** The table index of a function that writes elements [start, end) to `scratch`; 0 where the input lies in memory. */
  readonly fill: number;
  /**
   * The same for a kernel that reads blocks: the index of a function that writes rows [start, end) of the input's last axis,
   * of the columns from the first word at `scratch` to the second one, in whose place it writes. 0 where there is none.
   */
  readonly fillRows: number;
  /** The byte address of the argument block of both functions. */
  readonly fillArguments: number;
}

/** Where the results of an anchor go. */
export interface WasmResult {
  /** The byte address of the first element of the anchor's own result. */
  readonly address: number;
  /** The table index of a function that computes the rest of the group from results [start, end); 0 if there is none. */
  readonly finish: number;
  /** The byte address of that function's argument block. */
  readonly finishArguments: number;
}

/** A word of an argument block: a 32-bit integer, or the bits of a float32 number. */
export type WasmArgument = number | { readonly float: number };

/** One call of an ahead-of-time kernel. The units [0, units) are divided among threads in multiples of `grain`. */
export interface WasmCall {
  /** The name under which assembly/ exports it. */
  readonly kernel: string;
  readonly arguments: readonly WasmArgument[];
  readonly units: number;
  readonly grain: number;
  /** The bytes of scratch memory that each thread needs. */
  readonly scratchBytes: number;
  /** Floating-point operations of all units. */
  readonly flops: number;
}

/** An op with a kernel of its own. */
export interface WasmAnchorKernel {
  readonly kind: "anchor";
  /** @returns undefined where this node must run its reference loop instead */
  call(node: Tensor, operands: readonly WasmOperand[], result: WasmResult): WasmCall | undefined;
}

/** One input of a pointwise op. float32 and uint8 tensors are read as vectors, uint32 ones as integers. */
export interface WasmInput {
  /** The values that broadcasting puts at the current elements. */
  here(): Vector;
  /** The values at flat elements of the input. */
  at(index: Index): Vector;
  /** As `here`, of a uint32 tensor. */
  integerHere(): Index;
  /** As `at`, of a uint32 tensor. */
  integerAt(index: Index): Index;
}

/** An op whose every element is one expression, computed four elements at a time. */
export interface WasmPointwiseKernel {
  readonly kind: "pointwise";
  /** Floating-point operations per element, for the plan's table. */
  flops(node: Tensor): number;
  /**
   * The values of a float32 node, or of a uint32 node that has no `integer`.
   * @param place the flat elements of the node
   */
  vector?(node: Tensor, inputs: readonly WasmInput[], place: Index): Vector;
  /** The values of a uint32 node, as integers that can be followed along a row. */
  integer?(node: Tensor, inputs: readonly WasmInput[], place: Index): Index;
  /**
   * Where an anchor reads the node, this is called instead of a generated function, if the inputs lie in memory.
   * @param addresses the byte addresses of the inputs
   */
  fill?(node: Tensor, addresses: readonly number[]): WasmFill;
}

/** Kernels of assembly/ that write a pointwise op's elements where an anchor reads them, and their argument block. */
export interface WasmFill {
  /** Writes elements [start, end); see `WasmOperand`. */
  readonly elements: string;
  readonly rows: string;
  readonly arguments: readonly WasmArgument[];
}

export type WasmKernel = WasmAnchorKernel | WasmPointwiseKernel;
