import type { Tensor } from "../../graph/tensor.ts";
import type { WasmArgument } from "../../ops/wasm-kernel.ts";
import type { ChainFunction } from "./functions/index.ts";
import type { Phase } from "./threads/pool.ts";

/** Where things lie, and what generates argument blocks. */
export interface Places {
  /** The byte address of a tensor that lies in memory. */
  addressOf(tensor: Tensor): number;
  /** Puts an argument block into memory. @returns its byte address */
  argumentBlock(words: readonly WasmArgument[]): number;
  /** The table index of a generated function. */
  indexOf(generated: ChainFunction): number;
  /** The table index of a kernel that was compiled ahead of time. */
  kernelIndex(name: string): number;
  functionAt(index: number): Phase["run"];
  /** A tensor's elements; the object is of no use any more once the memory has grown. */
  valuesOf(tensor: Tensor): Float32Array | Uint32Array | Uint8Array;
}

/** The argument block of a generated function. */
export const chainArguments = ({ tensors }: ChainFunction, places: Places): number =>
  places.argumentBlock(tensors.map((tensor) => places.addressOf(tensor)));

/** Stand-ins, for what does not depend on where things lie. */
export const unplaced: Places = {
  addressOf: () => 64,
  argumentBlock: () => 64,
  indexOf: () => 1,
  kernelIndex: () => 1,
  functionAt: () => () => {},
  valuesOf: () => new Float32Array(0),
};
