/*
 * The behavior of sessions and executables: partial writes, inputs, indices, and disposal.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Backend, Executable } from "../../src/backends/backend.ts";
import { DeviceError, DeviceLostError, OptionError } from "../../src/errors.ts";
import { defineGraph } from "../../src/graph/graph.ts";
import { constant, input, parameter } from "../../src/graph/leaves.ts";
import { add, multiply } from "../../src/ops/elementwise/index.ts";
import { takeBatch } from "../../src/ops/gather/index.ts";
import { softmaxCrossEntropy } from "../../src/ops/losses/index.ts";
import { backends } from "../backends.ts";
import { acquireLosableBackend } from "../gpu.ts";
import { classifier, errorOf, prepared, requireUnharmed, values } from "./prepared-sessions.ts";

describe.each(backends)("a session on $name", ({ create }) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await create();
  });
  afterAll(() => backend.dispose());

  test("writes parts if the first element is given, and whole rows of bytes", async () => {
    const { session, bias, images, labels } = await prepared(backend);
    session.write(bias, Float64Array.of(7, 8), 1);
    const [first, , , last] = await session.read(bias);
    expect([...(await session.read(bias))]).toEqual([first, 7, 8, last]);
    session.write(images, Uint8Array.of(1, 2, 3, 4, 5, 6), 6);
    expect([...(await session.read(images))]).toEqual([
      ...values.images.slice(0, 6),
      1,
      2,
      3,
      4,
      5,
      6,
      ...values.images.slice(12),
    ]);
    session.write(labels, Uint8Array.of(3), 5);
    session.write(labels, new Uint32Array(0), 6);
    expect([...(await session.read(labels))]).toEqual([0, 3, 1, 2, 2, 3]);
  });

  test("treats bytes with one axis as one row", async () => {
    const bytes = input("bytes", [5], "uint8");
    const session = backend.createSession();
    const taken = takeBatch(bytes, { start: constant(1, [], "uint32"), count: 3 });
    const executable = await session.compile(defineGraph({ taken }));
    expect(() => session.write(bytes, Uint8Array.of(1, 2), 1)).toThrow(
      "2 values from element 1 on are not whole rows of 5",
    );
    session.write(bytes, Uint8Array.of(9, 8, 7, 6, 5));
    await executable.run(0, 1);
    expect([...(await executable.read("taken"))]).toEqual([8, 7, 6]);
  });

  test("refuses to run before all inputs were written, and to read outputs before a step", async () => {
    const parts = classifier();
    const session = backend.createSession();
    const executable = await session.compile(parts.graph);
    const missing = (name: string) => `run: the input ${name} was never written. Write it before the first step.`;
    session.write(parts.images, values.images);
    await expect(executable.run(0, 1)).rejects.toThrow(missing("order uint32[6]"));
    session.write(parts.order, values.order);
    await expect(executable.run(0, 1)).rejects.toThrow(missing("labels uint32[6]"));
    session.write(parts.labels, values.labels);
    await expect(executable.read("logits")).rejects.toThrow("read logits: no step has been run yet. Run a step first.");
    const [running, reading] = [executable.run(0, 1), executable.read("logits")];
    expect((await reading).length).toBe(8);
    expect((await running).loss).toHaveLength(1);
  });

  test("accepts an input that steps write as written", async () => {
    const x = input("x", [2]);
    const session = backend.createSession();
    const reading = await session.compile(defineGraph({ y: multiply(x, 2) }));
    const filling = await session.compile(
      defineGraph({}, [{ target: x, value: add(multiply(parameter("one", [2], [1, 1]), 3), 0) }]),
    );
    await Promise.all([filling.run(0, 1), reading.run(0, 1)]);
    expect([...(await reading.read("y"))]).toEqual([6, 6]);
  });

  test("refuses a graph that uses existing values as indices if they are too large", async () => {
    const labels = input("labels", [3], "uint32");
    const start = constant(0, [], "uint32");
    const session = backend.createSession();
    const first = await session.compile(defineGraph({ labels: takeBatch(labels, { start, count: 2 }) }));
    session.write(labels, Uint32Array.of(0, 2, 9));
    await first.run(0, 1);
    const loss = (classes: number) =>
      defineGraph({ loss: softmaxCrossEntropy(parameter("logits", [3, classes]), labels) });
    await expect(session.compile(loss(9))).rejects.toThrow(
      "compile, labels uint32[3]: it contains 9, but softmaxCrossEntropy needs numbers below 9",
    );
    await expect((await session.compile(loss(10))).run(0, 1)).resolves.toHaveProperty("loss");
    session.write(labels, Uint32Array.of(8), 2);
    // A partial write may have replaced the largest value: only a whole write tells.
    session.write(labels, Uint32Array.of(0, 2, 8));
    await session.compile(loss(9));
    expect(() => session.write(labels, Uint32Array.of(9), 2)).toThrow(
      "element 2 is 9, but softmaxCrossEntropy needs whole numbers in 0 … 8",
    );
  });

  test("refuses a constant that is an invalid index", async () => {
    const data = parameter("data", [4]);
    const graph = defineGraph({ taken: takeBatch(data, { start: constant(3, [], "uint32"), count: 2 }) });
    await expect(backend.createSession().compile(graph)).rejects.toThrow(
      "constant []: element 0 is 3, but takeBatch needs whole numbers in 0 … 2",
    );
    const fixed = constant([1, 4], [2], "uint32");
    const ordered = defineGraph({
      taken: takeBatch(data, { order: fixed, start: constant(0, [], "uint32"), count: 2 }),
    });
    await expect(backend.createSession().compile(ordered)).rejects.toThrow(
      "constant [2]: element 1 is 4, but takeBatch needs whole numbers in 0 … 3",
    );
  });

  test("completes calls made before dispose, and refuses later ones", async () => {
    const on = await prepared(backend);
    const other = await prepared(backend);
    const expected = [await other.executable.run(1, 2), await other.session.read(other.bias)];
    const late = on.session.compile(classifier().graph);
    const inFlight = [on.executable.run(1, 2), on.session.read(on.bias)];
    on.session.dispose();
    on.session.dispose();
    // Awaited together, since a rejection that nothing awaits yet would count as unhandled.
    const [compiled, ...arrived] = await Promise.allSettled([late, ...inFlight]);
    expect(String((compiled as PromiseRejectedResult).reason.message)).toBe(disposedOf("compile", "session"));
    expect(arrived).toEqual(expected.map((value) => ({ status: "fulfilled", value })));
    const uses: [string, () => unknown][] = [
      ["run", () => on.executable.run(0, 1)],
      ["read", () => on.executable.read("logits")],
      ["compile", () => on.session.compile(on.graph)],
      ["read", () => on.session.read(on.bias)],
      ["write", () => on.session.write(on.bias, new Float32Array(4))],
      ...profileOf(on.executable),
    ];
    for (const [where, use] of uses) {
      const error = await errorOf(use);
      expect(error).toBeInstanceOf(OptionError);
      expect((error as Error).message).toBe(disposedOf(where, "session"));
    }
    await requireUnharmed(await prepared(backend));
  });
});

const disposedOf = (where: string, what: "session" | "backend") =>
  `${where}: the ${what} was disposed of. ${what === "session" ? "Create another session, and compile in it" : "Create another backend"}.`;

const profileOf = (executable: Executable): [string, () => unknown][] =>
  executable.profile ? [["profile", () => executable.profile!(0)]] : [];

describe.each(backends)("a backend on $name", ({ create }) => {
  test("refuses all calls of its sessions after it was disposed of", async () => {
    const backend = await create();
    const { session, executable, graph, bias } = await prepared(backend);
    backend.dispose();
    backend.dispose();
    const uses: [string, () => unknown][] = [
      ["createSession", () => backend.createSession()],
      ["run", () => executable.run(0, 1)],
      ["read", () => executable.read("logits")],
      ["compile", () => session.compile(graph)],
      ["read", () => session.read(bias)],
      ["write", () => session.write(bias, new Float32Array(4))],
      ...profileOf(executable),
    ];
    for (const [where, use] of uses) {
      const error = await errorOf(use);
      expect(error).toBeInstanceOf(DeviceError);
      expect((error as Error).message).toBe(disposedOf(where, "backend"));
    }
    session.dispose();
    await backend.restart();
    expect(() => backend.createSession()).toThrow(disposedOf("createSession", "backend"));
  });
});

describe("an error reported by the device", () => {
  test("fails the executable that caused it, names the kernel, and does not affect others, at the same time and later", async () => {
    const { backend, device } = await acquireLosableBackend();
    const [guilty, innocent, alone] = [await prepared(backend), await prepared(backend), await prepared(backend)];
    const { kernel, grid } = guilty.executable.dispatches[0]!;
    const expected = await alone.executable.run(1, 2);
    const passes = Object.getPrototypeOf(device().createCommandEncoder().beginComputePass()) as GPUComputePassEncoder;
    const { dispatchWorkgroups } = passes;
    let isGuilty = true;
    passes.dispatchWorkgroups = function (x, y, z) {
      dispatchWorkgroups.call(this, isGuilty && x === grid[0] ? 100_000 : x, y, z);
    };
    const failing = guilty.executable.run(1, 2);
    isGuilty = false;
    const working = innocent.executable.run(1, 2);
    isGuilty = true;
    const error = await errorOf(() => failing.finally(() => (passes.dispatchWorkgroups = dispatchWorkgroups)));
    expect(error).toBeInstanceOf(DeviceError);
    expect((error as Error).message).toMatch(`kernel ${kernel}: `);
    expect((error as Error).message).toMatch(/100000/);
    expect((await working).loss).toEqual(expected.loss);
    await requireUnharmed(guilty);
    backend.dispose();
  });

  test("disposing of a backend while it compiles gives a clear error", async () => {
    const { backend } = await acquireLosableBackend();
    const compiling = backend.createSession().compile(classifier().graph);
    backend.dispose();
    await expect(compiling).rejects.toThrow(disposedOf("compile", "backend"));
  });

  test("losing a device while it profiles is a DeviceLostError, and disposing of the backend gives a clear error", async () => {
    const { backend, lose } = await acquireLosableBackend();
    const { executable } = await prepared(backend);
    const profiling = executable.profile!(0);
    lose();
    await expect(profiling).rejects.toThrow(DeviceLostError);
    await expect(executable.profile!(0)).rejects.toThrow(DeviceLostError);
    await backend.restart();
    const again = await prepared(backend);
    const running = again.executable.run(0, 2);
    const reading = again.session.read(again.bias);
    backend.dispose();
    for (const work of [running, reading])
      await expect(work).rejects.toThrow(/the backend was disposed of during the call/);
  });
});
