import { DeviceError } from "../errors.ts";

/** A source of adapters: `navigator.gpu` in a browser, Dawn in Node. */
export interface GpuSource {
  readonly gpu: GPU;
  /** Releases the source after its device was destroyed. */
  release(): void;
}

/**
 * The browser's WebGPU.
 * @throws DeviceError if the browser does not have it, or the page is not in a secure context
 */
export function browserGpu(): GpuSource {
  const gpu = (globalThis.navigator as Navigator | undefined)?.gpu;
  if (!gpu) {
    throw new DeviceError({
      where: "WebGPU",
      what: "this browser has no navigator.gpu",
      fix: "Use a current Chrome, Edge, Safari or Firefox, over https or on localhost",
    });
  }
  return { gpu, release() {} };
}

/** Requests an adapter, the discrete GPU if there are two. */
export async function requestAdapter({ gpu }: GpuSource): Promise<GPUAdapter> {
  const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) {
    throw new DeviceError({
      where: "WebGPU",
      what: "no adapter was found: there is no GPU with a driver that WebGPU can use",
      fix: "Install a driver (on Debian and Ubuntu without a GPU: the package mesa-vulkan-drivers), or turn on hardware acceleration in the browser",
    });
  }
  return adapter;
}

/** For example "NVIDIA H200 (nvidia hopper)", and whether it is a software adapter. */
export function describeAdapter(info: GPUAdapterInfo): { name: string; software: boolean } {
  const name = info.device || info.description || info.architecture || info.vendor || "unnamed adapter";
  const family = [info.vendor, info.architecture].filter((part) => part && !name.includes(part)).join(" ");
  const software =
    info.isFallbackAdapter === true ||
    /llvmpipe|swiftshader|software|basic render/i.test(`${name} ${family} ${info.description}`);
  return { name: family ? `${name} (${family})` : name, software };
}
