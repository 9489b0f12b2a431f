import { create, globals } from "webgpu";
import type { GpuSource } from "../device/adapter.ts";

/**
 * Sources in use. Dawn's native object works for its adapters and devices but is not kept alive by them: collected
 * while a device works, it crashes the process (measured with webgpu 0.6.2).
 */
const alive = new Set<GPU>();

/** How Dawn is started. */
export interface DawnOptions {
  /** Dawn's switches, such as "disable-dawn-features=timestamp_quantization". */
  readonly flags?: readonly string[];
}

/** WebGPU in Node, by Dawn. */
export function dawnGpu({ flags = [] }: DawnOptions = {}): GpuSource {
  Object.assign(globalThis, globals);
  const gpu = create([...flags]);
  alive.add(gpu);
  return { gpu, release: () => alive.delete(gpu) };
}
