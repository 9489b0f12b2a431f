import { describe, expect, test } from "vitest";
import { createCpuBackend } from "../../src/backends/cpu/index.ts";
import type { WasmDevice } from "../../src/backends/wasm/device.ts";
import { createWasmBackend } from "../../src/backends/on-demand.ts";
import { builtInDigits } from "../../src/data/digits.ts";
import { DeviceError, DeviceLostError, OptionError } from "../../src/errors.ts";
import { defineGraph } from "../../src/graph/graph.ts";
import { constant, input, parameter, state, stepScalar } from "../../src/graph/leaves.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import type { NumericArray } from "../../src/ops/kernel.ts";
import { add, exp, multiply, square, subtract } from "../../src/ops/elementwise/index.ts";
import { gradients } from "../../src/ops/gradients.ts";
import { matmul } from "../../src/ops/matmul/index.ts";
import { sum } from "../../src/ops/reduce/index.ts";
import { dense, dropout, optimizers, sequential } from "../../src/nn/index.ts";
import { nodeWasm } from "../../src/node/wasm.ts";
import { unitScale } from "../../src/data/dataset.ts";
import { Random } from "../../src/random.ts";
import { createTrainer } from "../../src/train/index.ts";
import { clouds, finish, smallModel, valuesOf } from "../train/examples.ts";
import { acquireLosableWasm, acquireWasm, usedHeap } from "../wasm.ts";

const normals = (count: number, seed = 1) => {
  const random = new Random(seed);
  return Float32Array.from({ length: count }, () => random.normal());
};

/** A product with a chain after it, and a loop, both worth sharing. */
function largeGraph() {
  const [x, y] = [input("x", [2048, 192]), input("y", [192, 160])];
  return { x, y, graph: defineGraph({ z: add(matmul(x, y), 1), w: exp(multiply(x, 0.1)) }) };
}

/** Rows of the product and elements of the loop. */
const UNITS = 2048 + 2048 * 192;

/** Notes which units the calling thread computes from now on. */
function watchCaller(device: WasmDevice): { units: number } {
  const watched = { units: 0 };
  const functionAt = device.functionAt.bind(device);
  device.functionAt = (index) => {
    const compute = functionAt(index);
    return (args, start, end, scratch) => {
      watched.units += end - start;
      compute(args, start, end, scratch);
    };
  };
  return watched;
}

describe("threads", () => {
  test.each([2, 3])("%i of them share the work, and give the bits of one", async (threads) => {
    const results: Record<string, unknown>[] = [];
    for (const count of [1, threads]) {
      const { backend, device } = await acquireWasm(count);
      const caller = watchCaller(device());
      const { x, y, graph } = largeGraph();
      const session = backend.createSession();
      const executable = await session.compile(graph);
      session.write(x, normals(x.size));
      session.write(y, normals(y.size, 2));
      let steps = 0;
      // Other threads take part whenever they are awake in time.
      const isDone = () => count === 1 || caller.units < steps * UNITS;
      do await executable.run(steps++, 1);
      while (!isDone());
      results.push({ z: await executable.read("z"), w: await executable.read("w") });
      expect(executable.dispatches.every(({ grid: [chunks] }) => chunks > 1)).toBe(count > 1);
      backend.dispose();
    }
    expect(results[1]).toEqual(results[0]);
  });

  test("1, 2 and 3 of them train to the same bits", async () => {
    const runs: unknown[] = [];
    for (const threads of [1, 2, 3]) {
      const { backend } = await acquireWasm(threads);
      const model = sequential([dense(128, { activation: "gelu" }), dropout(0.2), dense(10)], { inputShape: [784] });
      const trainer = await createTrainer({
        model,
        backend,
        dataset: builtInDigits({ train: 256, test: 1 }).train,
        normalization: unitScale,
        learningRate: 1e-3,
        batchSize: 64,
        epochs: 5,
      });
      const losses = (await finish(trainer, { every: 1 })).map(({ loss }) => loss);
      runs.push({ losses, values: valuesOf(await trainer.snapshot()) });
      backend.dispose();
    }
    expect(runs[1]).toEqual(runs[0]);
    expect(runs[2]).toEqual(runs[0]);
  });

  test("are a whole number of 1 to 64", async () => {
    for (const threads of [0, 65, 1.5, NaN])
      await expect(createWasmBackend(nodeWasm(), { threads })).rejects.toThrow(OptionError);
    const backend = await createWasmBackend({ ...nodeWasm(), mostThreads: 1 }, { threads: 8 });
    expect(backend.adapter).toEqual({ name: "WebAssembly, 1 thread", software: false });
    backend.dispose();
  });

  test("that do not start are left out", async () => {
    const source = {
      ...nodeWasm(),
      startThread: (_: string, events: Parameters<typeof start>[1]) => start("throw 1", events),
    };
    const start = nodeWasm().startThread;
    const backend = await createWasmBackend(source, { threads: 3 });
    expect(backend.adapter.name).toBe("WebAssembly, 3 threads");
    const { x, y, graph } = largeGraph();
    const session = backend.createSession();
    const executable = await session.compile(graph);
    session.write(x, normals(x.size));
    session.write(y, normals(y.size, 2));
    while (backend.adapter.name !== "WebAssembly, 1 thread") await executable.run(0, 1);
    await executable.run(1, 1);
    backend.dispose();
  });
});

