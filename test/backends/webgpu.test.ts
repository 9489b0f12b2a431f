import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { Backend } from "../../src/backends/backend.ts";
import { createCpuBackend } from "../../src/backends/cpu/index.ts";
import { DeviceError, DeviceLostError } from "../../src/errors.ts";
import { defineGraph, type Graph } from "../../src/graph/graph.ts";
import { constant, input, parameter, state, stepScalar } from "../../src/graph/leaves.ts";
import { add, multiply, relu, subtract } from "../../src/ops/elementwise/index.ts";
import { gradients } from "../../src/ops/gradients.ts";
import { pack } from "../../src/ops/layout/index.ts";
import { softmaxCrossEntropy } from "../../src/ops/losses/index.ts";
import { matmul } from "../../src/ops/matmul/index.ts";
import { mean, sum } from "../../src/ops/reduce/index.ts";
import { takeBatch } from "../../src/ops/gather/index.ts";
import { Random } from "../../src/random.ts";
import { acquireBackend, acquireGuardedBackend, acquireLosableBackend, CreationCounter } from "../gpu.ts";

const random = new Random(42);
const uniform = (count: number) => Float32Array.from({ length: count }, () => random.uniform(-1, 1));

/** A two-layer network trained by gradient descent on random bytes, 13 per example so that rows need padding. */
function trainingGraph() {
  const examples = 40;
  const images = input("images", [examples, 13], "uint8");
  const labels = input("labels", [examples], "uint32");
  const order = input("order", [examples], "uint32");
  const weights = new Random(7);
  const normal = (count: number) => Float32Array.from({ length: count }, () => weights.normal(0, 0.3));
  const parameters = [
    parameter("w1", [13, 24], normal(13 * 24)),
    parameter("b1", [24], normal(24)),
    parameter("w2", [24, 5], normal(24 * 5)),
    parameter("b2", [5], normal(5)),
  ] as const;
  const start = stepScalar("start", (step) => (step * 8) % examples, "uint32");
  const x = takeBatch(images, { order, start, count: 8, scale: 1 / 128, offset: -1 });
  const hidden = relu(add(matmul(x, parameters[0]), parameters[1]));
  const logits = add(matmul(hidden, parameters[2]), parameters[3]);
  const loss = softmaxCrossEntropy(logits, takeBatch(labels, { order, start, count: 8 }));
  const flat = pack(parameters);
  const moment = state("moment", flat.shape);
  const nextMoment = add(multiply(moment, 0.9), pack(gradients(loss, parameters)));
  const rate = stepScalar("learning rate", (step) => 0.05 / (1 + step / 100));
  const graph = defineGraph({ loss }, [
    { target: moment, value: nextMoment },
    { target: flat, value: subtract(flat, multiply(nextMoment, rate)) },
  ]);
  const data = new Random(3);
  const values = {
    images: Uint8Array.from({ length: examples * 13 }, () => data.below(256)),
    labels: Uint32Array.from({ length: examples }, () => data.below(5)),
    order: data.permutation(examples),
  };
  return { graph, parameters, images, labels, order, values };
}

async function prepare(backend: Backend, training = trainingGraph()) {
  const session = backend.createSession();
  const executable = await session.compile(training.graph);
  for (const name of ["images", "labels", "order"] as const) session.write(training[name], training.values[name]);
  return { session, executable, ...training };
}

const valuesOf = async (backend: Backend, graph: Graph, output: string) => {
  const executable = await backend.createSession().compile(graph);
  await executable.run(0, 1);
  return executable.read(output);
};

