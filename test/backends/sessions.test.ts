/*
 * What a session and its executables refuse: the same calls with the same words on every backend. None of them may change
 * what the session holds, or reach another session of the backend.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Backend, Executable, Session } from "../../src/backends/backend.ts";
import { DeviceError, DeviceLostError, OptionError, WgradError } from "../../src/errors.ts";
import { defineGraph } from "../../src/graph/graph.ts";
import { constant, input, parameter, state, stepScalar } from "../../src/graph/leaves.ts";
import { add, multiply, subtract } from "../../src/ops/elementwise/index.ts";
import { takeBatch } from "../../src/ops/gather/index.ts";
import { gradients } from "../../src/ops/gradients.ts";
import { pack, reshape } from "../../src/ops/layout/index.ts";
import { softmaxCrossEntropy } from "../../src/ops/losses/index.ts";
import { matmul } from "../../src/ops/matmul/index.ts";
import { createTrainer } from "../../src/train/index.ts";
import { backends } from "../backends.ts";
import { acquireLosableBackend } from "../gpu.ts";
import { clouds, finish, smallModel } from "../train/examples.ts";

/** Six examples of three bytes in four classes, two a step; from step 3 on the batch passes the end. */
function classifier() {
  const images = input("images", [6, 3], "uint8");
  const labels = input("labels", [6], "uint32");
  const order = input("order", [6], "uint32");
  const weights = parameter(
    "weights",
    [3, 4],
    Float32Array.from({ length: 12 }, (_, index) => Math.sin(index)),
  );
  const bias = parameter("bias", [4], [0.5, 0, 0, -0.5]);
  const start = stepScalar("start", (step) => 2 * step, "uint32");
  const logits = add(matmul(takeBatch(images, { order, start, count: 2, scale: 1 / 256 }), weights), bias);
  const answers = takeBatch(labels, { order, start, count: 2 });
  const loss = softmaxCrossEntropy(logits, reshape(reshape(answers, [1, 2]), [2]));
  const parameters = [weights, bias];
  const flat = pack(parameters);
  const updates = [{ target: flat, value: subtract(flat, multiply(pack(gradients(loss, parameters)), 0.1)) }];
  return { images, labels, order, weights, bias, logits, graph: defineGraph({ loss, logits }, updates) };
}

type Classifier = ReturnType<typeof classifier>;

const values = {
  images: Uint8Array.from({ length: 18 }, (_, index) => 14 * index),
  labels: Uint32Array.of(0, 3, 1, 2, 2, 0),
  order: Uint32Array.of(5, 0, 4, 1, 3, 2),
};

function writeAll(session: Session, { images, labels, order }: Classifier): void {
  session.write(images, values.images);
  session.write(labels, values.labels);
  session.write(order, values.order);
}

async function prepared(backend: Backend) {
  const parts = classifier();
  const session = backend.createSession();
  const executable = await session.compile(parts.graph);
  writeAll(session, parts);
  await executable.run(0, 1);
  return { ...parts, backend, session, executable };
}

type Prepared = Awaited<ReturnType<typeof prepared>>;

/** Values that only JavaScript gives. */
const wrong = (value: unknown) => value as never;

const STORED = "Name a parameter, a state or an input; other values can be outputs of a graph.";
const WHOLE = "Give a whole number of at least 0.";
const TENSOR = "Give what input, parameter or an op returns.";
const ROWS = "Bytes are written in whole rows: all elements of an entry of the first axis.";
const INDICES = "Correct the indices or labels, or the size of what they count.";
const PER_ELEMENT = "Give one value per element, or the first element from which on a part is to be written.";
const GRAPH = "Give what defineGraph returns.";

