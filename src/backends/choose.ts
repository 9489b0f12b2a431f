import { browserGpu, type GpuSource } from "../device/adapter.ts";
import { DeviceError, OptionError } from "../errors.ts";
import type { Graph } from "../graph/graph.ts";
import type { Backend } from "./backend.ts";
import type { TuningStore } from "./webgpu/index.ts";

/** The device to compute on: the best WebGPU adapter, the CPU, or WebGPU with the CPU as a fallback. */
export const deviceChoices = ["webgpu", "cpu", "auto"] as const;

/** One of `deviceChoices`. */
export type DeviceChoice = (typeof deviceChoices)[number];

/** Options of `createBackend`. */
export interface BackendOptions {
  /** "auto" by default. */
  readonly device?: DeviceChoice;
  /** The source of adapters; the browser's navigator.gpu by default. */
  readonly source?: () => GpuSource | Promise<GpuSource>;
  /** Stores the choices of the tuner. Without it, tilings are chosen by rules of thumb. */
  readonly tuning?: TuningStore;
  /**
   * Called with a line that says why "auto" chose the CPU, or why stored choices are ignored; the console by default.
   */
  readonly log?: (line: string) => void;
  /** Called with each graph that is compiled, for debugging. */
  readonly onGraph?: ((graph: Graph) => void) | undefined;
  /** Called with the WGSL of each kernel that is compiled, for debugging. The CPU backend has none. */
  readonly onKernel?: ((name: string, code: string) => void) | undefined;
}

/**
 * Creates a backend. Only the code of the chosen backend is loaded.
 *
 * @example
 * ```ts
 * const backend = await createBackend(); // WebGPU, or the CPU if there is no GPU
 * console.log(backend.adapter.name);
 * ```
 *
 * @throws DeviceError if the device is "webgpu" and there is no adapter; OptionError for an unknown device
 */
export async function createBackend(options: BackendOptions = {}): Promise<Backend> {
  const { device = "auto", source = browserGpu, log = (line) => console.warn(line) } = options;
  if (!deviceChoices.includes(device)) {
    const fix = `Choose one of ${deviceChoices.join(", ")}`;
    throw new OptionError({ where: "device", what: `unknown device ${String(device)}`, fix });
  }
  if (device === "cpu") return cpuBackend(options);
  try {
    return await webgpuBackend(await source(), { ...options, log });
  } catch (error) {
    if (device !== "auto" || !(error instanceof DeviceError)) throw error;
    log(`No GPU (${error.what}): computing on the CPU, which is much slower. ${error.fix}.`);
    return cpuBackend(options);
  }
}

async function cpuBackend({ onGraph }: BackendOptions): Promise<Backend> {
  const { createCpuBackend } = await import("./cpu/index.ts");
  return createCpuBackend({ onGraph });
}

async function webgpuBackend(source: GpuSource, { tuning, log, onGraph, onKernel }: BackendOptions): Promise<Backend> {
  const { createWebGPUBackend } = await import("./webgpu/index.ts");
  try {
    return await createWebGPUBackend(source, { tuning, log, onGraph, onKernel });
  } catch (error) {
    source.release();
    throw error;
  }
}
