import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { compileAssembly, KERNELS } from "../../scripts/assembly/compile.ts";

/** The most that the kernels may be when packed by gzip: a third of what all of the backend may be. */
const MOST_BYTES = 13_500;

test("the kernels are small, and bring neither a memory nor data of their own", async () => {
  const bytes = readFileSync(await compileAssembly(KERNELS));
  expect(gzipSync(bytes).length).toBeLessThan(MOST_BYTES);
  const module = new WebAssembly.Module(bytes);
  expect(WebAssembly.Module.imports(module)).toEqual([
    { module: "env", name: "memory", kind: "memory" },
    { module: "env", name: "table", kind: "table" },
  ]);
  expect(new Set(WebAssembly.Module.exports(module).map(({ kind }) => kind))).toEqual(new Set(["function"]));
  // An instance leaves its memory as it is: data segments would be copied into it.
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 65_536, shared: true });
  const table = new WebAssembly.Table({ element: "anyfunc", initial: 1 });
  void new WebAssembly.Instance(module, { env: { memory, table } });
  expect(new Uint8Array(memory.buffer).every((byte) => byte === 0)).toBe(true);
});

test("what does not compile is refused with its place", async () => {
  const folder = mkdtempSync(join(tmpdir(), "wgrad-assembly-"));
  try {
    writeFileSync(join(folder, "index.ts"), "export function one(): i32 {\n  return unknown;\n}\n");
    await expect(compileAssembly(folder)).rejects.toThrow(/Cannot find name 'unknown'[^]*index\.ts\(2,10\)/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
