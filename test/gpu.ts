import type { Backend, Executable } from "../src/backends/backend.ts";
import { createWebGPUBackend, type WebGPUOptions } from "../src/backends/webgpu/index.ts";
import { WebGPUExecutable } from "../src/backends/webgpu/record.ts";
import { dawnGpu } from "../src/node/dawn.ts";

/** The WebGPU backend of this machine. Without an adapter it throws, and the test that asked fails. */
export function acquireBackend(options?: WebGPUOptions): Promise<Backend> {
  return createWebGPUBackend(dawnGpu(), options);
}

/** Fails where a kernel of a backend with guards wrote past the end of a value. */
export async function requireIntactGuards(executable: Executable): Promise<void> {
  if (!(executable instanceof WebGPUExecutable)) return;
  const spoiled = await executable.spoiledGuards();
  if (spoiled.length > 0) throw new Error(`written past the end of ${spoiled.join(", ")}`);
}
