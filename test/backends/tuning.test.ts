import { IDBFactory } from "fake-indexeddb";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { NumericArray } from "../../src/backends/backend.ts";
import { browserTuningStore } from "../../src/backends/webgpu/browser-store.ts";
import { createWebGPUBackend } from "../../src/backends/on-demand.ts";
import type { TuningResult, TuningStore } from "../../src/backends/webgpu/index.ts";
import { launchLimitsOf } from "../../src/backends/webgpu/rules.ts";
import { Choices } from "../../src/backends/webgpu/tuning-choices.ts";
import { openDevice } from "../../src/device/device.ts";
import { defineGraph } from "../../src/graph/graph.ts";
import { parameter } from "../../src/graph/leaves.ts";
import { dawnGpu } from "../../src/node/dawn.ts";
import { fileTuningStore } from "../../src/node/tuning-store.ts";
import { conv2d } from "../../src/ops/convolution/index.ts";
import { square } from "../../src/ops/elementwise/index.ts";
import { gradients } from "../../src/ops/gradients.ts";
import { matmul, matrixProducts } from "../../src/ops/matmul/index.ts";
import { mean } from "../../src/ops/reduce/index.ts";
import type { LaunchLimits } from "../../src/ops/kernel.ts";
import { promisingTilings, tunedTilings } from "../../src/ops/matmul/webgpu-candidates.ts";
import { innerParts } from "../../src/ops/matmul/webgpu-inner-parts.ts";
import { shuffleTilings } from "../../src/ops/matmul/webgpu-shuffle-tilings.ts";
import { possibleTilings, productClass, usualTiling, type Tiling } from "../../src/ops/matmul/webgpu-tilings.ts";
import { Random } from "../../src/random.ts";
import { softwareLimits } from "../launch-limits.ts";

const SHAPE = {
  rows: 19,
  inner: 33,
  columns: 21,
  transposeLeft: false,
  transposeRight: false,
  precision: "float32",
} as const;
const random = new Random(5);
const drawn = (count: number) => Float32Array.from({ length: count }, () => random.uniform(-1, 1));
const values = { left: drawn(19 * 33), right: drawn(33 * 21) };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "wgrad-tuning-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** The product on a backend with a store, and the lines that it logged. */
async function product(tuning?: TuningStore): Promise<{ result: NumericArray; lines: string[]; grid: string }> {
  const lines: string[] = [];
  const backend = await createWebGPUBackend(dawnGpu(), { tuning, log: (line) => lines.push(line) });
  const graph = defineGraph({
    product: matmul(parameter("left", [19, 33], values.left), parameter("right", [33, 21], values.right)),
  });
  const executable = await backend.createSession().compile(graph);
  await executable.run(0, 1);
  const result = await executable.read("product");
  backend.dispose();
  return { result, lines, grid: executable.dispatches[0]!.grid.join() };
}

const source = dawnGpu();
const device = await openDevice(source);
afterAll(() => {
  device.destroy();
  source.release();
});

/** The limits of this machine's adapter. */
const adapterLimits = launchLimitsOf(device);

const gridOf = ({ tileRows, tileColumns }: Tiling) =>
  [Math.ceil(SHAPE.columns / tileColumns), Math.ceil(SHAPE.rows / tileRows), 1].join();

/** A store that returns the same text for all keys. */
const holding = (text: string): TuningStore => ({ load: async () => text, save: async () => {} });

/** Of a software adapter with subgroups of eight. */
const limits = { ...softwareLimits, workgroupBytes: 32_768, mostBindings: 9, subgroupSize: 8 };

test("every tiling can be chosen, and gives the same bits as the rule of thumb", async () => {
  const { result } = await product();
  const grids = new Set<string>();
  for (const name of Object.keys(possibleTilings(SHAPE, adapterLimits))) {
    const kept = await product(holding(JSON.stringify({ [productClass(SHAPE)]: name })));
    expect(kept.result, name).toEqual(result);
    expect(kept.lines).toEqual([]);
    grids.add(kept.grid);
  }
  expect(grids.size).toBeGreaterThan(3);
});

