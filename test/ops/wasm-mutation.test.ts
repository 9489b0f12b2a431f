/* The tests are tested: functions that leave out the first or the last of their units must be found. */
import { describe, expect, test } from "vitest";
import type { Backend } from "../../src/backends/backend.ts";
import type { ThreadFunction } from "../../src/backends/wasm/threads/pool.ts";
import { acquireWasm, acquireWasmBackend } from "../wasm.ts";
import { allCases } from "./all-cases.ts";
import type { OpCase } from "./cases.ts";
import { check, judgeCase, runJudged, type JudgedCase } from "./parity.ts";

/** One case for each op: the first whose result has rows and columns. */
const chosen = [...new Set(allCases.flatMap(({ covers }) => covers))].map((op) => {
  const covering = allCases.filter(({ covers }) => covers.includes(op));
  const two = ({ inputs }: OpCase) =>
    Object.values(inputs).some(({ shape }) => shape.length > 1 && shape.every((size) => size > 1));
  return { op, opCase: covering.find(two) ?? covering[0]! };
});

type Change = (compute: ThreadFunction) => ThreadFunction;

/** A backend on one thread, of which every function is changed. What no function writes is NaN. */
async function changedBackend(change: Change): Promise<Backend> {
  const opened = await acquireWasm(1);
  const device = opened.device();
  const { memory } = device;
  const functionAt = device.functionAt.bind(device);
  const allocate = memory.allocate.bind(memory);
  device.functionAt = (index) => change(functionAt(index));
  memory.allocate = (bytes, label) => {
    const block = allocate(bytes, label);
    memory.bytes.fill(0xff, block.address, block.address + block.bytes);
    return block;
  };
  return opened.backend;
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

describe.each(Object.entries(mutations))("functions that leave out %s are found", (_, mutate) => {
  test.each(chosen)("$op", async ({ opCase }) => {
    const judged = await judgeCase(opCase, 1);
    expect(await isFound(judged, await acquireWasmBackend())).toBe(false);
    expect(await isFound(judged, await changedBackend(mutate))).toBe(true);
  });
});
