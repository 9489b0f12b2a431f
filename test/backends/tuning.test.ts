import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { NumericArray } from "../../src/backends/backend.ts";
import { createWebGPUBackend, type TuningResult, type TuningStore } from "../../src/backends/webgpu/index.ts";
import { defineGraph } from "../../src/graph/graph.ts";
import { parameter } from "../../src/graph/leaves.ts";
import { dawnGpu } from "../../src/node/dawn.ts";
import { fileTuningStore } from "../../src/node/tuning-store.ts";
import { matmul } from "../../src/ops/matmul/index.ts";
import { possibleTilings, productClass } from "../../src/ops/matmul/tilings.ts";
import { Random } from "../../src/random.ts";

const SHAPE = { rows: 19, inner: 33, columns: 21, transposeLeft: false, transposeRight: false, precision: "float32" } as const;
const random = new Random(5);
const drawn = (count: number) => Float32Array.from({ length: count }, () => random.uniform(-1, 1));
const values = { left: drawn(19 * 33), right: drawn(33 * 21) };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "wgrad-tuning-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** The product by a backend with a store, and the lines it logged. */
async function product(tuning?: TuningStore): Promise<{ result: NumericArray; lines: string[]; grid: string }> {
  const lines: string[] = [];
  const backend = await createWebGPUBackend(dawnGpu(), { tuning, log: (line) => lines.push(line) });
  const graph = defineGraph({ product: matmul(parameter("left", [19, 33], values.left), parameter("right", [33, 21], values.right)) });
  const executable = await backend.createSession().compile(graph);
  await executable.run(0, 1);
  const result = await executable.read("product");
  backend.dispose();
  return { result, lines, grid: executable.dispatches[0]!.grid.join() };
}

/** A store that holds one text, whatever the key. */
const holding = (text: string): TuningStore => ({ load: async () => text, save: async () => {} });

test("every tiling, kept as a choice, is used and gives the bits of the rule of thumb", async () => {
  const { result } = await product();
  const grids = new Set<string>();
  const limits = { bindingElements: 2 ** 25, gridSize: 65_535, workgroupThreads: 256, workgroupBytes: 32_768, usefulThreads: 4096, subgroupSize: 8 };
  for (const name of Object.keys(possibleTilings(limits))) {
    const kept = await product(holding(JSON.stringify({ [productClass(SHAPE)]: name })));
    expect(kept.result, name).toEqual(result);
    expect(kept.lines).toEqual([]);
    grids.add(kept.grid);
  }
  expect(grids.size).toBeGreaterThan(3);
});

test.each(["", "not JSON", "[1]", "7", "null", '{"a": 1}'])("kept choices that read %j are ignored with one line", async (text) => {
  const [usual, corrupt] = [await product(), await product(holding(text))];
  expect(corrupt.lines.length).toBe(1);
  expect(corrupt.lines[0]).toMatch(/The tuner's kept choices .* ignored\./);
  expect(corrupt.result).toEqual(usual.result);
});

test("an unknown tiling or class is no choice", async () => {
  const { result, grid } = await product();
  const other = await product(holding(JSON.stringify({ [productClass(SHAPE)]: "9×9 outputs", nonsense: "8×8 outputs" })));
  expect(other).toEqual({ result, grid, lines: [] });
});

test("tuning times every possible tiling, keeps a choice per class, and the next backend uses it", { timeout: 120_000 }, async () => {
  const store = fileTuningStore(folder);
  const results: TuningResult[] = [];
  const backend = await createWebGPUBackend(dawnGpu(), { tuning: store });
  await backend.tune([SHAPE, { ...SHAPE, rows: 17 }], (result) => results.push(result));
  backend.dispose();
  expect(new Set(results.map(({ product: name }) => name))).toEqual(new Set([productClass(SHAPE)]));
  expect(results.length).toBeGreaterThan(5);
  expect(results.every(({ milliseconds }) => milliseconds !== undefined && milliseconds > 0)).toBe(true);
  const fastest = results.reduce((best, result) => (result.milliseconds! < best.milliseconds! ? result : best));
  let kept: string | undefined;
  const spied: TuningStore = { ...store, load: async (key) => (kept = await store.load(key)) };
  const { lines } = await product(spied);
  expect(JSON.parse(kept!)).toEqual({ [productClass(SHAPE)]: fastest.tiling });
  expect(lines).toEqual([]);
});
