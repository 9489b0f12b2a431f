import type { Region, VirtualBuffer } from "../../compiler/regions.ts";
import type { StoredLeaves } from "../../compiler/stored-leaves.ts";
import type { Tensor } from "../../graph/tensor.ts";
import type { WasmArgument } from "../../ops/wasm-kernel.ts";
import { bytesOf } from "./bytes.ts";
import type { Block, WasmMemory } from "./memory.ts";

/** Values start on cache lines. */
const LINE = 64;
const lined = (bytes: number) => LINE * Math.ceil(bytes / LINE);

/** Argument blocks start at multiples of this. */
const BLOCK_BYTES = 16;

/** What an executable keeps in memory, and what it shares. */
export interface OwnMemoryParts {
  readonly memory: WasmMemory;
  readonly leaves: StoredLeaves<Block>;
  readonly regions: ReadonlyMap<Tensor, Region>;
  /** Tensors that lie by themselves: per-step scalars, constants of one element, and what only one phase uses. */
  readonly alone: readonly Tensor[];
}

/**
 * The memory of one executable, reserved as a whole: values that pass from phase to phase, outputs, constants, per-step
 * scalars, and argument blocks.
 */
export class OwnMemory {
  readonly #parts: OwnMemoryParts;
  /** Offsets from the start of the block. */
  readonly #buffers = new Map<VirtualBuffer, number>();
  readonly #alone = new Map<Tensor, number>();
  readonly #block: Block;
  readonly #argumentsStart: number;
  #nextArgument: number;

  /** @param argumentBytes the bytes of all argument blocks, see `countArguments` */
  constructor(parts: OwnMemoryParts, argumentBytes: number) {
    this.#parts = parts;
    let end = 0;
    for (const { buffer } of parts.regions.values()) {
      if (this.#buffers.has(buffer) || parts.leaves.placeOf(buffer)) continue;
      this.#buffers.set(buffer, end);
      end += lined(4 * buffer.elements);
    }
    for (const tensor of parts.alone) {
      this.#alone.set(tensor, end);
      end += tensor.size === 1 ? 4 : lined(bytesOf(tensor));
    }
    this.#argumentsStart = lined(end);
    this.#nextArgument = this.#argumentsStart;
    this.#block = parts.memory.allocate(this.#argumentsStart + argumentBytes, "values of a graph");
  }

  /** The byte address of a tensor. */
  addressOf(tensor: Tensor): number {
    const alone = this.#alone.get(tensor);
    if (alone !== undefined) return this.#block.address + alone;
    const { buffer, offset } = this.#parts.regions.get(tensor)!;
    const leaf = this.#parts.leaves.placeOf(buffer);
    if (leaf) return leaf.buffer.address + 4 * (leaf.offset + offset);
    return this.#block.address + this.#buffers.get(buffer)! + 4 * offset;
  }

  /** Writes the next argument block. @returns its byte address */
  argumentBlock(words: readonly WasmArgument[]): number {
    const address = this.#block.address + this.#nextArgument;
    const { memory } = this.#parts;
    words.forEach((word, position) => {
      const at = address / 4 + position;
      if (typeof word === "number") memory.words[at] = word;
      else memory.floats[at] = word.float;
    });
    this.#nextArgument += blockBytes(words);
    return address;
  }

  /** Lets argument blocks be written from the first one again. */
  rewind(): void {
    this.#nextArgument = this.#argumentsStart;
  }

  dispose(): void {
    this.#parts.memory.free(this.#block);
  }
}

/** The bytes that an argument block takes. */
export const blockBytes = (words: readonly WasmArgument[]): number =>
  BLOCK_BYTES * Math.ceil((4 * words.length) / BLOCK_BYTES);
