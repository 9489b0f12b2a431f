import { expect, test, vi } from "vitest";
import { dawnGpu } from "../../src/node/dawn.ts";

const given = vi.hoisted((): (readonly string[])[] => []);
vi.mock("webgpu", () => ({
  create: (flags: readonly string[]) => (given.push(flags), {}),
  globals: {},
}));
vi.mock("../../src/node/dawn-polling.ts", () => ({ DawnPolling: { install() {} } }));

test("features of Dawn that a caller enables stand in one list with that of float16, beside other flags", () => {
  const features = ["enable-dawn-features=allow_unsafe_apis,dump_shaders", "enable-dawn-features=disable_robustness"];
  for (const flags of [undefined, ["backend=null", ...features]]) dawnGpu(flags && { flags }).release();
  expect(given).toEqual([
    ["enable-dawn-features=vulkan_enable_f16_on_nvidia"],
    [
      "backend=null",
      "enable-dawn-features=vulkan_enable_f16_on_nvidia,allow_unsafe_apis,dump_shaders,disable_robustness",
    ],
  ]);
});
