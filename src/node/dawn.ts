import { create, globals } from "webgpu";
import type { GpuSource } from "../device/adapter.ts";
import { DawnPolling, type DawnClasses } from "./dawn-polling.ts";

/**
 * Sources in use. Adapters and devices do not keep Dawn's native object alive. If it is garbage collected while a device
 * works, the process crashes (observed with webgpu 0.6.2).
 */
const alive = new Set<GPU>();

/** Without this flag, Dawn offers float16 on NVIDIA's GPUs under Windows only. On an H100 it passes our tests of float16. */
const FLAGS = ["enable-dawn-features=vulkan_enable_f16_on_nvidia"];

DawnPolling.install(globals as unknown as DawnClasses);

/** Options of Dawn. */
export interface DawnOptions {
  /** Dawn's flags, such as "disable-dawn-features=timestamp_quantization". */
  readonly flags?: readonly string[];
}

/** Provides WebGPU in Node through Dawn. */
export function dawnGpu({ flags = [] }: DawnOptions = {}): GpuSource {
  Object.assign(globalThis, globals);
  const gpu = create(joined([...FLAGS, ...flags]));
  alive.add(gpu);
  return { gpu, release: () => alive.delete(gpu) };
}

/** Joins the values of flags with the same name: of several, Dawn reads only one (observed with webgpu 0.6.2). */
function joined(flags: readonly string[]): string[] {
  const values = new Map<string, string[]>();
  for (const flag of flags) {
    const [name = "", value = ""] = flag.split(/=(.*)/s);
    values.set(name, [...(values.get(name) ?? []), value]);
  }
  return [...values].map(([name, all]) => `${name}=${all.join(",")}`);
}