const refused: readonly (readonly [name: string, act: (on: Prepared) => unknown, message: string])[] = [
  [
    "a write of too many values",
    ({ session, bias }) => session.write(bias, new Float32Array(5)),
    `write bias float32[4]: 5 values for 4 elements. ${PER_ELEMENT}`,
  ],
  [
    "a write of too few",
    ({ session, bias }) => session.write(bias, new Float32Array(1)),
    `write bias float32[4]: 1 value for 4 elements. ${PER_ELEMENT}`,
  ],
  [
    "a part that passes the end",
    ({ session, bias }) => session.write(bias, new Float32Array(3), 2),
    "write bias float32[4]: 3 values from element 2 on pass the end, at 4. Give fewer values, or an earlier first element.",
  ],
  [
    "a part from half an element on",
    ({ session, bias }) => session.write(bias, new Float32Array(1), 1.5),
    `write bias float32[4]: the first element is 1.5. ${WHOLE}`,
  ],
  [
    "a part before the start",
    ({ session, bias }) => session.write(bias, new Float32Array(1), -1),
    `write bias float32[4]: the first element is -1. ${WHOLE}`,
  ],
  [
    "a part from NaN on",
    ({ session, bias }) => session.write(bias, new Float32Array(1), NaN),
    `write bias float32[4]: the first element is NaN. ${WHOLE}`,
  ],
  [
    "a part of a row of bytes",
    ({ session, images }) => session.write(images, new Uint8Array(4), 3),
    `write images uint8[6, 3]: 4 values from element 3 on are no whole rows of 3. ${ROWS}`,
  ],
  [
    "bytes from within a row",
    ({ session, images }) => session.write(images, new Uint8Array(3), 1),
    `write images uint8[6, 3]: 3 values from element 1 on are no whole rows of 3. ${ROWS}`,
  ],
  [
    "floats for integers",
    ({ session, labels }) => session.write(labels, new Float32Array(6)),
    "write labels uint32[6]: the values are of the type Float32Array. Give a Uint32Array or a Uint8Array.",
  ],
  [
    "floats for bytes",
    ({ session, images }) => session.write(images, new Float32Array(18)),
    "write images uint8[6, 3]: the values are of the type Float32Array. Give a Uint8Array.",
  ],
  [
    "an array of numbers",
    ({ session, bias }) => session.write(bias, wrong([1, 2, 3, 4])),
    "write bias float32[4]: the values are of the type Array. Give a Float32Array or a Float64Array or a Uint32Array or a Uint8Array.",
  ],
  [
    "no values",
    ({ session, bias }) => session.write(bias, wrong(null)),
    "write bias float32[4]: the values are null. Give a Float32Array or a Float64Array or a Uint32Array or a Uint8Array.",
  ],
  [
    "a label that is no class",
    ({ session, labels }) => session.write(labels, Uint32Array.of(0, 1, 2, 3, 4, 0)),
    `write labels uint32[6]: element 4 is 4, and softmaxCrossEntropy takes whole numbers in 0 … 3. ${INDICES}`,
  ],
  [
    "one in a part",
    ({ session, labels }) => session.write(labels, Uint8Array.of(1, 200), 2),
    `write labels uint32[6]: element 3 is 200, and softmaxCrossEntropy takes whole numbers in 0 … 3. ${INDICES}`,
  ],
  [
    "an order beyond the examples",
    ({ session, order }) => session.write(order, Uint32Array.of(0, 1, 2, 3, 4, 6)),
    `write order uint32[6]: element 5 is 6, and takeBatch takes whole numbers in 0 … 5. ${INDICES}`,
  ],
  [
    "a write of a computed value",
    ({ session, logits }) => session.write(logits, new Float32Array(8)),
    `write: add float32[2, 4] keeps no value. ${STORED}`,
  ],
  [
    "a write of an unknown leaf",
    ({ session }) => session.write(parameter("other", [1]), new Float32Array(1)),
    "write other float32[1]: this session keeps no such value. Compile a graph that uses it first.",
  ],
  [
    "a write of nothing",
    ({ session }) => session.write(wrong(undefined), new Float32Array(1)),
    `write: undefined is no tensor. ${TENSOR}`,
  ],
  [
    "a read of an unknown leaf",
    ({ session }) => session.read(state("other", [1])),
    "read other float32[1]: this session keeps no such value. Compile a graph that uses it first.",
  ],
  [
    "a read of a computed value",
    ({ session, logits }) => session.read(logits),
    `read: add float32[2, 4] keeps no value. ${STORED}`,
  ],
  ["a read of nothing", ({ session }) => session.read(wrong(null)), `read: null is no tensor. ${TENSOR}`],
  ["a graph that is none", ({ session }) => session.compile(wrong(null)), `compile: null is no graph. ${GRAPH}`],
  [
    "a graph made by hand",
    ({ session, graph }) => session.compile({ ...graph }),
    `compile: an object of the keys outputs, updates, nodes is no graph. ${GRAPH}`,
  ],
  ["a tensor for a graph", ({ session }) => session.compile(wrong("loss")), `compile: loss is no graph. ${GRAPH}`],
  ["a part of a step", ({ executable }) => executable.run(0, 1.5), `run: the number of steps is 1.5. ${WHOLE}`],
  ["steps before the first", ({ executable }) => executable.run(-1, 1), `run: the first step is -1. ${WHOLE}`],
  [
    "steps without a number",
    ({ executable }) => executable.run(0, wrong(undefined)),
    `run: the number of steps is undefined. ${WHOLE}`,
  ],
  [
    "infinitely many steps",
    ({ executable }) => executable.run(0, Infinity),
    `run: the number of steps is Infinity. ${WHOLE}`,
  ],
  [
    "a step whose batch passes the end",
    ({ executable }) => executable.run(1, 3),
    "run: start is 6 at step 3, and takeBatch takes whole numbers in 0 … 4. Correct the function of the step, or run fewer steps.",
  ],
  [
    "an unknown output",
    ({ executable }) => executable.read("accuracy"),
    'read: there is no output "accuracy". Read one of those of several elements: logits.',
  ],
  [
    "an output of Object",
    ({ executable }) => executable.read("toString"),
    'read: there is no output "toString". Read one of those of several elements: logits.',
  ],
  [
    "a scalar output",
    ({ executable }) => executable.read("loss"),
    'read: the output "loss" is a scalar. Take it from what run returns.',
  ],
  [
    "no output",
    ({ executable }) => executable.read(wrong(null)),
    'read: there is no output "null". Read one of those of several elements: logits.',
  ],
];

