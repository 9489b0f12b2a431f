/*
 * The backends whose code only the first call loads. Importing the library then costs neither its time nor, in a page, its bytes.
 */
import type { GpuSource } from "../device/adapter.ts";
import type { Backend } from "./backend.ts";
import type { WasmOptions } from "./wasm/index.ts";
import type { WasmSource } from "./wasm/source.ts";
import type { WebGPUBackend, WebGPUOptions } from "./webgpu/index.ts";

/**
 * Creates a backend that computes on the CPU with WebAssembly. The caller's thread is one of its threads; during a run
 * its event loop gets a turn about every 25 ms, and after every run. The first call loads its code.
 *
 * @example
 * ```ts
 * import { createWasmBackend } from "wgrad";
 * import { nodeWasm } from "wgrad/node";
 *
 * const backend = await createWasmBackend(nodeWasm(), { threads: 2 });
 * ```
 *
 * @throws DeviceError if WebAssembly has no SIMD, or no relaxed SIMD although it is asked for, or if no memory can be
 * reserved; OptionError for another number of threads than 1 … 64
 */
export async function createWasmBackend(source: WasmSource, options?: WasmOptions): Promise<Backend> {
  const { openWasmBackend } = await import("./wasm/index.ts");
  return (await openWasmBackend(source, options)).backend;
}

/**
 * Creates a backend on the best adapter of a source. The first call loads its code.
 * @throws DeviceError if there is no adapter; OptionError for limits of the tuner out of range
 */
export async function createWebGPUBackend(source: GpuSource, options?: WebGPUOptions): Promise<WebGPUBackend> {
  const { openBackend } = await import("./webgpu/index.ts");
  return openBackend(source, options);
}
