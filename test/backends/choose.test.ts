import { afterEach, expect, test, vi } from "vitest";
import { createBackend, deviceChoices, type BackendOptions } from "../../src/backends/choose.ts";
import type { GpuSource } from "../../src/device/adapter.ts";
import { DeviceError, OptionError } from "../../src/errors.ts";
import { dawnGpu } from "../../src/node/dawn.ts";
import { nodeWasm } from "../../src/node/wasm.ts";

const noGpu = (): GpuSource => {
  throw new DeviceError({ what: "there is none", fix: "Buy one" });
};

/** This machine's adapters under another name, and how often their source was let go. */
function gpuNamed(device: string): { source: GpuSource; released(): number } {
  const dawn = dawnGpu();
  let released = 0;
  const requestAdapter = async (options?: GPURequestAdapterOptions) => {
    const adapter = (await dawn.gpu.requestAdapter(options))!;
    return new Proxy(adapter, {
      get(target, name) {
        if (name === "info") return { device, vendor: "", architecture: "", description: "", isFallbackAdapter: false };
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  };
  const release = () => {
    released++;
    dawn.release();
  };
  return { source: { gpu: { requestAdapter } as unknown as GPU, release }, released: () => released };
}

/** What is chosen, and the lines that say why. */
async function choose(options: BackendOptions) {
  const lines: string[] = [];
  const threads = 2;
  const backend = await createBackend({ wasmSource: nodeWasm, threads, log: (line) => lines.push(line), ...options });
  const { kind, adapter } = backend;
  backend.dispose();
  return { kind, name: adapter.name, lines };
}

afterEach(() => vi.restoreAllMocks());

test("a hardware GPU is chosen without a word", async () => {
  const { source } = gpuNamed("a real GPU");
  expect(await choose({ source: () => source })).toMatchObject({ kind: "webgpu", lines: [] });
});

test("where there is no GPU, WebAssembly is chosen and says why", async () => {
  expect(await choose({ source: noGpu })).toEqual({
    kind: "wasm",
    name: "WebAssembly, 2 threads",
    lines: ["No GPU (there is none): computing on the CPU (WebAssembly, 2 threads). Buy one."],
  });
});

test("a software adapter is left for WebAssembly, and its source released", async () => {
  const { source, released } = gpuNamed("llvmpipe");
  expect(await choose({ source: () => source })).toMatchObject({
    kind: "wasm",
    lines: ["No GPU (llvmpipe is a software adapter): computing on the CPU (WebAssembly, 2 threads)."],
  });
  expect(released()).toBe(1);
});

test("without SIMD a software adapter is chosen, else the plain loops, and says why", async () => {
  vi.spyOn(WebAssembly, "validate").mockReturnValue(false);
  const reason = "no WebAssembly (this engine has no WebAssembly SIMD)";
  const update = "Update the browser or Node, or use another device.";
  const { source } = gpuNamed("llvmpipe");
  expect(await choose({ source: () => source })).toMatchObject({
    kind: "webgpu",
    lines: [`No GPU (llvmpipe is a software adapter) and ${reason}: computing on the software adapter. ${update}`],
  });
  expect(await choose({ source: noGpu })).toMatchObject({
    kind: "cpu",
    lines: [`No GPU (there is none) and ${reason}: computing on the CPU, which is much slower. Buy one. ${update}`],
  });
  const named = choose({ device: "wasm" });
  await expect(named).rejects.toThrow(DeviceError);
  await expect(named).rejects.toThrow(/^WebAssembly: this engine has no WebAssembly SIMD\. Update the browser or Node/);
});

test("a device by its name is that one or an error", async () => {
  expect(await choose({ device: "wasm", source: noGpu })).toMatchObject({ kind: "wasm", lines: [] });
  expect(await choose({ device: "cpu", source: noGpu })).toMatchObject({ kind: "cpu", lines: [] });
  await expect(choose({ device: "webgpu", source: noGpu })).rejects.toThrow(DeviceError);
  const other = choose({ device: "tpu" as never });
  await expect(other).rejects.toThrow(OptionError);
  await expect(other).rejects.toThrow(`Choose one of ${deviceChoices.join(", ")}`);
  await expect(choose({ device: "wasm", threads: 0 })).rejects.toThrow(OptionError);
});

test("kernels that do not arrive or compile are a DeviceError with what to do", async () => {
  const source = (bytes: Uint8Array<ArrayBuffer>) => () => ({ ...nodeWasm(), kernels: async () => bytes });
  await expect(choose({ device: "wasm", wasmSource: source(Uint8Array.of(1, 2, 3)) })).rejects.toThrow(
    /^WebAssembly: the kernels do not compile: .*'wasm-unsafe-eval'/,
  );
  vi.spyOn(globalThis, "fetch").mockResolvedValue(new Response("none", { status: 404 }));
  const { browserWasm } = await import("../../src/backends/wasm/source.ts");
  await expect(choose({ device: "wasm", wasmSource: browserWasm })).rejects.toThrow(
    /^WebAssembly: the kernels could not be loaded from .*: status 404\. Serve the file/,
  );
});
