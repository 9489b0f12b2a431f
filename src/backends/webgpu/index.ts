import type { GpuSource } from "../../device/adapter.ts";
import { openDevice, type DeviceOptions } from "../../device/device.ts";
import type { Backend } from "../backend.ts";
import { WebGPUSession } from "./session.ts";

export interface WebGPUOptions extends DeviceOptions {
  /** Poison results before every run and guard the words after them: slow, for tests of kernels. */
  readonly guards?: boolean;
}

/**
 * A backend on the best adapter of a source.
 * @throws DeviceError where there is no adapter
 */
export async function createWebGPUBackend(source: GpuSource, options: WebGPUOptions = {}): Promise<Backend> {
  const device = await openDevice(source, options);
  return {
    kind: "webgpu",
    adapter: device.adapter,
    maxTensorBytes: Math.min(device.limits.maxStorageBufferBindingSize, device.limits.maxBufferSize),
    createSession: () => new WebGPUSession(device, options.guards ?? false),
    lost: device.lost,
    dispose: () => device.destroy(),
  };
}