test.each(["", "not JSON", "[1]", "7", "null", '{"a": 1}'])(
  "stored choices that read %j are ignored with one line",
  async (text) => {
    const [usual, corrupt] = [await product(), await product(holding(text))];
    expect(corrupt.lines.length).toBe(1);
    expect(corrupt.lines[0]).toMatch(/The tuner's stored choices .* ignored\./);
    expect(corrupt.result).toEqual(usual.result);
  },
);

test("ignores an unknown tiling or class", async () => {
  const { result, grid } = await product();
  const other = await product(
    holding(JSON.stringify({ [productClass(SHAPE)]: "9×9 outputs", nonsense: "8×8 outputs" })),
  );
  expect(other).toEqual({ result, grid, lines: [] });
});

test("full tuning measures every possible tiling, stores a choice per class, and the next backend uses it", async () => {
  const store = fileTuningStore(folder);
  const results: TuningResult[] = [];
  const backend = await createWebGPUBackend(dawnGpu(), { tuning: store });
  const tuned = await backend.tune([SHAPE, { ...SHAPE, rows: 17 }], (result) => results.push(result), { full: true });
  backend.dispose();
  expect(tuned.untimed).toEqual([]);
  expect(new Set(results.map(({ product: name }) => name))).toEqual(new Set([productClass(SHAPE)]));
  expect(results.map(({ tiling }) => tiling)).toEqual(tunedTilings(SHAPE, adapterLimits));
  expect(results.every(({ milliseconds }) => milliseconds !== undefined && milliseconds > 0)).toBe(true);
  const fastest = results.reduce((best, result) => (result.milliseconds! < best.milliseconds! ? result : best));
  let kept: string | undefined;
  const spied: TuningStore = { ...store, load: async (key) => (kept = await store.load(key)) };
  const { lines } = await product(spied);
  expect(JSON.parse(kept!)).toEqual({ [productClass(SHAPE)]: fastest.tiling });
  expect(lines).toEqual([]);
});

const products = [SHAPE, { ...SHAPE, rows: 128, inner: 90 }];

test("brief tuning measures a few tilings of one kind, that of the rule of thumb first, and larger products first", async () => {
  const results: TuningResult[] = [];
  const backend = await createWebGPUBackend(dawnGpu());
  const { choices, untimed } = await backend.tune(products, (result) => results.push(result), { budget: 60_000 });
  backend.dispose();
  expect(untimed).toEqual([]);
  expect(Object.keys(choices)).toEqual([productClass(products[1]!), productClass(SHAPE)]);
  for (const shape of products) {
    const timed = results.filter((result) => result.product === productClass(shape));
    expect(timed.map(({ tiling }) => tiling)).toEqual(promisingTilings(shape, adapterLimits));
    expect(timed.length).toBeLessThanOrEqual(adapterLimits.software ? 5 : 12);
    expect(timed[0]!.tiling).toBe(usualTiling(shape, adapterLimits));
  }
});

/** A convolution with the gradient of its weights, and a product of three pairs of matrices of which two share one. */
function otherProducts() {
  const image = parameter("image", [2, 7, 7, 3], drawn(294));
  const weights = parameter("weights", [3, 3, 3, 5], drawn(135));
  const convolved = conv2d(image, weights);
  const [left, right] = [parameter("left", [3, 9, 20], drawn(540)), parameter("right", [1, 20, 6], drawn(120))];
  return defineGraph({
    convolved,
    gradient: gradients(mean(square(convolved)), [weights])[0],
    batched: matmul(left, right),
  });
}

test("convolutions and batched products have classes of their own, whose choices are used and give the same bits", async () => {
  const graph = otherProducts();
  const found = matrixProducts(graph);
  const names = ["64×32 patches · 32×4", "32×64ᵀ patches · 64×4", "4 of 8×16 · 16×8"];
  expect(found.map(productClass).sort()).toEqual(names.toSorted());
  let text = "";
  const store: TuningStore = {
    load: async () => text || undefined,
    save: async (_key, saved) => void (text = saved),
  };
  const backend = await createWebGPUBackend(dawnGpu(), { tuning: store });
  const results: TuningResult[] = [];
  const tuned = await backend.tune(found, (result) => results.push(result), { budget: 60_000 });
  backend.dispose();
  expect(Object.keys(tuned.choices).sort()).toEqual(names.toSorted());
  expect(results.every(({ milliseconds }) => milliseconds! > 0)).toBe(true);

  const computed = async (choices: Readonly<Record<string, string>>) => {
    const tuning = holding(JSON.stringify(choices));
    // Kernels that share a dispatch, as on a GPU, have one workgroup.
    const other = await createWebGPUBackend(dawnGpu(), { tuning, mergeKernels: false });
    const executable = await other.createSession().compile(graph);
    await executable.run(0, 1);
    const read = await Promise.all(["convolved", "gradient", "batched"].map((name) => executable.read(name)));
    other.dispose();
    return { values: read, grids: executable.dispatches.map(({ grid }) => grid.join()).join(" ") };
  };
  const usual = await computed({});
  for (const [at, entry] of found.entries()) {
    const changed = promisingTilings(entry, adapterLimits).at(-1)!;
    const other = await computed({ [productClass(entry)]: changed });
    expect(other.values, names[at]!).toEqual(usual.values);
    expect(other.grids, names[at]!).not.toBe(usual.grids);
  }
});

test("a session keeps the choices from when it was created", async () => {
  const saved: string[] = [];
  const store: TuningStore = { load: async () => '{"a": "1"}', save: async (_key, text) => void saved.push(text) };
  const choices = new Choices(store, "key", () => {});
  await choices.load();
  const { current } = choices;
  await choices.add({ a: "2", b: "3" });
  expect(current).toEqual({ a: "1" });
  expect(choices.current).toEqual({ a: "2", b: "3" });
  expect(saved.map((text) => JSON.parse(text))).toEqual([choices.current]);
});

test("without time left, no class is started, and the previous choices remain", async () => {
  const backend = await createWebGPUBackend(dawnGpu());
  const report = () => expect.fail("nothing should be timed");
  expect(await backend.tune(products, report, { budget: 0 })).toEqual({
    choices: {},
    untimed: [productClass(products[1]!), productClass(SHAPE)],
  });
  backend.dispose();
});

/** Of a shape on a device: the rule of thumb is a possible tiling, and the first promising one. */
function requireExistingTilings(on: LaunchLimits): void {
  const sizes = [1, 3, 8, 10, 17, 64, 784];
  for (const rows of sizes) {
    for (const [position, columns] of sizes.entries()) {
      const shape = { ...SHAPE, rows, columns, inner: sizes.at(-position)! };
      expect(Object.keys(possibleTilings(shape, on))).toContain(usualTiling(shape, on));
      expect(promisingTilings(shape, on)[0]).toBe(usualTiling(shape, on));
    }
  }
}

test("the rule of thumb returns an existing tiling for any shape and device", () => {
  for (const subgroupSize of [undefined, 4, 8, 32]) requireExistingTilings({ ...limits, subgroupSize });
  for (const subgroupSize of [16, 32, 64]) requireExistingTilings({ ...limits, software: false, subgroupSize });
  // The least that WebGPU guarantees.
  requireExistingTilings({ ...limits, software: false, workgroupBytes: 16_384 });
});

test("a GPU with subgroups of one size has candidates with shuffles, after those of the rule of thumb", () => {
  const gpu = { ...limits, software: false, workgroupThreads: 1024 };
  const isShuffle = (name: string) => name.endsWith(", shuffles");
  // A small product, of which a tile with shuffles computes half of the outputs that any other does.
  for (const sizes of [
    { rows: 64, inner: 784, columns: 128 },
    { rows: 4, inner: 40, columns: 20 },
  ]) {
    const shape = { ...SHAPE, ...sizes };
    const others = promisingTilings(shape, { ...gpu, subgroupSize: undefined });
    for (const subgroupSize of [16, 32, 64]) {
      const on = { ...gpu, subgroupSize };
      const candidates = promisingTilings(shape, on);
      expect(candidates.filter((name) => !isShuffle(name))).toEqual(others);
      const added = candidates.slice(others.length);
      expect(added.every(isShuffle)).toBe(true);
      expect(added.length).toBeGreaterThan(0);
      expect(added.length).toBeLessThanOrEqual(4);
      expect(tunedTilings(shape, on)).toEqual(expect.arrayContaining(candidates));
      expect(isShuffle(tunedTilings(shape, on)[0]!)).toBe(false);
    }
    for (const subgroupSize of [undefined, 4, 8, 128])
      expect(tunedTilings(shape, { ...gpu, subgroupSize }).some(isShuffle)).toBe(false);
    expect(tunedTilings(shape, { ...limits, subgroupSize: 32 }).some(isShuffle)).toBe(false);
  }
});

test("no tiling with shuffles has more threads or workgroup memory than the device allows", () => {
  const shape = { ...SHAPE, rows: 64, inner: 784, columns: 128 };
  const on = { ...limits, software: false, subgroupSize: 32, workgroupThreads: 512, workgroupBytes: 16_384 };
  const { count } = innerParts(shape, on);
  const found = Object.values(shuffleTilings(shape, on)).map(({ constants }) => constants);
  expect(count).toBe(10);
  expect(found.length).toBeGreaterThan(0);
  for (const { LANES, THREAD_COLUMNS, PART_SUBGROUPS } of found) {
    expect(count * PART_SUBGROUPS * LANES).toBeLessThanOrEqual(512);
    expect(4 * count * PART_SUBGROUPS * LANES * THREAD_COLUMNS).toBeLessThanOrEqual(16_384);
  }
});

describe("choices stored in IndexedDB", () => {
  beforeEach(() => void vi.stubGlobal("indexedDB", new IDBFactory()));
  afterEach(() => void vi.unstubAllGlobals());

  test("can be loaded again by their key only", async () => {
    const store = browserTuningStore();
    expect(await store.load("a")).toBeUndefined();
    await store.save("a", "1");
    await store.save("a", "2");
    expect(await browserTuningStore().load("a")).toBe("2");
    expect(await store.load("b")).toBeUndefined();
    expect(await browserTuningStore("another").load("a")).toBeUndefined();
  });

  test("cold and warm: a backend uses the choices of another one", async () => {
    const store = browserTuningStore();
    let key = "";
    const cold = await product({ ...store, load: (asked) => store.load((key = asked)) });
    const [name, tiling] = Object.entries(possibleTilings(SHAPE, adapterLimits)).find(
      ([, one]) => gridOf(one) !== cold.grid,
    )!;
    await store.save(key, JSON.stringify({ [productClass(SHAPE)]: name }));
    const warm = await product(browserTuningStore());
    expect(cold.lines).toEqual([]);
    expect(warm).toMatchObject({ result: cold.result, lines: [] });
    expect(warm.grid).toBe(gridOf(tiling));
  });

  test("if they are corrupt, or the browser stores nothing, one line is logged and rules of thumb are used", async () => {
    const store = browserTuningStore();
    const usual = await product();
    const corrupt = await product({ ...store, load: async (key) => (await store.save(key, "{"), store.load(key)) });
    vi.stubGlobal("indexedDB", {
      open: () => {
        throw new Error("storage is off");
      },
    });
    const refused = await product(browserTuningStore());
    for (const found of [corrupt, refused]) {
      expect(found.lines.length).toBe(1);
      expect(found.result).toEqual(usual.result);
      expect(found.grid).toBe(usual.grid);
    }
    expect(refused.lines[0]).toContain("storage is off");
  });
});
