import { readFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { describe, expect, test, vi } from "vitest";
import { compileAssembly, KERNELS } from "../../scripts/assembly/compile.ts";
import { createWasmBackend } from "../../src/backends/on-demand.ts";
import { DeviceError } from "../../src/errors.ts";
import { defineGraph } from "../../src/graph/graph.ts";
import { input } from "../../src/graph/leaves.ts";
import { nodeWasm } from "../../src/node/wasm.ts";
import { matmul } from "../../src/ops/matmul/index.ts";
import { Random } from "../../src/random.ts";
import { cases as convolutions } from "../ops/convolution.cases.ts";
import { cases as products } from "../ops/matmul.cases.ts";
import { parityTests } from "../ops/parity-suite.ts";

test("an engine without relaxed SIMD is refused with what is needed", async () => {
  const { validate } = WebAssembly;
  const spy = vi.spyOn(WebAssembly, "validate");
  // The module with a relaxed multiply-add, 0xfd 0x85 0x02.
  spy.mockImplementation((bytes) => !(bytes as Uint8Array).includes(0x85) && validate(bytes));
  try {
    const refused = createWasmBackend(nodeWasm(), { threads: 1, relaxedSimd: true });
    await expect(refused).rejects.toThrow(DeviceError);
    await expect(refused).rejects.toThrow(
      "relaxedSimd: this engine has no relaxed SIMD of WebAssembly. Use Node 21, Chrome 114 or newer, " +
        "or another browser that has it, or leave the option out.",
    );
    const backend = await createWasmBackend(nodeWasm(), { threads: 1 });
    expect(backend.adapter.name).toBe("WebAssembly, 1 thread");
    backend.dispose();
  } finally {
    spy.mockRestore();
  }
});

describe("with relaxed SIMD", () => {
  // Node 20 has it behind a flag.
  if (process.versions.node.startsWith("20.")) setFlagsFromString("--experimental-wasm-relaxed-simd");
  const acquire = (threads: number) => createWasmBackend(nodeWasm(), { threads, relaxedSimd: true });

  test("the engine compiles the kernels, which have its multiply-add", async () => {
    const bytes = readFileSync(await compileAssembly(KERNELS, { relaxedSimd: true }));
    const plain = readFileSync(await compileAssembly(KERNELS));
    const instruction = Buffer.of(0xfd, 0x85, 0x02);
    expect([bytes, plain].map((module) => module.includes(instruction))).toEqual([true, false]);
    const exportsOf = (module: Uint8Array) =>
      WebAssembly.Module.exports(new WebAssembly.Module(Uint8Array.from(module)));
    expect(exportsOf(bytes)).toEqual(exportsOf(plain));
  });

  test("any number of threads gives the same bits", async () => {
    const [rows, inner, columns] = [200, 300, 130] as const;
    const [left, right] = [input("left", [rows, inner]), input("right", [inner, columns])];
    const results = [];
    for (const threads of [1, 2, 3]) {
      const random = new Random(3);
      const backend = await acquire(threads);
      const session = backend.createSession();
      const executable = await session.compile(defineGraph({ out: matmul(left, right) }));
      for (const leaf of [left, right])
        session.write(
          leaf,
          Float32Array.from({ length: leaf.size }, () => random.uniform(-1, 1)),
        );
      await executable.run(0, 20);
      results.push(await executable.read("out"));
      expect(backend.adapter.name).toBe(
        `WebAssembly, ${threads} ${threads === 1 ? "thread" : "threads"}, relaxed SIMD`,
      );
      backend.dispose();
    }
    expect(results[1]).toEqual(results[0]);
    expect(results[2]).toEqual(results[0]);
  });

  parityTests(() => acquire(2), [...products, ...convolutions]);
});
