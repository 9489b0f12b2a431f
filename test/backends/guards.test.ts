import { expect, test } from "vitest";
import { defineGraph } from "../../src/graph/graph.ts";
import { parameter } from "../../src/graph/leaves.ts";
import { tanh } from "../../src/ops/elementwise/index.ts";
import { acquireGuardedBackend } from "../gpu.ts";
import { requireIntactGuards } from "../guarded-buffers.ts";

/** Runs a kernel over five elements on a guarded backend, with its WGSL modified first, and checks the guards. */
async function runGuarded(rewrite: (code: string) => string): Promise<void> {
  const backend = await acquireGuardedBackend();
  const original = GPUDevice.prototype.createShaderModule;
  GPUDevice.prototype.createShaderModule = function (this: GPUDevice, descriptor) {
    return original.call(this, { ...descriptor, code: rewrite(descriptor.code) });
  };
  try {
    const graph = defineGraph({ out: tanh(parameter("x", [5], [1, 2, 3, 4, 5])) });
    const executable = await backend.createSession().compile(graph);
    await executable.run(0, 1);
    await requireIntactGuards(executable);
  } finally {
    GPUDevice.prototype.createShaderModule = original;
    backend.dispose();
  }
}

test("a kernel that writes past the end of a value changes a guard", async () => {
  await runGuarded((code) => code);
  const shifted = (code: string) => {
    expect(code).toContain("output_0[index] =");
    return code.replace("output_0[index] =", "output_0[index + 1u] =");
  };
  await expect(runGuarded(shifted)).rejects.toThrow("written past the end of output out");
});
