import { browserGpu, type GpuSource } from "../device/adapter.ts";
import { DeviceError, OptionError } from "../errors.ts";
import type { Graph } from "../graph/graph.ts";
import type { Backend } from "./backend.ts";
import type { TuningStore } from "./webgpu/index.ts";

/** What computes: the best adapter that WebGPU finds, the CPU, or the first of the two that there is. */
export const deviceChoices = ["webgpu", "cpu", "auto"] as const;

/** One of `deviceChoices`. */
export type DeviceChoice = (typeof deviceChoices)[number];

/** What shall compute, and where it is looked for. */
export interface BackendOptions {
  /** "auto" by default. */
  readonly device?: DeviceChoice;
  /** Where adapters come from; the browser's navigator.gpu by default. */
  readonly source?: () => GpuSource | Promise<GpuSource>;
  /** Where the tuner's choices are kept; without it, tilings are chosen by rule of thumb. */
  readonly tuning?: TuningStore;
  /** Takes the line that says why "auto" chose the CPU, or why kept choices are ignored; the console by default. */
  readonly log?: (line: string) => void;
  /** Takes each graph that is compiled, to look at. */
  readonly onGraph?: ((graph: Graph) => void) | undefined;
  /** Takes the WGSL of each kernel that is compiled, to look at; the CPU has none. */
  readonly onKernel?: ((name: string, code: string) => void) | undefined;
}

/**
 * A backend by choice. Only the one that is chosen is loaded.
 * @throws DeviceError where the device is "webgpu" and there is no adapter
 * @throws OptionError for another device
 */
export async function createBackend(options: BackendOptions = {}): Promise<Backend> {
  const { device = "auto", source = browserGpu, log = (line) => console.warn(line) } = options;
  if (!deviceChoices.includes(device)) {
    const fix = `Choose one of ${deviceChoices.join(", ")}`;
    throw new OptionError({ where: "device", what: `there is no device ${String(device)}`, fix });
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