describe("on one device", () => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await acquireBackend();
  });
  afterAll(() => backend.dispose());

  test("steps 10 to 100 create no buffer, bind group or pipeline", async () => {
    const counter = new CreationCounter();
    try {
      const { executable } = await prepare(backend);
      const made = counter.take();
      expect(made["createBuffer"]).toBeGreaterThan(0);
      expect(made["createBindGroup"]).toBeGreaterThan(0);
      await executable.run(0, 10);
      counter.take();
      for (let step = 10; step < 100; step += 18)
        await Promise.all([executable.run(step, 9), executable.run(step + 9, 9)]);
      expect(counter.take()).toEqual({});
    } finally {
      counter.stop();
    }
  });

  test("trains as the CPU does, and the same seed gives the same bits", async () => {
    const training = trainingGraph();
    const [first, second] = [await prepare(backend, training), await prepare(backend, trainingGraph())];
    const reference = await prepare(createCpuBackend(), training);
    const losses = (await first.executable.run(0, 300)).loss!;
    expect(losses.length).toBe(300);
    const expected = (await reference.executable.run(0, 300)).loss!;
    for (let step = 0; step < 300; step++)
      expect(Math.abs(losses[step]! / expected[step]! - 1), `step ${step}`).toBeLessThan(1e-3);
    expect(losses[299]).toBeLessThan(0.8 * losses[0]!);
    // One run of 300 steps and 300 runs of one step: the division into submits must not matter.
    const single: number[] = [];
    for (let step = 0; step < 300; step++) single.push((await second.executable.run(step, 1)).loss![0]!);
    expect(single).toEqual([...losses]);
    for (const position of [0, 1, 2, 3] as const) {
      expect(await second.session.read(second.parameters[position])).toEqual(
        await first.session.read(first.parameters[position]),
      );
    }
  });

  test("a read happens in the order of the queue: later steps do not change it", async () => {
    const { session, executable, parameters } = await prepare(backend);
    const again = await prepare(backend);
    const before = executable.run(0, 5);
    const snapshot = session.read(parameters[0]);
    const after = executable.run(5, 50);
    await Promise.all([before, after]);
    await again.executable.run(0, 5);
    expect(await snapshot).toEqual(await again.session.read(again.parameters[0]));
    expect(await session.read(parameters[0])).not.toEqual(await snapshot);
  });

  test("reads that are requested together are one submit, and later writes do not change them", async () => {
    const { session, parameters } = await prepare(backend);
    const values = parameters.map(({ size }) => uniform(size));
    parameters.forEach((leaf, position) => session.write(leaf, values[position]!));
    const submit = vi.spyOn(GPUQueue.prototype, "submit");
    try {
      const reads = parameters.map((leaf) => session.read(leaf));
      for (const leaf of parameters) session.write(leaf, new Float32Array(leaf.size));
      expect(await Promise.all(reads)).toEqual(values);
      expect(submit).toHaveBeenCalledTimes(1);
      for (const leaf of parameters) expect(await session.read(leaf)).toEqual(new Float32Array(leaf.size));
    } finally {
      submit.mockRestore();
    }
  });

  test("a read that was requested before its session was disposed of arrives", async () => {
    const { session, parameters } = await prepare(backend);
    const values = uniform(parameters[0].size);
    session.write(parameters[0], values);
    const read = session.read(parameters[0]);
    session.dispose();
    expect(await read).toEqual(values);
  });

  test("bytes in rows of 13 are written and read back, as a whole and in parts", async () => {
    const { session, images, values } = await prepare(backend);
    expect(await session.read(images)).toEqual(values.images);
    session.write(images, new Uint8Array(26).fill(9), 13);
    const changed = Uint8Array.from(values.images).fill(9, 13, 39);
    expect(await session.read(images)).toEqual(changed);
  });

  test("a scalar with two names, a leaf and a per-step scalar can be outputs", async () => {
    const x = parameter("x", [], [3]);
    const total = multiply(x, 2);
    const graph = defineGraph({ first: total, second: total, x, rate: stepScalar("rate", (step) => step + 0.5) }, [
      { target: x, value: add(x, 1) },
    ]);
    const executable = await backend.createSession().compile(graph);
    const traces = await executable.run(4, 3);
    expect(Object.fromEntries(Object.entries(traces).map(([name, values]) => [name, [...values]]))).toEqual({
      first: [6, 8, 10],
      second: [6, 8, 10],
      x: [3, 4, 5],
      rate: [4.5, 5.5, 6.5],
    });
  });

  test("profile runs one step and returns a time for each dispatch", async () => {
    const [profiled, run] = [await prepare(backend), await prepare(backend)];
    const times = await profiled.executable.profile!(0);
    await run.executable.run(0, 1);
    expect(times.length).toBe(profiled.executable.dispatches.length);
    expect(times.every((time) => time >= 0 && time < 1e9)).toBe(true);
    expect(await profiled.session.read(profiled.parameters[0])).toEqual(await run.session.read(run.parameters[0]));
  });

  test("processes 17 million elements, more than one grid with one element per thread", async () => {
    const count = 17_000_003;
    const x = input("x", [count]);
    const total = sum(multiply(x, 2));
    const shifted = add(x, 1);
    const session = backend.createSession();
    const executable = await session.compile(defineGraph({ total, shifted }));
    const values = Float32Array.from({ length: count }, (_, index) => (index % 7) - 3);
    session.write(x, values);
    const { total: totals } = await executable.run(0, 1);
    expect(totals![0]).toBe(2 * values.reduce((a, b) => a + b, 0));
    const read = await executable.read("shifted");
    expect(read.findIndex((value, index) => value !== values[index]! + 1)).toBe(-1);
    session.dispose();
  });

  test("computes a matrix product with 17 million outputs", async () => {
    const [rows, columns] = [4127, 4121];
    const left = Float32Array.from({ length: rows * 3 }, (_, i) => (i % 5) - 2);
    const right = Float32Array.from({ length: 3 * columns }, (_, i) => (i % 11) - 5);
    const product = matmul(parameter("left", [rows, 3], left), parameter("right", [3, columns], right));
    const values = await valuesOf(backend, defineGraph({ product }), "product");
    let wrong = 0;
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        let expected = 0;
        for (let k = 0; k < 3; k++) expected += left[row * 3 + k]! * right[k * columns + column]!;
        if (values[row * columns + column] !== expected) wrong++;
      }
    }
    expect(wrong).toBe(0);
  });
});

