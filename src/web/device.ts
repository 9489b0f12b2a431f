/*
 * The worker's device.
 */
import { browserGpu, createBackend, type Backend, type GpuSource } from "../index.ts";
import type { DeviceInfo, OpenOptions } from "./contract.ts";

/** The backend of a page, and a way to lose its device for tests. */
export interface OpenedDevice {
  readonly backend: Backend;
  readonly info: DeviceInfo;
  loseDevice(): void;
}

/** @throws DeviceError where a GPU is asked for and there is none */
export async function openBackend({ device, test }: OpenOptions): Promise<OpenedDevice> {
  let reason: string | undefined;
  const losable = losableSource();
  const backend = await createBackend({
    device,
    source: () => (test ? losable.source() : browserGpu()),
    log: (line) => (reason = line),
  });
  const { kind, adapter } = backend;
  return {
    backend,
    info: { kind, adapter: adapter.name, software: adapter.software, reason },
    loseDevice: losable.loseDevice,
  };
}

/** The browser's WebGPU, but for a note of the last device that it gave. */
function losableSource(): { source(): GpuSource; loseDevice(): void } {
  let last: GPUDevice | undefined;
  return {
    source() {
      const { gpu, release } = browserGpu();
      const requestAdapter = async (options?: GPURequestAdapterOptions) => {
        const adapter = await gpu.requestAdapter(options);
        if (!adapter) return null;
        const requestDevice = async (descriptor?: GPUDeviceDescriptor) => (last = await adapter.requestDevice(descriptor));
        return new Proxy(adapter, {
          get(target, name) {
            if (name === "requestDevice") return requestDevice;
            const value: unknown = Reflect.get(target, name, target);
            return typeof value === "function" ? value.bind(target) : value;
          },
        });
      };
      return { gpu: { requestAdapter } as unknown as GPU, release };
    },
    loseDevice: () => last?.destroy(),
  };
}
