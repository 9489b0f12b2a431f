import type { Region, VirtualBuffer } from "../../compiler/regions.ts";
import type { StoredLeaves } from "../../compiler/stored-leaves.ts";
import type { Tensor } from "../../graph/tensor.ts";
import type { WasmArgument } from "../../ops/wasm-kernel.ts";
import { bytesOf } from "./bytes.ts";
import { wholeLines, type Block, type WasmMemory } from "./memory.ts";
import type { Temporary } from "./step.ts";

/** Argument blocks start at multiples of this. */
const BLOCK_BYTES = 16;

/** The values of an executable in memory: its own, and those that it shares. */
export interface OwnMemoryParts {
  readonly memory: WasmMemory;
  readonly leaves: StoredLeaves<Block>;
  readonly regions: ReadonlyMap<Tensor, Region>;
  /** Per-step scalars and constants of one element. */
  readonly words: readonly Tensor[];
  readonly temporaries: readonly Temporary[];
}

/**
 * The memory of one executable, allocated as one block: intermediate values, outputs, constants, per-step
 * scalars, and argument blocks.
 */
export class OwnMemory {
  readonly #parts: OwnMemoryParts;
  /** Offsets from the start of the block. */
  readonly #buffers = new Map<VirtualBuffer, number>();
  readonly #others = new Map<Tensor | Temporary, number>();
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
      end += wholeLines(4 * buffer.elements);
    }
    for (const scalar of parts.words) {
      this.#others.set(scalar, end);
      end += 4;
    }
    for (const temporary of parts.temporaries) {
      end = wholeLines(end);
      this.#others.set(temporary, end);
      end += bytesOf(temporary.tensor);
    }
    this.#argumentsStart = wholeLines(end);
    this.#nextArgument = this.#argumentsStart;
    this.#block = parts.memory.allocate(this.#argumentsStart + argumentBytes, "values of a graph");
  }

  /** The byte address of a tensor or a temporary. */
  addressOf(stored: Tensor | Temporary): number {
    const other = this.#others.get(stored);
    if (other !== undefined) return this.#block.address + other;
    const { buffer, offset } = this.#parts.regions.get(stored as Tensor)!;
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

  /** Restarts at the first argument block. */
  rewind(): void {
    this.#nextArgument = this.#argumentsStart;
  }

  dispose(): void {
    this.#parts.memory.free(this.#block);
  }
}

/** The size of an argument block in bytes. */
export const blockBytes = (words: readonly WasmArgument[]): number =>
  BLOCK_BYTES * Math.ceil((4 * words.length) / BLOCK_BYTES);
