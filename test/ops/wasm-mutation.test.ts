/* The tests are tested: functions that leave out the first or the last of their units must be found. */
import { describe, expect, test } from "vitest";
import type { Backend } from "../../src/backends/backend.ts";
import type { ThreadFunction } from "../../src/backends/wasm/threads/pool.ts";
import { acquireWasm, acquireWasmBackend } from "../wasm.ts";
import { caseOfEachOp } from "./all-cases.ts";
import { check, judgeCase, runJudged, type JudgedCase } from "./parity.ts";

type Change = (compute: ThreadFunction) => ThreadFunction;

/** A backend on one thread, of which every function is changed, and how many there were. What no function writes is NaN. */
async function changedBackend(change: Change): Promise<{ backend: Backend; functions(): number }> {
  const opened = await acquireWasm(1);
  const device = opened.device();
  const { memory } = device;
  const functionAt = device.functionAt.bind(device);
  const allocate = memory.allocate.bind(memory);
  let functions = 0;
  device.functionAt = (index) => {
    functions++;
    return change(functionAt(index));
  };
  memory.allocate = (bytes, label) => {
    const block = allocate(bytes, label);
    memory.bytes.fill(0xff, block.address, block.address + block.bytes);
    return block;
  };
  return { backend: opened.backend, functions: () => functions };
}

/** Whether the check of a case fails on a backend. */
async function isFound(judged: JudgedCase, backend: Backend): Promise<boolean> {
  try {
    const results = await runJudged(backend, judged);
    for (const [output, values] of Object.entries(results)) check(judged, output, values);
    return false;
  } catch (error) {
    expect(String(error)).toContain("the reference is");
    return true;
  } finally {
    backend.dispose();
  }
}

const mutations: Readonly<Record<string, Change>> = {
  "the first unit": (compute) => (args, start, end, scratch) => compute(args, start + 1, end, scratch),
  "the last unit": (compute) => (args, start, end, scratch) => compute(args, start, end - 1, scratch),
};

/** Its gradient multiplies the upstream by 1 with a function, and takes none of the first and the last elements from it. */
const others = caseOfEachOp.filter(({ op }) => op !== "pad");

describe.each(Object.entries(mutations))("functions that leave out %s are found", (_, mutate) => {
  test.each(others)("$op", async ({ opCase }) => {
    const judged = await judgeCase(opCase, 1);
    expect(await isFound(judged, await acquireWasmBackend())).toBe(false);
    const { backend, functions } = await changedBackend(mutate);
    const found = await isFound(judged, backend);
    // An op that runs its reference loop has no function to change.
    expect(found).toBe(functions() > 0);
  });
});
