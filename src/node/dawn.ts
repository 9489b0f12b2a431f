import { create, globals } from "webgpu";
import type { GpuSource } from "../device/adapter.ts";
import { DawnPolling, type DawnClasses } from "./dawn-polling.ts";

/**
 * Sources in use. Adapters and devices do not keep Dawn's native object alive. If it is garbage collected while a device
 * works, the process crashes (observed with webgpu 0.6.2).
 */
const alive = new Set<GPU>();

const ENABLED = "enable-dawn-features=";

/** Without this feature, Dawn offers float16 on NVIDIA's GPUs under Windows only. On an H100 it passes our tests of float16. */
const FLOAT16 = "vulkan_enable_f16_on_nvidia";

DawnPolling.install(globals as unknown as DawnClasses);

/** Options of Dawn. */
export interface DawnOptions {
  /** Dawn's flags, such as "disable-dawn-features=timestamp_quantization". */
  readonly flags?: readonly string[];
}

/** Provides WebGPU in Node through Dawn. */
export function dawnGpu({ flags = [] }: DawnOptions = {}): GpuSource {
  Object.assign(globalThis, globals);
  // Of several lists of features, Dawn reads only one (observed with webgpu 0.6.2).
  const lists = flags.filter((flag) => flag.startsWith(ENABLED)).map((flag) => flag.slice(ENABLED.length));
  const others = flags.filter((flag) => !flag.startsWith(ENABLED));
  const gpu = create([...others, ENABLED + [FLOAT16, ...lists].join(",")]);
  alive.add(gpu);
  return { gpu, release: () => alive.delete(gpu) };
}