describe("a device that binds at most 16 KiB", () => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await acquireGuardedBackend({ limits: { maxStorageBufferBindingSize: 16_384 } });
  });
  afterAll(() => backend.dispose());

  const cpu = createCpuBackend({ precision: "float64" });
  for (const transposeLeft of [false, true]) {
    for (const transposeRight of [false, true]) {
      for (const [rows, inner, columns] of [
        [65, 64, 3],
        [2, 4097, 2],
        [2, 64, 65],
        [65, 65, 63],
      ] as const) {
        const name = `matrix product ${rows}×${inner}×${columns}${transposeLeft ? ", left transposed" : ""}${transposeRight ? ", right transposed" : ""}`;
        test(`${name}, just over the limit, in parts`, async () => {
          const left = parameter("left", transposeLeft ? [inner, rows] : [rows, inner], uniform(rows * inner));
          const right = parameter(
            "right",
            transposeRight ? [columns, inner] : [inner, columns],
            uniform(inner * columns),
          );
          const product = relu(
            add(matmul(left, right, { transposeLeft, transposeRight }), constant([...uniform(columns)])),
          );
          const graph = defineGraph({ product });
          const [actual, expected] = [await valuesOf(backend, graph, "product"), await valuesOf(cpu, graph, "product")];
          const bound = 16 * 2 ** -24 * Math.sqrt(inner) * Math.max(...expected);
          expected.forEach((value, index) => expect(Math.abs(actual[index]! - value)).toBeLessThanOrEqual(bound));
        });
      }
    }
  }

  test("processes an elementwise chain over a longer vector, with broadcast rows", async () => {
    const [x, y, row] = [
      parameter("x", [100, 97], uniform(9700)),
      parameter("y", [100, 97], uniform(9700)),
      parameter("row", [97], uniform(97)),
    ];
    const graph = defineGraph({ value: add(multiply(x, y), row) });
    const [actual, expected] = [await valuesOf(backend, graph, "value"), await valuesOf(cpu, graph, "value")];
    expected.forEach((value, index) => expect(Math.abs(actual[index]! - value)).toBeLessThan(1e-6));
  });

  test("refuses what cannot be divided into parts, with both numbers, before anything runs", async () => {
    const x = parameter("x", [4097], uniform(4097));
    const compiling = backend.createSession().compile(defineGraph({ total: mean(x) }));
    await expect(compiling).rejects.toThrow(DeviceError);
    await expect(compiling).rejects.toThrow(
      /x float32\[4097\] needs 16388 bytes in one binding, and this device allows 16384/,
    );
  });
});

describe("errors of the device", () => {
  test("a buffer larger than the device's limit is refused with both numbers", async () => {
    const backend = await acquireBackend({ limits: { maxBufferSize: 2 ** 20 } });
    const compiling = backend.createSession().compile(defineGraph({ total: sum(parameter("weights", [2 ** 19])) }));
    await expect(compiling).rejects.toThrow(/weights: it needs 2\.0 MiB in one buffer, but .* allows 1\.0 MiB/);
    backend.dispose();
  });

  test("a lack of memory is reported with the number of bytes, before anything runs", async () => {
    const { backend, device } = await acquireLosableBackend();
    const { executable } = await prepare(backend);
    device().popErrorScope = () => Promise.resolve({ message: "VK_ERROR_OUT_OF_DEVICE_MEMORY" } as GPUOutOfMemoryError);
    const compiling = backend.createSession().compile(defineGraph({ total: sum(parameter("weights", [2 ** 19])) }));
    await expect(compiling).rejects.toThrow(DeviceError);
    await expect(compiling).rejects.toThrow(
      /not enough memory for another 2\.0 MiB; \d.* were allocated before.*VK_ERROR_OUT_OF_DEVICE_MEMORY.*smaller batch/,
    );
    expect((await executable.run(0, 1)).loss).toHaveLength(1);
    backend.dispose();
  });

  test("losing the device resolves `lost` and fails later runs; disposing of it does not", async () => {
    const { backend, lose } = await acquireLosableBackend();
    const { executable } = await prepare(backend);
    await executable.run(0, 1);
    lose();
    expect(await backend.lost).toMatch(/destroyed/);
    await expect(executable.run(1, 1)).rejects.toThrow(/the device was lost .* Restart the backend/);
    await expect(executable.run(1, 1)).rejects.toThrow(DeviceLostError);
    await backend.restart();
    const renewed = await prepare(backend);
    expect((await renewed.executable.run(0, 1)).loss).toHaveLength(1);
    backend.dispose();

    const other = await acquireBackend();
    other.dispose();
    const settled = await Promise.race([other.lost, new Promise((resolve) => setTimeout(resolve, 200, "quiet"))]);
    expect(settled).toBe("quiet");
  });
});
