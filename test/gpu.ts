import type { Backend } from "../src/backends/backend.ts";
import { createWebGPUBackend, type WebGPUOptions } from "../src/backends/webgpu/index.ts";
import { dawnGpu } from "../src/node/dawn.ts";

/** The WebGPU backend of this machine. Without an adapter it throws, and the test that asked fails. */
export function acquireBackend(options?: WebGPUOptions): Promise<Backend> {
  return createWebGPUBackend(dawnGpu(), options);
}
