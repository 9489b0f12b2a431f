import type { Tensor } from "../../graph/tensor.ts";
import type { WasmArgument } from "../../ops/wasm-kernel.ts";
import type { DispatchDescription } from "../backend.ts";
import type { ChainFunction } from "./functions/index.ts";
import type { Phase } from "./threads/pool.ts";

/** Memory for a tensor that only one step uses. */
export interface Temporary {
  readonly tensor: Tensor;
}

/** The elements of a tensor in memory. The view is invalid once the memory has grown. */
export type Values = Float32Array | Uint32Array | Uint8Array;

/** Addresses, and the creation of argument blocks. */
export interface Places {
  /** The byte address of a tensor in memory, or of a temporary. */
  addressOf(stored: Tensor | Temporary): number;
  valuesOf(stored: Tensor | Temporary): Values;
  /** Writes an argument block. @returns its byte address */
  argumentBlock(words: readonly WasmArgument[]): number;
  /** The table index of a generated function. */
  indexOf(generated: ChainFunction): number;
  /** The table index of a kernel that was compiled ahead of time. */
  kernelIndex(name: string): number;
  functionAt(index: number): Phase["run"];
}

/** A phase that threads may share, or work of the calling thread alone. */
export type Part = Phase | (() => void);

/** The work of one group. */
export interface Step {
  readonly description: DispatchDescription;
  /** The generated functions that it calls. */
  readonly functions: readonly ChainFunction[];
  /** Scratch memory per thread in bytes. */
  readonly scratchBytes: number;
  readonly temporaries: readonly Temporary[];
  /** Resolves all addresses. @returns what to run, in order */
  bind(places: Places): Part[];
}
