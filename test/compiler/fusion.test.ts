import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Backend } from "../../src/backends/backend.ts";
import { builtInDigits } from "../../src/data/digits.ts";
import { standardization } from "../../src/data/dataset.ts";
import { defineGraph } from "../../src/graph/graph.ts";
import { parameter } from "../../src/graph/leaves.ts";
import { dense, dropout, sequential, type Layer } from "../../src/nn/index.ts";
import { matmul } from "../../src/ops/matmul/index.ts";
import { sum } from "../../src/ops/reduce/index.ts";
import { Random } from "../../src/random.ts";
import { createTrainer, type TrainerOptions } from "../../src/train/index.ts";
import { acquireBackend, withFloat16 } from "../gpu.ts";

const { train } = builtInDigits({ train: 2000, test: 1 });
const normalization = standardization(train.features);

function makeTrainer(backend: Backend, layers: Layer[], changes: Partial<TrainerOptions> = {}) {
  return createTrainer({
    model: sequential(layers, { inputShape: [784] }),
    dataset: train,
    backend,
    learningRate: 1e-3,
    batchSize: 64,
    epochs: 10,
    normalization,
    ...changes,
  });
}

const small = () => [dense(128, { activation: "relu" }), dense(10)];

/** Counts the calls of WebGPU's methods while `body` runs. */
async function countCalls(body: () => Promise<void>): Promise<Record<string, number>> {
  const methods = [
    [GPUDevice.prototype, ["createBuffer", "createBindGroup", "createComputePipeline", "createComputePipelineAsync"]],
    [GPUQueue.prototype, ["submit"]],
    [GPUCommandEncoder.prototype, ["beginComputePass"]],
    [GPUComputePassEncoder.prototype, ["dispatchWorkgroups"]],
  ] as const;
  const counts: Record<string, number> = {};
  const restore: (() => void)[] = [];
  for (const [prototype, names] of methods) {
    for (const name of names) {
      const original = Reflect.get(prototype, name) as (...all: unknown[]) => unknown;
      counts[name] = 0;
      Reflect.set(prototype, name, function (this: unknown, ...all: unknown[]) {
        counts[name]!++;
        return original.apply(this, all);
      });
      restore.push(() => Reflect.set(prototype, name, original));
    }
  }
  try {
    await body();
  } finally {
    for (const undo of restore) undo();
  }
  return counts;
}

describe("the cost of a step, on any machine", () => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await acquireBackend();
  });
  afterAll(() => backend.dispose());

  test.each([
    ["784-128-10", 7, {}],
    ["784-128-10, clipped", 9, { clipNorm: 1 }],
  ] as const)("with float16 products %s takes at most %i dispatches", async (_, most, changes) => {
    await withFloat16(backend, async () => {
      const trainer = await makeTrainer(backend, small(), { precision: "float16", ...changes });
      // A GPU adds the squares of so many gradients in parts, and the parts in another dispatch.
      const forParts = "clipNorm" in changes && !backend.adapter.software ? 1 : 0;
      expect(trainer.dispatches.length).toBeLessThanOrEqual(most + forParts);
      expect(trainer.dispatches.filter(({ kernel }) => kernel.startsWith("matmul float16")).length).toBe(5);
      trainer.dispose();
    });
  });

  test("784-128-10 with Adam is seven dispatches; twenty steps are one pass and one submit, and create nothing", async () => {
    const trainer = await makeTrainer(backend, small());
    expect(trainer.dispatches.length).toBe(7);
    for await (const { step } of trainer.fit({ every: 10, maxSteps: 10, stepsPerSubmit: 5 })) expect(step).toBe(10);
    const counts = await countCalls(async () => {
      for await (const { step } of trainer.fit({ every: 30, maxSteps: 20, stepsPerSubmit: 20 })) expect(step).toBe(30);
    });
    expect(counts.submit).toBe(1);
    expect(counts.beginComputePass).toBe(1);
    expect(counts.dispatchWorkgroups).toBe(140);
    for (const name of ["createBuffer", "createBindGroup", "createComputePipeline", "createComputePipelineAsync"])
      expect(counts[name]).toBe(0);
    trainer.dispose();
  });

  test("evaluating 10,000 images is one submit", async () => {
    const trainer = await makeTrainer(backend, small());
    const { train: images } = builtInDigits({ train: 10_000, test: 1 });
    await trainer.evaluate(images);
    const counts = await countCalls(async () => {
      expect((await trainer.evaluate(images)).count).toBe(10_000);
    });
    expect(counts.submit).toBe(1);
    expect(counts.createBuffer).toBe(0);
    trainer.dispose();
  });

  test("clipping by the global norm adds at most two dispatches", async () => {
    const trainer = await makeTrainer(backend, small(), { clipNorm: 1 });
    expect(trainer.dispatches.length).toBeLessThanOrEqual(9);
    trainer.dispose();
  });

  test("784-512-256-128-10 with dropout needs at most three more dispatches per additional layer", async () => {
    const hidden = [512, 256, 128].flatMap((width) => [dense(width, { activation: "relu" }), dropout(0.2)]);
    const trainer = await makeTrainer(backend, [...hidden, dense(10)]);
    expect(trainer.dispatches.length).toBeLessThanOrEqual(7 + 3 * 2);
    trainer.dispose();
  });
});

describe("all tilings give the same bits", () => {
  const random = new Random(11);
  const drawn = (rows: number, columns: number) =>
    parameter(
      "x",
      [rows, columns],
      Float32Array.from({ length: rows * columns }, () => random.uniform(-1, 1)),
    );
  const shapes = [
    [64, 784, 128],
    [17, 65, 3],
    [130, 33, 70],
    [1, 100, 9],
  ] as const;
  const cases = shapes.flatMap((shape) =>
    [false, true].flatMap((left) => [false, true].map((right) => ({ shape, left, right }))),
  );

  test.each(cases)(
    "matrix product $shape, transposed $left $right, with column sums",
    async ({ shape: [rows, inner, columns], left, right }) => {
      const a = left ? drawn(inner, rows) : drawn(rows, inner);
      const b = right ? drawn(columns, inner) : drawn(inner, columns);
      const graph = defineGraph({
        product: matmul(a, b, { transposeLeft: left, transposeRight: right }),
        sums: sum(b, { axes: 0 }),
      });
      const results = [];
      for (const features of [["subgroups"], []] as const) {
        const backend = await acquireBackend({ features });
        const executable = await backend.createSession().compile(graph);
        await executable.run(0, 1);
        results.push({ product: await executable.read("product"), sums: await executable.read("sums") });
        backend.dispose();
      }
      expect(results[1]).toEqual(results[0]);
    },
  );

  test.each(["float32", "float16"] as const)(
    "thirty steps with %s products end with the same parameters",
    async (precision) => {
      const snapshots: unknown[] = [];
      for (const features of [["subgroups", "shader-f16"], ["shader-f16"]] as const) {
        const backend = await acquireBackend({ features });
        const body = async () => {
          const trainer = await makeTrainer(backend, small(), { precision });
          for await (const { loss } of trainer.fit({ every: 30, maxSteps: 30 })) expect(loss).toBeGreaterThan(0);
          snapshots.push((await trainer.snapshot()).parameters);
        };
        await (precision === "float16" ? withFloat16(backend, body) : body());
        backend.dispose();
      }
      expect(snapshots[1]).toEqual(snapshots[0]);
    },
  );
});
