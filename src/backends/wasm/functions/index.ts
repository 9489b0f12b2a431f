/*
 * Functions of WebAssembly that are generated from the compiler's groups. All have the type
 * `(args, start, end, scratch) -> ()`: `args` is the byte address of the argument block, and [start, end) are elements.
 */
import type { Member } from "../../../compiler/fuse.ts";
import type { Tensor } from "../../../graph/tensor.ts";

/** Computes one element from others, in float64. A generated function calls it on the calling thread. */
export type HostFunction = (...values: number[]) => number;

/** The code of a generated function, without addresses: equal chains share it. */
export interface ChainFunction {
  /** Functions of one key are the same. */
  readonly key: string;
  /** The argument block: word i holds the byte address of the first element of `tensors[i]`. */
  readonly tensors: readonly Tensor[];
  /** JavaScript functions that it calls. Where there are any, only the calling thread may run it. */
  readonly hostFunctions: readonly HostFunction[];
  /** Floating-point operations for each element. */
  readonly flops: number;
  /** Instructions; a host function stands for the call of it. */
  readonly code: readonly (number | HostFunction)[];
}

/** How the memory that a module imports was made. */
export interface MemoryType {
  /** Pages of 64 KiB. */
  readonly initial: number;
  readonly maximum: number;
  readonly shared: boolean;
}

/** A module of generated functions. */
export interface EncodedModule {
  /**
   * Imports `env.memory`, `env.table`, `kernels.NAME` for each name of MATH_FUNCTIONS (exports of the kernels' module), and
   * `host.0`, `host.1`, …. Instantiation puts function i into entry `tableStart + i` of the table, which must be large
   * enough.
   */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** What to import as `host.0`, `host.1`, … on the calling thread; other threads import any function. */
  readonly hostFunctions: readonly HostFunction[];
}

/** The loop of a pointwise member: reads inputs from memory and stores `outputs` for elements [start, end). */
export declare function loopFunction(
  member: Member,
  outputs: readonly Tensor[],
  inlined: ReadonlySet<Tensor>,
): ChainFunction;

/**
 * Computes a member's chain from the results of its anchor, which lie in memory (its address is an argument), and stores
 * those of `outputs` that are in the chain. The anchor itself is stored by its kernel.
 */
export declare function finishFunction(
  member: Member,
  outputs: readonly Tensor[],
  inlined: ReadonlySet<Tensor>,
): ChainFunction;

/** Writes elements [start, end) of an inlined tensor to `scratch`; element `start` lies at `scratch`. */
export declare function fillFunction(tensor: Tensor, inlined: ReadonlySet<Tensor>): ChainFunction;

/** Puts generated functions into a module. */
export declare function encodeModule(
  functions: readonly ChainFunction[],
  tableStart: number,
  memory: MemoryType,
): EncodedModule;
