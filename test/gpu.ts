import { expect } from "vitest";
import type { Backend } from "../src/backends/backend.ts";
import { createWebGPUBackend } from "../src/backends/on-demand.ts";
import { openBackend, type WebGPUOptions } from "../src/backends/webgpu/index.ts";
import type { GpuSource } from "../src/device/adapter.ts";
import { dawnGpu } from "../src/node/dawn.ts";
import { GuardedBuffers } from "./guarded-buffers.ts";

/**
 * Creates the WebGPU backend of this machine. Throws without an adapter, so that the test fails. Kernels have dispatches of their own, as
 * on software adapters, so that tests can count them on any adapter.
 */
export function acquireBackend(options?: WebGPUOptions): Promise<Backend> {
  return createWebGPUBackend(dawnGpu(), { mergeKernels: false, ...options });
}

/** Dawn's adapter without a device behind it, whose compiler checks WGSL. Nothing runs on it. */
export const compilerOnlyGpu = () => dawnGpu({ flags: ["backend=null", "enable-dawn-features=allow_unsafe_apis"] });

/** Whether this machine's adapter has float16. */
const adapterHasFloat16 = async () => {
  const source = dawnGpu();
  const adapter = await source.gpu.requestAdapter();
  source.release();
  return adapter!.features.has("shader-f16");
};
let hasFloat16: Promise<boolean> | undefined;

/**
 * Runs a test of float16 products. On an adapter without them the test must be refused, with the error that names the
 * adapter and the feature.
 */
export async function withFloat16({ kind, adapter }: Backend, body: () => Promise<unknown>): Promise<void> {
  if (kind !== "webgpu" || (await (hasFloat16 ??= adapterHasFloat16()))) await body();
  else await expect(body()).rejects.toThrow(`${adapter.name} does not have the feature shader-f16`);
}

/** Like `acquireBackend`, with results that are poisoned before every run and followed by guard words. */
export function acquireGuardedBackend(options?: WebGPUOptions): Promise<Backend> {
  return openBackend(dawnGpu(), options, (device) => new GuardedBuffers(device));
}

/** A source whose devices are changed when they are opened, for example to say that they are others. */
export function changedSource(source: GpuSource, change: (device: GPUDevice) => void): GpuSource {
  const requestAdapter = async (options?: GPURequestAdapterOptions) => {
    const adapter = (await source.gpu.requestAdapter(options))!;
    const requestDevice = async (descriptor?: GPUDeviceDescriptor) => {
      const device = await adapter.requestDevice(descriptor);
      change(device);
      return device;
    };
    return new Proxy(adapter, {
      get: (target, name) => {
        if (name === "requestDevice") return requestDevice;
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  };
  return { ...source, gpu: { requestAdapter } as unknown as GPU };
}

/** A source that gives access to the device that was opened last, so that a test can lose it. */
export function losableSource(): { source: GpuSource; device(): GPUDevice } {
  let device: GPUDevice | undefined;
  return { source: changedSource(dawnGpu(), (opened) => (device = opened)), device: () => device! };
}

/** Creates a backend and gives access to its device, so that a test can lose it. */
export async function acquireLosableBackend(): Promise<{ backend: Backend; lose(): void; device(): GPUDevice }> {
  const { source, device } = losableSource();
  const backend = await createWebGPUBackend(source);
  return { backend, lose: () => device().destroy(), device };
}

const CREATIONS = [
  "createBuffer",
  "createBindGroup",
  "createComputePipeline",
  "createComputePipelineAsync",
  "createShaderModule",
] as const;

/** Counts the objects that devices make while a test runs. */
export class CreationCounter {
  readonly #originals = CREATIONS.map((name) => [name, GPUDevice.prototype[name]] as const);
  #counts = new Map<string, number>();

  constructor() {
    const note = (name: string) => this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
    for (const [name, original] of this.#originals) {
      Object.assign(GPUDevice.prototype, {
        [name](this: GPUDevice, ...parameters: unknown[]) {
          note(name);
          return (original as (...all: unknown[]) => unknown).apply(this, parameters);
        },
      });
    }
  }

  /** @returns how many objects were made since the last call, by the function that makes them */
  take(): Record<string, number> {
    const counts = Object.fromEntries(this.#counts);
    this.#counts = new Map();
    return counts;
  }

  stop(): void {
    for (const [name, original] of this.#originals) Object.assign(GPUDevice.prototype, { [name]: original });
  }
}
