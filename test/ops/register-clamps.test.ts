/*
 * Dawn adds a minimum to each index that it cannot prove to be in range. The kernel for GPUs reads operands from workgroup memory so
 * that Dawn can: here Dawn compiles the kernel in another process, which prints the SPIR-V that it made.
 */
import { spawnSync } from "node:child_process";
import { afterAll, expect, test } from "vitest";
import { launchLimitsOf } from "../../src/backends/webgpu/rules.ts";
import { openDevice } from "../../src/device/device.ts";
import { dawnGpu } from "../../src/node/dawn.ts";
import { productExample, run } from "./product-examples.ts";

const source = dawnGpu();
let kernel = "";
const device = await openDevice(source, { software: false, onKernel: (_, code) => (kernel = code) });
afterAll(() => {
  device.destroy();
  source.release();
});

/** Dawn prints what it made when Node is idle, after the pipeline is there. */
const COMPILE = `
import { readFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { create, globals } from "webgpu";
Object.assign(globalThis, globals);
const gpu = create(["enable-dawn-features=dump_shaders"]);
const adapter = await gpu.requestAdapter();
const { maxComputeWorkgroupStorageSize } = adapter.limits;
const device = await adapter.requestDevice({ requiredLimits: { maxComputeWorkgroupStorageSize } });
const module = device.createShaderModule({ code: readFileSync(0, "utf8") });
const pipeline = await device.createComputePipelineAsync({ layout: "auto", compute: { module, entryPoint: "main" } });
await setTimeout(50);
if (pipeline && gpu) process.exit(0);
`;

function spirvOf(code: string): string {
  const options = ["--input-type=module", "--eval", COMPILE];
  const { status, stdout, stderr } = spawnSync(process.execPath, options, { input: code, encoding: "utf8" });
  expect(status, stderr).toBe(0);
  return stdout + stderr;
}

/** The indices of the vec4s that a kernel reads from workgroup memory, and those of them that are the result of a minimum. */
function indicesOfReads(spirv: string) {
  const minima = new Set([...spirv.matchAll(/(%\w+) = OpExtInst %uint %\w+ UMin/g)].map(([, name]) => name));
  const pointers = [...spirv.matchAll(/(%\w+) = OpAccessChain %_ptr_Workgroup_v4float %\w+ (%\w+)/g)];
  const reads = pointers.filter(([, pointer]) => spirv.includes(`= OpLoad %v4float ${pointer} `));
  return { reads: reads.length, checked: reads.filter(([, , index]) => minima.has(index)).length };
}

test.each([
  ["tile 64×64, 8×8 outputs", [false, false], 16],
  ["tile 64×64, 8×8 outputs", [true, false], 16],
  ["tile 64×64, 8×8 outputs", [false, true], 16],
  ["tile 32×32, 4×4 outputs, two buffers", [true, true], 8],
] as const)("%s, transposed %j: no index of a read is checked", async (tiling, transposed, reads) => {
  const sizes = { rows: 64, inner: 64, columns: 64 };
  await run(device, tiling, productExample(sizes, transposed, launchLimitsOf(device)));
  expect(indicesOfReads(spirvOf(kernel))).toEqual({ reads, checked: 0 });
});
