import { DeviceError } from "../errors.ts";

/** Where adapters come from: `navigator.gpu` in a browser, Dawn in Node. */
export interface GpuSource {
  readonly gpu: GPU;
  /** Lets go of what keeps the source alive, once its device is destroyed. */
  release(): void;
}

/**
 * The browser's own WebGPU.
 * @throws DeviceError where the browser has none, or the page is not served securely
 */
export function browserGpu(): GpuSource {
  const gpu = (globalThis.navigator as Navigator | undefined)?.gpu;
  if (!gpu) {
    throw new DeviceError({
      where: "WebGPU",
      what: "this browser offers no navigator.gpu",
      fix: "Use a current Chrome, Edge, Safari or Firefox, over https or on localhost",
    });
  }
  return { gpu, release() {} };
}

/** Asks for an adapter, the discrete GPU where there are two. */
export async function requestAdapter({ gpu }: GpuSource): Promise<GPUAdapter> {
  const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
  if (!adapter) {
    throw new DeviceError({
      where: "WebGPU",
      what: "no adapter was found: there is no GPU with a driver that WebGPU can use",
      fix: "To get one run `npm run setup` in Node, or switch hardware acceleration on in the browser",
    });
  }
  return adapter;
}

/** Such as "NVIDIA H200 (nvidia hopper)"; a program that plays a GPU says so. */
export function describeAdapter(info: GPUAdapterInfo): { name: string; software: boolean } {
  const name = info.device || info.description || info.architecture || info.vendor || "unnamed adapter";
  const family = [info.vendor, info.architecture].filter((part) => part && !name.includes(part)).join(" ");
  const software =
    info.isFallbackAdapter === true ||
    /llvmpipe|swiftshader|software|basic render/i.test(`${name} ${family} ${info.description}`);
  return { name: family ? `${name} (${family})` : name, software };
}