describe("a thread that dies", () => {
  test("ends the runs with DeviceLostError, settles `lost`, and restart makes new ones", async () => {
    const { backend, kill } = await acquireLosableWasm();
    const { x, y, graph } = largeGraph();
    const session = backend.createSession();
    const executable = await session.compile(graph);
    session.write(x, normals(x.size));
    session.write(y, normals(y.size, 2));
    await executable.run(0, 3);
    const lost = backend.lost;
    kill();
    const failure = await executable.run(3, 1_000_000).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(DeviceLostError);
    expect((failure as Error).message).toMatch(/the device was lost \(thread 1 died: it ended with code 1\)/);
    expect(await lost).toBe("thread 1 died: it ended with code 1");
    await expect(session.read(x)).rejects.toThrow(DeviceLostError);
    await expect(session.compile(graph)).rejects.toThrow(DeviceLostError);

    await backend.restart();
    await expect(executable.run(0, 1)).rejects.toThrow(DeviceLostError);
    const fresh = backend.createSession();
    const again = await fresh.compile(graph);
    fresh.write(x, normals(x.size));
    fresh.write(y, normals(y.size, 2));
    await again.run(0, 3);
    expect((await again.read("z")).every(Number.isFinite)).toBe(true);
    await backend.restart();
    expect(await fresh.read(x)).toEqual(normals(x.size));
    backend.dispose();
  });

  test("while it computes does not leave the caller waiting", async () => {
    const { backend, device } = await acquireWasm();
    const { x, y, graph } = largeGraph();
    const session = backend.createSession();
    const executable = await session.compile(graph);
    session.write(x, normals(x.size));
    session.write(y, normals(y.size, 2));
    // As if the other thread had taken a chunk, which is then never done.
    device().pool.wait = () => false;
    const running = executable.run(0, 1);
    setTimeout(() => device().fail("thread 1 died: on purpose"));
    await expect(running).rejects.toThrow(DeviceLostError);
    backend.dispose();
  });
});

/** A comparison of so many elements by `toEqual` would take seconds. */
const haveSameBits = (values: NumericArray, expected: Float32Array): boolean =>
  Buffer.from(values.buffer).equals(Buffer.from(expected.buffer));

