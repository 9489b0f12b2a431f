import { expect, test } from "vitest";
import { describeAdapter, requestAdapter } from "../../src/device/adapter.ts";
import { openDevice } from "../../src/device/device.ts";
import { DeviceFaults } from "../../src/device/faults.ts";
import { DeviceError } from "../../src/errors.ts";
import { dawnGpu } from "../../src/node/dawn.ts";

const info = (parts: Partial<GPUAdapterInfo>) =>
  ({ vendor: "", architecture: "", device: "", description: "", ...parts }) as GPUAdapterInfo;

test.each<[Partial<GPUAdapterInfo>, string, boolean]>([
  [{ vendor: "nvidia", architecture: "hopper", device: "NVIDIA H200" }, "NVIDIA H200 (nvidia hopper)", false],
  [{ vendor: "mesa", device: "llvmpipe (LLVM 15)" }, "llvmpipe (LLVM 15) (mesa)", true],
  [{ vendor: "google", architecture: "swiftshader" }, "swiftshader (google)", true],
  [{ vendor: "apple", isFallbackAdapter: true }, "apple", true],
  [{}, "unnamed adapter", false],
])("%j is described", (parts, name, software) => expect(describeAdapter(info(parts))).toEqual({ name, software }));

test("a machine without an adapter gets an error that says what to do", async () => {
  const gpu = { requestAdapter: () => Promise.resolve(null) } as unknown as GPU;
  await expect(requestAdapter({ gpu, release() {} })).rejects.toThrow(DeviceError);
  await expect(requestAdapter({ gpu, release() {} })).rejects.toThrow(
    /no adapter was found.*mesa-vulkan-drivers.*hardware acceleration/,
  );
});

test("errors outside all error scopes are counted while the device is listened to", () => {
  const gpu = { onuncapturederror: null } as unknown as GPUDevice;
  const faults = new DeviceFaults();
  faults.listenTo(gpu);
  gpu.onuncapturederror!({ error: { message: " a wrong call\n" } } as GPUUncapturedErrorEvent);
  expect(faults.count).toBe(1);
  expect(faults.last).toMatchObject({ where: "WebGPU", what: "a wrong call" });
  faults.stopListening(gpu);
  expect(gpu.onuncapturederror).toBeNull();
});

test("a shader that does not compile causes an error with the kernel, the line and the message", async () => {
  const source = dawnGpu();
  const device = await openDevice(source);
  const code = "@compute @workgroup_size(1)\nfn main() {\n    let x = missing(1);\n}";
  await expect(device.pipelines.get(code, [], "broken")).rejects.toThrow(
    /kernel broken, line 3, column \d+: .*missing.*`let x = missing\(1\);`/,
  );
  device.destroy();
  source.release();
});
