import { DeviceError, DeviceLostError } from "../../errors.ts";
import { encodeModule, type ChainFunction } from "./functions/index.ts";
import { compileKernels, requireRelaxedSimd, requireSimd } from "./kernel-module.ts";
import { WasmMemory, type Block } from "./memory.ts";
import { WorkQueue } from "./queue.ts";
import type { WasmSource } from "./source.ts";
import { ThreadPool, type ThreadFunction } from "./threads/pool.ts";

/** The first byte that can be allocated. The constants of the kernels and the control words are before it. */
const FIRST_BYTE = 2 ** 16;

/** The memory, the table of functions and the threads that the sessions of a backend share. */
export class WasmDevice {
  readonly memory: WasmMemory;
  readonly pool: ThreadPool;
  /** All work on the memory, in the order of the calls. */
  readonly queue = new WorkQueue();
  /** Resolves with the reason when a thread dies or a function fails. */
  readonly lost: Promise<string>;
  readonly #threads: number;
  readonly #table: WebAssembly.Table;
  readonly #kernels: WebAssembly.Exports;
  readonly #kernelIndices: ReadonlyMap<string, number>;
  readonly #generated = new Map<string, { readonly index: number; readonly installed: Promise<void> }>();
  #settleLost!: (reason: string) => void;
  #scratch: Block | undefined;
  #scratchStride = 0;
  #gone: DeviceError | undefined;

  constructor(source: WasmSource, kernels: WebAssembly.Module, threads: number) {
    this.#threads = threads;
    this.memory = new WasmMemory(threads > 1, FIRST_BYTE);
    this.lost = new Promise((resolve) => (this.#settleLost = resolve));
    const functions = WebAssembly.Module.exports(kernels).filter(({ kind }) => kind === "function");
    const names = functions.map(({ name }) => name);
    this.#table = new WebAssembly.Table({ initial: names.length + 1, element: "anyfunc" });
    const env = { memory: this.memory.memory, table: this.#table };
    this.#kernels = new WebAssembly.Instance(kernels, { env }).exports;
    this.#kernelIndices = new Map(names.map((name, position) => [name, position + 1]));
    for (const [name, index] of this.#kernelIndices) this.#table.set(index, this.#kernels[name]);
    this.pool = new ThreadPool({
      source,
      others: threads - 1,
      memory: this.memory,
      kernels,
      names,
      fail: (reason) => this.fail(reason),
    });
  }

  /** The number of threads that compute, including those that are still starting. */
  get threads(): number {
    return 1 + this.pool.others;
  }

  get isLost(): boolean {
    return this.#gone instanceof DeviceLostError;
  }

  /** @throws DeviceError if the device was lost or destroyed */
  requireLive(): void {
    if (this.#gone) throw this.#gone;
  }

  /** The number of entries in the table. */
  get tableSize(): number {
    return this.#table.length;
  }

  /** The table index of a kernel that was compiled ahead of time. */
  kernelIndex(name: string): number {
    return this.#kernelIndices.get(name)!;
  }

  functionAt(index: number): ThreadFunction {
    return this.#table.get(index) as ThreadFunction;
  }

  /**
   * Installs generated functions in all threads. Functions that were installed before are reused.
   * @returns their table indices by their keys
   */
  async install(functions: readonly ChainFunction[]): Promise<ReadonlyMap<string, number>> {
    this.requireLive();
    const fresh = new Map(functions.filter(({ key }) => !this.#generated.has(key)).map((made) => [made.key, made]));
    if (fresh.size > 0) {
      const first = this.#table.grow(fresh.size);
      const installed = this.#installModule([...fresh.values()], first);
      [...fresh.keys()].forEach((key, position) => this.#generated.set(key, { index: first + position, installed }));
    }
    // Waits for all modules together: one that fails while another is awaited would be an unhandled rejection.
    const indices = functions.map(async ({ key }) => {
      const { index, installed } = this.#generated.get(key)!;
      await installed;
      return [key, index] as const;
    });
    return new Map(await Promise.all(indices));
  }

  /** Reserves scratch memory of at least this size for every thread. No phase may be running. */
  reserveScratch(bytes: number): void {
    if (bytes <= this.#scratchStride) return;
    // A power of two, so that graphs of increasing sizes seldom reallocate it.
    const stride = 2 ** Math.ceil(Math.log2(Math.max(bytes, 4096)));
    const scratch = this.memory.allocate(stride * this.#threads, "scratch memory of the threads");
    if (this.#scratch) this.memory.free(this.#scratch);
    this.#scratch = scratch;
    this.#scratchStride = stride;
    this.pool.setScratch(scratch.address, stride);
  }

  /** Marks the device as lost. Pending calls fail. */
  fail(reason: string): void {
    if (this.#gone) return;
    this.#end(
      new DeviceLostError({
        where: "WebAssembly",
        what: `the device was lost (${reason})`,
        fix: "Restart the backend, or create a new one, and continue from the last snapshot",
      }),
    );
    this.#settleLost(reason);
  }

  /** Terminates the threads. Pending calls fail. */
  destroy(): void {
    if (this.#gone) return;
    this.#end(
      new DeviceError({
        where: "WebAssembly",
        what: "the backend was disposed of during the call",
        fix: "Wait for pending calls, or leave the training loop, before dispose",
      }),
    );
  }

  #end(gone: DeviceError): void {
    this.#gone = gone;
    this.pool.end(gone);
  }

  async #installModule(functions: readonly ChainFunction[], first: number): Promise<void> {
    const { memory, maximum, isShared: shared } = this.memory;
    const { bytes, hostFunctions } = encodeModule(functions, first, { maximum, shared });
    const module = await WebAssembly.compile(bytes);
    const host = Object.fromEntries(hostFunctions.map((compute, position) => [position, compute]));
    await WebAssembly.instantiate(module, { env: { memory, table: this.#table }, kernels: this.#kernels, host });
    const tableEnd = first + functions.length;
    await this.pool.install({ module, hostFunctions: hostFunctions.length, tableEnd });
    this.requireLive();
  }
}

export interface WasmDeviceOptions {
  readonly threads: number;
  /** Whether the kernels may use relaxed SIMD. */
  readonly relaxedSimd: boolean;
}

/**
 * Opens a device.
 * @throws DeviceError if there is no SIMD or not enough memory, or if the kernels cannot be read or do not compile
 */
export async function openWasmDevice(
  source: WasmSource,
  { threads, relaxedSimd }: WasmDeviceOptions,
): Promise<WasmDevice> {
  requireSimd();
  if (relaxedSimd) requireRelaxedSimd();
  const kernels = await compileKernels(await source.kernels(relaxedSimd), threads > 1);
  return new WasmDevice(source, kernels, threads);
}
