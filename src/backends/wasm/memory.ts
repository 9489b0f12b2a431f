import { DeviceError } from "../../errors.ts";
import type { Tensor } from "../../graph/tensor.ts";

const PAGE = 2 ** 16;

/** Regions start on cache lines, so that two threads that write to different tensors never share a line. */
const LINE = 64;

/** The number of bytes, rounded up to whole cache lines. */
export const wholeLines = (bytes: number): number => LINE * Math.ceil(bytes / LINE);

/** Kernels may read up to this many bytes past the end of a region. */
const PADDING = 64;

/** The memory grows by at least this much, since all views are recreated then. */
const LEAST_GROWTH = 2 ** 20;

/** The maximum sizes to try, in pages, largest first. A system with few addresses reserves less for a shared memory. */
const MOST_PAGES = [2 ** 16 - 1, 2 ** 15, 2 ** 14];

/** A block of memory. */
export interface Block {
  /** In bytes. */
  readonly address: number;
  readonly bytes: number;
}

/**
 * The memory of a backend. Blocks are allocated when a graph is compiled and freed when its session is disposed of.
 * Views are recreated whenever the memory grows, since old ones are too short or detached.
 */
export class WasmMemory {
  readonly memory: WebAssembly.Memory;
  readonly isShared: boolean;
  /** The maximum number of pages of 64 KiB. */
  readonly maximum: number;
  /** Free blocks below the end, by address; no two are adjacent. */
  readonly #free: Block[];
  #end: number;
  /** The largest end so far. Memory beyond it is still zero. */
  #used: number;
  #reserved = 0;
  #bytes!: Uint8Array;
  #words!: Uint32Array;
  #floats!: Float32Array;

  /**
   * @param isShared whether several threads use it
   * @param first the first byte that can be allocated
   * @throws DeviceError if the system cannot reserve memory
   */
  constructor(isShared: boolean, first: number) {
    const initial = Math.ceil((first + PADDING) / PAGE);
    const { memory, maximum } = reserve(initial, isShared);
    this.memory = memory;
    this.maximum = maximum;
    this.isShared = isShared;
    this.#free = [];
    this.#end = first;
    this.#used = first;
    this.#makeViews();
  }

  /** Allocated bytes. */
  get reserved(): number {
    return this.#reserved;
  }

  get bytes(): Uint8Array {
    return this.#bytes;
  }

  /** The whole memory as uint32. */
  get words(): Uint32Array {
    return this.#words;
  }

  /** The whole memory as float32. After the memory has grown, this is another object. */
  get floats(): Float32Array {
    return this.#floats;
  }

  /** The elements of a tensor at a byte address. The view is invalid once the memory has grown. */
  valuesOf(address: number, tensor: Tensor): Float32Array | Uint32Array | Uint8Array {
    if (tensor.dtype === "uint8") return this.#bytes.subarray(address, address + tensor.size);
    const view = tensor.dtype === "float32" ? this.#floats : this.#words;
    return view.subarray(address / 4, address / 4 + tensor.size);
  }

  /**
   * Allocates a block of zeros.
   * @param label its purpose, for messages
   * @throws DeviceError if the memory is at its limit
   */
  allocate(bytes: number, label: string): Block {
    const size = wholeLines(Math.max(1, bytes));
    const block = this.#takeFree(size) ?? this.#takeNew(size, label);
    this.#reserved += size;
    return block;
  }

  free({ address, bytes }: Block): void {
    this.#reserved -= bytes;
    const after = this.#free.findIndex((block) => block.address > address);
    const position = after < 0 ? this.#free.length : after;
    const [before, next] = [this.#free[position - 1], this.#free[position]];
    const joinsBefore = before !== undefined && before.address + before.bytes === address;
    const joinsNext = next !== undefined && address + bytes === next.address;
    const start = joinsBefore ? before.address : address;
    const end = joinsNext ? next.address + next.bytes : address + bytes;
    const joined = { address: start, bytes: end - start };
    this.#free.splice(joinsBefore ? position - 1 : position, Number(joinsBefore) + Number(joinsNext), joined);
    if (end !== this.#end) return;
    this.#free.pop();
    this.#end = start;
  }

  /** The smallest free block that is large enough. */
  #takeFree(size: number): Block | undefined {
    let best = -1;
    this.#free.forEach(({ bytes }, position) => {
      if (bytes >= size && (best < 0 || bytes < this.#free[best]!.bytes)) best = position;
    });
    if (best < 0) return undefined;
    const { address, bytes } = this.#free[best]!;
    if (bytes === size) this.#free.splice(best, 1);
    else this.#free[best] = { address: address + size, bytes: bytes - size };
    this.#bytes.fill(0, address, address + size);
    return { address, bytes: size };
  }

  #takeNew(size: number, label: string): Block {
    const address = this.#end;
    const missing = address + size + PADDING - this.#bytes.length;
    if (missing > 0) this.#grow(missing, size, label);
    // The memory beyond the end may have been used before.
    this.#bytes.fill(0, address, Math.min(address + size, this.#used));
    this.#used = Math.max(this.#used, address + size);
    this.#end = address + size;
    return { address, bytes: size };
  }

  #grow(missing: number, size: number, label: string): void {
    const available = this.maximum * PAGE - this.#bytes.length;
    const growth = Math.min(Math.max(missing, LEAST_GROWTH), available);
    try {
      if (missing > available) throw new RangeError("the limit is reached");
      this.memory.grow(Math.ceil(growth / PAGE));
    } catch (cause) {
      const limit = megabytes(this.maximum * PAGE);
      throw new DeviceError(
        {
          where: label,
          what: `not enough memory for another ${megabytes(size)}; ${megabytes(this.#reserved)} were allocated before, and the limit of WebAssembly is ${limit}`,
          fix: "Use a smaller batch, network or data set, or dispose of trainers and sessions that are no longer used",
        },
        { cause },
      );
    }
    this.#makeViews();
  }

  #makeViews(): void {
    const { buffer } = this.memory;
    this.#bytes = new Uint8Array(buffer);
    this.#words = new Uint32Array(buffer);
    this.#floats = new Float32Array(buffer);
  }
}

function reserve(initial: number, shared: boolean): { memory: WebAssembly.Memory; maximum: number } {
  let refusal: unknown;
  for (const maximum of MOST_PAGES) {
    try {
      return { memory: new WebAssembly.Memory({ initial, maximum, shared }), maximum };
    } catch (error) {
      refusal = error;
    }
  }
  const what = `the system could not reserve memory for WebAssembly: ${String(refusal)}`;
  throw new DeviceError({ where: "WebAssembly", what, fix: "Close other programs or pages, or use another device" });
}

const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(bytes < 2 ** 24 ? 1 : 0)} MiB`;
