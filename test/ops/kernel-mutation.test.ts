/*
 * Tests of the tests: a kernel that leaves out the last row or column of its result must be detected.
 */
import { describe, expect, test } from "vitest";
import { defineGraph } from "../../src/graph/graph.ts";
import { acquireBackend, acquireGuardedBackend } from "../gpu.ts";
import { allCases } from "./all-cases.ts";
import type { OpCase } from "./cases.ts";
import { check, judgeCase, runJudged, type JudgedCase } from "./parity.ts";

/** One case per op: the first whose result has rows and columns. */
const chosen = [...new Set(allCases.flatMap(({ covers }) => covers))].map((op) => {
  const covering = allCases.filter(({ covers }) => covers.includes(op));
  const two = ({ inputs }: OpCase) =>
    Object.values(inputs).some(({ shape }) => shape.length > 1 && shape.every((size) => size > 1));
  return { op, opCase: covering.find(two) ?? covering[0]! };
});

/** A product in float16 has its own WGSL. */
const half = { op: "matmul, float16", opCase: allCases.find(({ name }) => name.endsWith("float16"))! };

type Rewrite = (code: string, module: number) => string;

/** Runs `body` while the WGSL of every shader is modified before it is compiled. */
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

/** The functions of a kernel that receive its results, with the shape in their first line. */
function finishesOf(code: string): { name: string; rows: number; columns: number }[] {
  return [...code.matchAll(/fn (finish\w*)\([^)]*\) \{\n +\/\/ \w+\[([^\]]*)\]/g)].map(([, name, shape]) => {
    const sizes = shape === "" ? [] : shape!.split(", ").map(Number);
    const columns = sizes.at(-1) ?? 1;
    return { name: name!, rows: sizes.reduce((product, size) => product * size, 1) / columns, columns };
  });
}

const leaveOut = (name: string, condition: string) => (code: string) =>
  code.replace(new RegExp(`fn ${name}\\([^)]*\\) \\{\n`), (head) => `${head}    if (${condition}) { return; }\n`);

/** Whether the check of a case fails when its graph runs on a new device. */
async function isFound(judged: JudgedCase): Promise<boolean> {
  const backend = await acquireGuardedBackend();
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

async function modulesOf({ outputs }: JudgedCase): Promise<string[]> {
  const modules: string[] = [];
  const backend = await acquireBackend();
  const note: Rewrite = (code) => {
    modules.push(code);
    return code;
  };
  await withRewrittenShaders(note, () => backend.createSession().compile(defineGraph(outputs)));
  backend.dispose();
  return modules;
}

describe("a kernel that leaves out the end of its result is detected", () => {
  test.each([...chosen, half])("$op", async ({ opCase }) => {
    const judged = await judgeCase(opCase, 1);
    expect(await isFound(judged)).toBe(false);
    const modules = await modulesOf(judged);
    for (const [module, code] of modules.entries()) {
      const finishes = finishesOf(code);
      expect(finishes.length).toBeGreaterThan(0);
      for (const { name, rows, columns } of finishes) {
        for (const condition of [`row == ${rows - 1}u`, `column == ${columns - 1}u`]) {
          const mutate = leaveOut(name, condition);
          expect(mutate(code)).not.toBe(code);
          const rewrite: Rewrite = (other, position) => (position === module ? mutate(other) : other);
          expect(
            await withRewrittenShaders(rewrite, () => isFound(judged)),
            `${name} of module ${module} without ${condition}`,
          ).toBe(true);
        }
      }
    }
  });
});