test.each([1, 3])("subnormal numbers in updated states become 0 after 256 steps, with %i threads", async (threads) => {
  const { backend } = await acquireWasm(threads);
  // Enough elements to be divided among threads, and not a multiple of four.
  const size = 800_003;
  const smallest = 2 ** -126;
  const values = [2 ** -149, -smallest / 2, smallest, -smallest, -0, NaN, Infinity, -Infinity, 0.5];
  const initial = Float32Array.from({ length: size }, (_, element) => values[element % values.length]!);
  const flushed = initial.map((value) => (value !== 0 && Math.abs(value) < smallest ? 0 : value));
  const [moment, kept, weight] = [state("moment", [size]), state("kept", [size]), parameter("weight", [size])];
  const updates = [moment, weight].map((target) => ({ target, value: multiply(target, 1) }));
  const session = backend.createSession();
  const executable = await session.compile(defineGraph({ total: sum(kept) }, updates));
  for (const leaf of [moment, kept, weight]) session.write(leaf, initial);
  const isUnchanged = async (leaf: Tensor) => haveSameBits(await session.read(leaf), initial);
  await executable.run(0, 255);
  expect(await isUnchanged(moment)).toBe(true);
  await executable.run(255, 1);
  expect(haveSameBits(await session.read(moment), flushed)).toBe(true);
  expect(await isUnchanged(kept)).toBe(true);
  expect(await isUnchanged(weight)).toBe(true);
  session.dispose();
});

test("a long run lets timers fire, and what is called meanwhile comes after it", async () => {
  const { backend } = await acquireWasm(1);
  const x = input("x", [4]);
  const session = backend.createSession();
  const executable = await session.compile(defineGraph({ total: sum(x) }));
  session.write(x, Float32Array.of(1, 2, 3, 4));
  const order: string[] = [];
  const later = Float32Array.of(5, 6, 7, 8);
  const timer = new Promise<void>((resolve) => {
    setTimeout(() => {
      order.push("timer");
      session.write(x, later);
      later.fill(0);
      void session.read(x).then((values) => {
        expect(values).toEqual(Float32Array.of(5, 6, 7, 8));
        order.push("read");
        resolve();
      });
    });
  });
  const { total } = await executable.run(0, 500_000);
  order.push("run");
  await timer;
  expect(order).toEqual(["timer", "run", "read"]);
  expect(total!.every((value) => value === 10)).toBe(true);
  backend.dispose();
});

