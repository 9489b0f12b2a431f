/* The tests are tested: a kernel that leaves out the last row or the last column of its result must be found. */
import { describe, expect, test } from "vitest";
import type { DispatchDescription } from "../../src/backends/backend.ts";
import { defineGraph } from "../../src/graph/graph.ts";
import { acquireBackend } from "../gpu.ts";
import { allCases } from "./all-cases.ts";
import type { OpCase } from "./cases.ts";
import { check, judgeCase, runJudged, type JudgedCase } from "./parity.ts";

/** One case for each op: the first whose result has rows and columns. */
const chosen = [...new Set(allCases.flatMap(({ covers }) => covers))].map((op) => {
  const covering = allCases.filter(({ covers }) => covers.includes(op));
  const two = ({ inputs }: OpCase) => Object.values(inputs).some(({ shape }) => shape.length > 1 && shape.every((size) => size > 1));
  return { op, opCase: covering.find(two) ?? covering[0]! };
});

type Rewrite = (code: string, module: number) => string;

/** Runs `body` while every shader's WGSL is rewritten on its way to the device. */
async function withRewrittenShaders<T>(rewrite: Rewrite, body: () => Promise<T>): Promise<T> {
  const prototype = GPUDevice.prototype;
  const original = prototype.createShaderModule;
  let modules = 0;
  prototype.createShaderModule = function (this: GPUDevice, descriptor) {
    return original.call(this, { ...descriptor, code: rewrite(descriptor.code, modules++) });
  };
  try {
    return await body();
  } finally {
    prototype.createShaderModule = original;
  }
}

/** Rows and columns in which a kernel counts its first result. */
function resultShape({ shapes }: DispatchDescription, code: string): { rows: number; columns: number } {
  const [written] = /(?<=\[)[^\]]*(?=\])/.exec(shapes.slice(shapes.indexOf("→")))!;
  const size = written === "" ? 1 : written.split(", ").reduce((product, axis) => product * Number(axis), 1);
  const columns = Number(/const OUTPUT_COLUMNS = (\d+)u/.exec(code)![1]);
  return { rows: size / columns, columns };
}

const leaveOut = (condition: string) => (code: string) =>
  code.replace(/fn finish\([^)]*\) \{\n/, (head) => `${head}    if (${condition}) { return; }\n`);

/** Whether the check of a case fails when its graph runs on a new device. */
async function isFound(judged: JudgedCase): Promise<boolean> {
  const backend = await acquireBackend({ guards: true });
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

async function dispatchesOf({ outputs }: JudgedCase): Promise<{ dispatches: readonly DispatchDescription[]; modules: string[] }> {
  const modules: string[] = [];
  const backend = await acquireBackend();
  const note: Rewrite = (code) => {
    modules.push(code);
    return code;
  };
  const { dispatches } = await withRewrittenShaders(note, () => backend.createSession().compile(defineGraph(outputs)));
  backend.dispose();
  return { dispatches, modules };
}

describe("a kernel that leaves out the end of its result is found", () => {
  test.each(chosen)("$op", async ({ opCase }) => {
    const judged = await judgeCase(opCase, 1);
    expect(await isFound(judged)).toBe(false);
    const { dispatches, modules } = await dispatchesOf(judged);
    // Equal kernels are compiled once, so that a module may stand for several dispatches.
    expect(modules.length).toBeLessThanOrEqual(dispatches.length);
    if (modules.length < dispatches.length) return;
    for (const [module, dispatch] of dispatches.entries()) {
      const { rows, columns } = resultShape(dispatch, modules[module]!);
      for (const condition of [`row == ${rows - 1}u`, `column == ${columns - 1}u`]) {
        const mutate = leaveOut(condition);
        expect(mutate(modules[module]!)).not.toBe(modules[module]);
        const rewrite: Rewrite = (code, position) => (position === module ? mutate(code) : code);
        expect(await withRewrittenShaders(rewrite, () => isFound(judged)), `${dispatch.kernel} without ${condition}`).toBe(true);
      }
    }
  });
});
