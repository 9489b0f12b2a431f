/*
 * Generated functions are installed in all threads, while graphs are compiled together, threads still start, or the device is lost.
 */
import { afterEach, expect, test, vi } from "vitest";
import { openWasmBackend } from "../../src/backends/wasm/index.ts";
import type { ThreadEvents } from "../../src/backends/wasm/source.ts";
import { words, type MessageToThread } from "../../src/backends/wasm/threads/protocol.ts";
import { DeviceLostError } from "../../src/errors.ts";
import { defineGraph } from "../../src/graph/graph.ts";
import { input } from "../../src/graph/leaves.ts";
import { nodeWasm } from "../../src/node/wasm.ts";
import { exp, square } from "../../src/ops/elementwise/index.ts";
import { acquireLosableWasm } from "../wasm.ts";

afterEach(() => void vi.restoreAllMocks());

const compileModule = WebAssembly.compile.bind(WebAssembly);

/** Runs a function after each of the next modules was compiled, before it is installed. */
function afterModules(...then: (() => unknown)[]): void {
  const compile = vi.spyOn(WebAssembly, "compile");
  for (const next of then)
    compile.mockImplementationOnce(async (bytes) => {
      const module = await compileModule(bytes);
      await next();
      return module;
    });
}

/** A source of threads that receive no message until they are released. */
function lateThreads() {
  const source = nodeWasm();
  const held: (() => void)[] = [];
  let isHeld = true;
  const startThread = (program: string, events: ThreadEvents) => {
    const thread = source.startThread(program, events);
    const post = (message: unknown) => {
      if (isHeld) held.push(() => thread.post(message));
      else thread.post(message);
    };
    return { ...thread, post };
  };
  const release = () => {
    isHeld = false;
    for (const post of held) post();
  };
  return { source: { ...source, startThread }, release };
}

const x = input("x", [4]);
const squares = defineGraph({ squares: square(x) });
const powers = defineGraph({ powers: exp(x) });

test("a thread that starts late gets the functions of all graphs, in whatever order their modules were compiled", async () => {
  const { source, release } = lateThreads();
  const { backend, device } = await openWasmBackend(source, { threads: 2 });
  const session = backend.createSession();
  // The first functions of the table are installed last.
  afterModules(() => compiled);
  const first = session.compile(squares);
  const compiled = session.compile(powers);
  await Promise.all([first, compiled]);
  release();
  await device().pool.joined;
  expect(device().isLost).toBe(false);
  expect(device().threads).toBe(2);
  session.write(x, Float32Array.of(0, 1, 2, 3));
  const executable = await first;
  await executable.run(0, 1);
  expect(await executable.read("squares")).toEqual(Float32Array.of(0, 1, 4, 9));
  backend.dispose();
});

test("a message is counted before a thread can receive it: otherwise the thread does not wait for work", async () => {
  const source = nodeWasm();
  const counts: number[] = [];
  let control: Int32Array;
  const startThread = (program: string, events: ThreadEvents) => {
    const thread = source.startThread(program, events);
    const post = (message: MessageToThread) => {
      if ("start" in message) control = new Int32Array(message.start.memory.buffer, message.start.control);
      counts.push(Atomics.load(control, words.sent + 1));
      thread.post(message);
    };
    return { ...thread, post };
  };
  const { backend, device } = await openWasmBackend({ ...source, startThread }, { threads: 2 });
  await device().pool.joined;
  await backend.createSession().compile(squares);
  expect(counts).toEqual([1, 2, 3]);
  backend.dispose();
});

test("a graph that is compiled when the device is lost fails with its loss", async () => {
  const { backend, lose } = await acquireLosableWasm();
  afterModules(lose);
  await expect(backend.createSession().compile(squares)).rejects.toThrow(DeviceLostError);
  backend.dispose();
});

test("graphs that wait for each other's functions when the device is lost all fail with its loss", async () => {
  const { backend, lose } = await acquireLosableWasm();
  const session = backend.createSession();
  let toBoth = () => {};
  const both = new Promise<void>((resolve) => (toBoth = resolve));
  // The second graph waits for a function of the first, whose failure must not hide that of its own module.
  afterModules(
    () => both,
    async () => {
      toBoth();
      lose();
      await new Promise((resolve) => setTimeout(resolve));
    },
  );
  const compiled = [squares, defineGraph({ squares: square(x), powers: exp(square(x)) })].map((graph) =>
    session.compile(graph),
  );
  for (const failure of await Promise.allSettled(compiled))
    expect(failure).toMatchObject({ status: "rejected", reason: expect.any(DeviceLostError) as unknown });
  backend.dispose();
});