describe("memory", () => {
  test("nothing is reserved, and next to nothing allocated, while steps run", async () => {
    const { backend, device } = await acquireWasm(2);
    const [x, y] = [input("x", [256, 64]), input("y", [64, 64])];
    const w = parameter("w", [64], normals(64));
    const rate = stepScalar("rate", (step) => step % 7);
    const updated = subtract(w, multiply(w, multiply(rate, 1e-3)));
    const graph = defineGraph({ loss: sum(matmul(x, y)), norm: sum(updated) }, [{ target: w, value: updated }]);
    const session = backend.createSession();
    const executable = await session.compile(graph);
    session.write(x, normals(x.size));
    session.write(y, normals(y.size, 2));
    await executable.run(0, 1000);
    const { memory } = device();
    const { reserved, floats } = memory;
    const before = usedHeap();
    await executable.run(1000, 4000);
    const perStep = (process.memoryUsage().heapUsed - before) / 4000;
    expect(memory.reserved).toBe(reserved);
    expect(Object.is(memory.floats, floats)).toBe(true);
    expect(perStep).toBeLessThan(500);
    backend.dispose();
  });

  test("stays as it is while 200 trainers are made, used and disposed of", async () => {
    const { backend, device } = await acquireWasm(2);
    const dataset = clouds(64);
    const sizes = new Set<number>();
    for (let count = 0; count < 200; count++) {
      const trainer = await createTrainer({
        model: smallModel(count),
        dataset,
        backend,
        learningRate: 0.01,
        batchSize: 16,
        epochs: 1,
      });
      await finish(trainer);
      await trainer.evaluate(dataset);
      trainer.dispose();
      const { reserved, words, tableSize } = snapshotOf(device());
      if (count >= 2) sizes.add(reserved).add(words).add(tableSize);
    }
    // Of each of the three there was one value.
    expect(sizes.size).toBeLessThanOrEqual(3);
    backend.dispose();
  });

  const snapshotOf = ({ memory, tableSize }: WasmDevice) => ({
    reserved: memory.reserved,
    words: memory.words.length,
    tableSize,
  });

  test("is freed once when a session ends whose leaves have moved, and later sessions compute the same", async () => {
    const { backend, device } = await acquireWasm(1);
    const [x, w, v] = [input("x", [8, 4]), parameter("w", [4, 3], normals(12)), parameter("v", [3, 2], normals(6, 2))];
    const outputs = matmul(matmul(x, w), v);
    const loss = sum(square(outputs));
    const updates = optimizers.adam().update([w, v], gradients(loss, [w, v]), { learningRate: constant(0.1) });
    const results: unknown[] = [];
    for (let count = 0; count < 3; count++) {
      const session = backend.createSession();
      // The second graph packs the parameters, which moves them.
      const predicting = await session.compile(defineGraph({ outputs }));
      const training = await session.compile(defineGraph({ loss }, updates));
      session.write(x, normals(x.size, 3));
      const losses = await training.run(0, 20);
      await predicting.run(0, 1);
      const values = [await predicting.read("outputs"), await session.read(w), await session.read(v)];
      session.dispose();
      await device().queue.add(() => {});
      results.push({ losses, values, reserved: device().memory.reserved });
    }
    expect(results[1]).toEqual(results[0]);
    expect(results[2]).toEqual(results[0]);
    backend.dispose();
  });

  test.each([1, 2])("that grows leaves older graphs and values as they are, with %i threads", async (threads) => {
    const { backend, device } = await acquireWasm(threads);
    const { x, y, graph } = largeGraph();
    const session = backend.createSession();
    const executable = await session.compile(graph);
    session.write(x, normals(x.size));
    session.write(y, normals(y.size, 2));
    await executable.run(0, 1);
    const before = { z: await executable.read("z"), w: await executable.read("w") };
    const { floats } = device().memory;

    const large = input("large", [3000, 1000]);
    const grown = await session.compile(defineGraph({ total: sum(large) }));
    // Compared by identity alone: a view of one thread's memory is detached now.
    expect(Object.is(device().memory.floats, floats)).toBe(false);
    session.write(large, new Float32Array(large.size).fill(0.25));
    expect(await grown.run(0, 1)).toEqual({ total: Float32Array.of(750_000) });
    expect(await session.read(x)).toEqual(normals(x.size));
    await executable.run(1, 1);
    expect({ z: await executable.read("z"), w: await executable.read("w") }).toEqual(before);
    backend.dispose();
  });

  test("at its limit is refused with both numbers, and what there was works on", async () => {
    const { backend } = await acquireWasm(2);
    const session = backend.createSession();
    const small = input("small", [4]);
    const executable = await session.compile(defineGraph({ total: sum(small) }));
    session.write(small, Float32Array.of(1, 2, 3, 4));
    const tooLarge = input("too large", [2 ** 15, 2 ** 15]);
    const refused = session.compile(defineGraph({ total: sum(tooLarge) }));
    await expect(refused).rejects.toThrow(DeviceError);
    await expect(refused).rejects.toThrow(
      /^too large: not enough memory for another 4096 MiB; .* limit of WebAssembly is/,
    );
    expect(await executable.run(0, 1)).toEqual({ total: Float32Array.of(10) });
    backend.dispose();
  });

  test("is used beyond 2 GiB as below", async () => {
    const { backend, device } = await acquireWasm(2);
    const session = backend.createSession();
    // Nothing touches it, so the system gives no memory for it.
    await session.compile(defineGraph({ none: sum(input("room", [2 ** 15, 2 ** 14])) }));
    const { x, y, graph } = largeGraph();
    const executable = await session.compile(graph);
    expect(device().memory.reserved).toBeGreaterThan(2 ** 31);
    session.write(x, normals(x.size));
    session.write(y, normals(y.size, 2));
    await executable.run(0, 1);

    const judge = createCpuBackend().createSession();
    const expected = await judge.compile(graph);
    judge.write(x, normals(x.size));
    judge.write(y, normals(y.size, 2));
    await expected.run(0, 1);
    const [z, wanted] = [await executable.read("z"), await expected.read("z")];
    for (const [element, value] of z.entries()) expect(Math.abs(value - wanted[element]!)).toBeLessThan(1e-4);
    backend.dispose();
  });
});
