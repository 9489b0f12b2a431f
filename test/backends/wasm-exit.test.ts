import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";

test.each([
  ["with", ["dispose"]],
  ["without", []],
])("Node exits by itself after work of several threads, %s dispose", async (_, given) => {
  const program = ["scripts/run.mjs", "test/backends/wasm-exit.ts", ...given];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, program, { timeout: 50_000 });
  expect(stdout).toBe("WebAssembly, 3 threads: 1000000\n");
  expect(stderr).toBe("");
});
