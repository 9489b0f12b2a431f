/*
 * The worker's device.
 */
import { browserGpu, createBackend, DeviceError, type Backend, type GpuSource } from "../index.ts";
import type { DeviceInfo, OpenOptions } from "./contract.ts";

/** The backend of a page, and a way to lose its device for tests. */
export interface OpenedDevice {
  readonly backend: Backend;
  readonly info: Omit<DeviceInfo, "mnist">;
  loseDevice(): void;
}

/** What a visitor can do about it; the library's own advice is for those who run it in Node, too. */
const ADVICE =
  "For a GPU, use a current Chrome, Edge, Safari or Firefox, over https, and switch on hardware acceleration in its settings";

/** @throws DeviceError where a GPU is asked for and there is none */
export async function openBackend({ device, test }: Pick<OpenOptions, "device" | "test">): Promise<OpenedDevice> {
  const losable = losableSource();
  let reason: string | undefined;
  const backend = await createBackend({
    device: device === "cpu" ? "cpu" : "webgpu",
    source: () => (test ? losable.source() : browserGpu()),
  }).catch((error: unknown) => {
    if (!(error instanceof DeviceError)) throw error;
    const { what } = error;
    if (device === "webgpu") throw new DeviceError({ where: "WebGPU", what, fix: ADVICE });
    reason = `No GPU (${what}): computing on the CPU, which is much slower. ${ADVICE}.`;
    return createBackend({ device: "cpu" });
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
