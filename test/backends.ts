import type { Backend } from "../src/backends/backend.ts";
import { createCpuBackend } from "../src/backends/cpu/index.ts";
import { acquireBackend } from "./gpu.ts";
import { acquireWasmBackend } from "./wasm.ts";

/** The backends that training is tested on. */
export const backends: readonly { name: string; create(): Promise<Backend> }[] = [
  { name: "cpu float32", create: async () => createCpuBackend() },
  { name: "webgpu", create: () => acquireBackend() },
  { name: "wasm", create: () => acquireWasmBackend() },
];