async function errorOf(act: () => unknown): Promise<unknown> {
  try {
    await act();
  } catch (error) {
    return error;
  }
  return undefined;
}

/** Whether a session goes on as if nothing had been, beside a trainer of the same backend. */
async function requireUnharmed({ backend, session, executable, weights, bias }: Prepared): Promise<void> {
  const other = await prepared(backend);
  const traces = await executable.run(1, 2);
  expect(traces).toEqual(await other.executable.run(1, 2));
  expect(await executable.read("logits")).toEqual(await other.executable.read("logits"));
  expect(await session.read(weights)).toEqual(await other.session.read(other.weights));
  expect(await session.read(bias)).toEqual(await other.session.read(other.bias));
  const trainer = await createTrainer({
    model: smallModel(),
    dataset: clouds(40),
    backend,
    learningRate: 0.01,
    batchSize: 10,
    epochs: 1,
  });
  expect(await finish(trainer, { every: 1 })).toHaveLength(4);
  trainer.dispose();
}

describe.each(backends)("a session on $name", ({ create }) => {
  let backend: Backend;
  beforeAll(async () => {
    backend = await create();
  });
  afterAll(() => backend.dispose());

  test("refuses each of many calls by its own words, and nothing is changed by them", async () => {
    const on = await prepared(backend);
    for (const [name, act, message] of refused) {
      const error = await errorOf(() => act(on));
      expect(error, name).toBeInstanceOf(WgradError);
      expect((error as Error).message, name).toBe(message);
    }
    await requireUnharmed(on);
  });

  test("writes parts where the first element is named, and whole rows of bytes", async () => {
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

  test("bytes of one axis are one row", async () => {
    const bytes = input("bytes", [5], "uint8");
    const session = backend.createSession();
    const taken = takeBatch(bytes, { start: constant(1, [], "uint32"), count: 3 });
    const executable = await session.compile(defineGraph({ taken }));
    expect(() => session.write(bytes, Uint8Array.of(1, 2), 1)).toThrow(
      "2 values from element 1 on are no whole rows of 5",
    );
    session.write(bytes, Uint8Array.of(9, 8, 7, 6, 5));
    await executable.run(0, 1);
    expect([...(await executable.read("taken"))]).toEqual([8, 7, 6]);
  });

  test("runs no step before all inputs were written, and reads no output before a step", async () => {
    const parts = classifier();
    const session = backend.createSession();
    const executable = await session.compile(parts.graph);
    const missing = (name: string) => `run: the input ${name} was never written. Write it before the first step.`;
    session.write(parts.images, values.images);
    await expect(executable.run(0, 1)).rejects.toThrow(missing("order uint32[6]"));
    session.write(parts.order, values.order);
    await expect(executable.run(0, 1)).rejects.toThrow(missing("labels uint32[6]"));
    session.write(parts.labels, values.labels);
    await expect(executable.read("logits")).rejects.toThrow("read logits: no step was run yet. Run one first.");
    const [running, reading] = [executable.run(0, 1), executable.read("logits")];
    expect((await reading).length).toBe(8);
    expect((await running).loss).toHaveLength(1);
  });

  test("takes an input that steps give its values for written", async () => {
    const x = input("x", [2]);
    const session = backend.createSession();
    const reading = await session.compile(defineGraph({ y: multiply(x, 2) }));
    const filling = await session.compile(
      defineGraph({}, [{ target: x, value: add(multiply(parameter("one", [2], [1, 1]), 3), 0) }]),
    );
    await Promise.all([filling.run(0, 1), reading.run(0, 1)]);
    expect([...(await reading.read("y"))]).toEqual([6, 6]);
  });

  test("refuses indices that were written before a graph came that uses them", async () => {
    const labels = input("labels", [3], "uint32");
    const start = constant(0, [], "uint32");
    const session = backend.createSession();
    const first = await session.compile(defineGraph({ labels: takeBatch(labels, { start, count: 2 }) }));
    session.write(labels, Uint32Array.of(0, 2, 9));
    await first.run(0, 1);
    const loss = (classes: number) =>
      defineGraph({ loss: softmaxCrossEntropy(parameter("logits", [3, classes]), labels) });
    await expect(session.compile(loss(9))).rejects.toThrow(
      "compile, labels uint32[3]: it holds 9, and softmaxCrossEntropy takes numbers below 9",
    );
    await expect((await session.compile(loss(10))).run(0, 1)).resolves.toHaveProperty("loss");
    session.write(labels, Uint32Array.of(8), 2);
    // A part that was overwritten may have held the largest: only a whole write tells.
    session.write(labels, Uint32Array.of(0, 2, 8));
    await session.compile(loss(9));
    expect(() => session.write(labels, Uint32Array.of(9), 2)).toThrow(
      "element 2 is 9, and softmaxCrossEntropy takes whole numbers in 0 … 8",
    );
  });

  test("refuses a constant that is no index", async () => {
    const data = parameter("data", [4]);
    const graph = defineGraph({ taken: takeBatch(data, { start: constant(3, [], "uint32"), count: 2 }) });
    await expect(backend.createSession().compile(graph)).rejects.toThrow(
      "constant []: element 0 is 3, and takeBatch takes whole numbers in 0 … 2",
    );
    const fixed = constant([1, 4], [2], "uint32");
    const ordered = defineGraph({
      taken: takeBatch(data, { order: fixed, start: constant(0, [], "uint32"), count: 2 }),
    });
    await expect(backend.createSession().compile(ordered)).rejects.toThrow(
      "constant [2]: element 1 is 4, and takeBatch takes whole numbers in 0 … 3",
    );
  });

  test("lets what was called before dispose arrive, and refuses all else by name", async () => {
    const on = await prepared(backend);
    const other = await prepared(backend);
    const expected = [await other.executable.run(1, 2), await other.session.read(other.bias)];
    const late = on.session.compile(classifier().graph);
    const inFlight = [on.executable.run(1, 2), on.session.read(on.bias)];
    on.session.dispose();
    on.session.dispose();
    // Awaited together: a rejection that nothing awaits yet would be an unhandled one.
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
  test("that was disposed of refuses all calls of its sessions by name", async () => {
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

describe("what a device reports", () => {
  test("fails the executable that it comes of, names the kernel, and leaves others their values, at the same time and later", async () => {
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

  test("a backend disposed of while it compiles says so", async () => {
    const { backend } = await acquireLosableBackend();
    const compiling = backend.createSession().compile(classifier().graph);
    backend.dispose();
    await expect(compiling).rejects.toThrow(disposedOf("compile", "backend"));
  });

  test("a device lost while it profiles is a DeviceLostError, and one given back says so", async () => {
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
      await expect(work).rejects.toThrow(/the backend was disposed of while it worked/);
  });
});
