import { browserGpu, describeAdapter, requestAdapter, type GpuSource } from "../device/adapter.ts";
import { DeviceError, excerpt, OptionError } from "../errors.ts";
import type { Graph } from "../graph/graph.ts";
import { choiceOf } from "../choices.ts";
import type { Backend } from "./backend.ts";
import { createWasmBackend, createWebGPUBackend } from "./on-demand.ts";
import type { WasmSource } from "./wasm/source.ts";
import type { TuningStore, WebGPUOptions } from "./webgpu/index.ts";

/**
 * The device to compute on: the best WebGPU adapter, the CPU with WebAssembly, the CPU with plain reference loops, or the
 * fastest of them: a hardware GPU if there is one, otherwise WebAssembly.
 */
export const deviceChoices = ["webgpu", "wasm", "cpu", "auto"] as const;

/** One of `deviceChoices`. */
export type DeviceChoice = (typeof deviceChoices)[number];

/** Options of `createBackend`. */
export interface BackendOptions {
  /** "auto" by default. */
  readonly device?: DeviceChoice;
  /** The source of adapters; the browser's navigator.gpu by default. */
  readonly source?: () => GpuSource | Promise<GpuSource>;
  /** The source of WebAssembly's kernels and threads; the browser by default. */
  readonly wasmSource?: () => WasmSource | Promise<WasmSource>;
  /** Number of WebAssembly threads, including the calling thread; by default the number that `wasmSource` recommends. */
  readonly threads?: number | undefined;
  /** Stores the choices of WebGPU's tuner; IndexedDB by default, where there is one. See `browserTuningStore`. */
  readonly tuning?: TuningStore;
  /**
   * Whether WebGPU's tuner also measures tilings while sessions run steps, and how much time it may take: 2 % on average by default;
   * on hardware adapters by default. See `WebGPUOptions`.
   */
  readonly backgroundTuning?: WebGPUOptions["backgroundTuning"];
  /** Whether small kernels share a dispatch of WebGPU; on hardware adapters by default. See `WebGPUOptions`. */
  readonly mergeKernels?: boolean;
  /** Called with a line that says why "auto" chose no GPU, or why stored choices are ignored; the console by default. */
  readonly log?: (line: string) => void;
  /** Called with the reason, in a few words, if "auto" chose no GPU; without it, `log` is called with a line that says so. */
  readonly onNoGpu?: ((reason: string) => void) | undefined;
  /** Called with each graph that is compiled, for debugging. */
  readonly onGraph?: ((graph: Graph) => void) | undefined;
  /** Called with the WGSL of each kernel that is compiled, for debugging. Only WebGPU has any. */
  readonly onKernel?: ((name: string, code: string) => void) | undefined;
}

/** Options with their defaults. */
type Choice = BackendOptions & Required<Pick<BackendOptions, "source" | "log">>;

/**
 * Creates a backend. Only the code of the chosen backend is loaded.
 *
 * @example
 * ```ts
 * const backend = await createBackend(); // WebGPU, or WebAssembly on the CPU if there is no GPU
 * console.log(backend.adapter.name);
 * ```
 *
 * @throws DeviceError if the device is "webgpu" and there is no adapter, or "wasm" and there is no SIMD or not enough memory
 * @throws OptionError for an unknown device, or for a number of threads below 1
 */
export async function createBackend(options: BackendOptions = {}): Promise<Backend> {
  const { device = "auto" } = options;
  if (!deviceChoices.includes(device)) {
    const fix = choiceOf(device, deviceChoices);
    throw new OptionError({ where: "device", what: `unknown device ${excerpt(device)}`, fix });
  }
  const choice: Choice = {
    ...options,
    source: options.source ?? browserGpu,
    log: options.log ?? ((line) => console.warn(line)),
  };
  if (device === "cpu") return cpuBackend(choice);
  if (device === "wasm") return wasmBackend(choice);
  return device === "webgpu" ? webgpuBackend(await choice.source(), choice) : fastestBackend(choice);
}

/**
 * Chooses a hardware GPU, otherwise WebAssembly, which is faster than a software adapter, otherwise the software adapter or
 * the CPU's plain loops. Logs why there is no GPU.
 */
async function fastestBackend(choice: Choice): Promise<Backend> {
  const { source, log, onNoGpu } = choice;
  const tell = (line: string) => (onNoGpu ? onNoGpu(reason) : log(line));
  let reason: string;
  let fix = "";
  let software: GpuSource | undefined;
  try {
    const found = await source();
    const adapter = await adapterOf(found);
    if (!adapter.software) return await webgpuBackend(found, choice);
    software = found;
    reason = `${adapter.name} is a software adapter`;
  } catch (error) {
    if (!(error instanceof DeviceError)) throw error;
    reason = error.what;
    fix = error.fix === undefined ? "" : ` ${error.fix}.`;
  }
  try {
    const backend = await wasmBackend(choice);
    software?.release();
    tell(`No GPU (${reason}): computing on the CPU (${backend.adapter.name}).${fix}`);
    return backend;
  } catch (error) {
    if (!(error instanceof DeviceError)) throw error;
    const failure = `No GPU (${reason}) and no WebAssembly (${error.what})`;
    if (error.fix !== undefined) fix += ` ${error.fix}.`;
    if (software) {
      tell(`${failure}: computing on the software adapter.${fix}`);
      return webgpuBackend(software, choice);
    }
    tell(`${failure}: computing on the CPU, which is much slower.${fix}`);
    return cpuBackend(choice);
  }
}

async function adapterOf(source: GpuSource): Promise<{ name: string; software: boolean }> {
  try {
    return describeAdapter((await requestAdapter(source)).info);
  } catch (error) {
    source.release();
    throw error;
  }
}

async function cpuBackend({ onGraph }: BackendOptions): Promise<Backend> {
  const { createCpuBackend } = await import("./cpu/index.ts");
  return createCpuBackend({ onGraph });
}

async function wasmBackend({ wasmSource, threads, onGraph }: Choice): Promise<Backend> {
  const source = wasmSource ?? (await import("./wasm/index.ts")).browserWasm;
  return createWasmBackend(await source(), { threads, onGraph });
}

async function webgpuBackend(
  source: GpuSource,
  { tuning, backgroundTuning, mergeKernels, log, onGraph, onKernel }: BackendOptions,
): Promise<Backend> {
  try {
    const store = tuning ?? (await usualTuningStore());
    return await createWebGPUBackend(source, { tuning: store, backgroundTuning, mergeKernels, log, onGraph, onKernel });
  } catch (error) {
    source.release();
    throw error;
  }
}

/** IndexedDB, where the environment has it. */
async function usualTuningStore(): Promise<TuningStore | undefined> {
  if (!("indexedDB" in globalThis)) return undefined;
  const { browserTuningStore } = await import("./webgpu/browser-store.ts");
  return browserTuningStore();
}
