/*
 * Tests of the tests: a kernel that leaves out the last row or column of its result must be detected.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Backend } from "../../src/backends/backend.ts";
import { PipelineCache } from "../../src/device/pipelines.ts";
import { acquireGuardedBackend } from "../gpu.ts";
import { allCases, caseOfEachOp } from "./all-cases.ts";
import { check, judgeCase, runJudged, type JudgedCase } from "./parity.ts";

/** A product in float16 has its own WGSL. */
const half = { op: "matmul, float16", opCase: allCases.find(({ name }) => name.endsWith("float16"))! };

type Rewrite = (code: string) => string;

/**
 * Runs `body` while the WGSL of each kernel is rewritten before the device looks for its pipeline. So kernels that stay the same
 * are compiled once for all tests.
 */
async function withRewrittenKernels<T>(rewrite: Rewrite, body: () => Promise<T>): Promise<T> {
  const original = PipelineCache.prototype.get;
  PipelineCache.prototype.get = function (this: PipelineCache, code, ...others) {
    return original.call(this, rewrite(code), ...others);
  };
  try {
    return await body();
  } finally {
    PipelineCache.prototype.get = original;
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

let backend: Backend;
beforeAll(async () => {
  // A dispatch of several kernels, as GPUs have it, has other functions.
  backend = await acquireGuardedBackend({ mergeKernels: false });
});
afterAll(() => backend.dispose());

/** Whether the check of a case fails. */
async function isFound(judged: JudgedCase): Promise<boolean> {
  try {
    const results = await runJudged(backend, judged);
    for (const [output, values] of Object.entries(results)) check(judged, output, values);
    return false;
  } catch (error) {
    expect(String(error)).toContain("the reference is");
    return true;
  }
}

describe("a kernel that leaves out the end of its result is detected", () => {
  test.each([...caseOfEachOp, half])("$op", async ({ opCase }) => {
    const judged = await judgeCase(opCase, 1);
    const kernels = new Set<string>();
    const note: Rewrite = (code) => {
      kernels.add(code);
      return code;
    };
    expect(await withRewrittenKernels(note, () => isFound(judged))).toBe(false);
    expect(kernels.size).toBeGreaterThan(0);
    for (const kernel of kernels) {
      const finishes = finishesOf(kernel);
      expect(finishes.length).toBeGreaterThan(0);
      for (const { name, rows, columns } of finishes) {
        for (const condition of [`row == ${rows - 1}u`, `column == ${columns - 1}u`]) {
          const mutate = leaveOut(name, condition);
          expect(mutate(kernel)).not.toBe(kernel);
          const rewrite: Rewrite = (code) => (code === kernel ? mutate(code) : code);
          expect(
            await withRewrittenKernels(rewrite, () => isFound(judged)),
            `${name} without ${condition} in\n${kernel}`,
          ).toBe(true);
        }
      }
    }
  });
});
