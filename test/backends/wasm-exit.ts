/* A program for wasm-exit.test.ts: it computes with threads, and ends with or without disposing of its backend. */
import { createWasmBackend, defineGraph, input, sum } from "../../src/index.ts";
import { nodeWasm } from "../../src/node/index.ts";

const backend = await createWasmBackend(nodeWasm(), { threads: 3 });
const session = backend.createSession();
const x = input("x", [1000, 1000]);
const executable = await session.compile(defineGraph({ total: sum(x, { axes: 1 }), all: sum(x) }));
session.write(x, new Float32Array(x.size).fill(1));
const { all } = await executable.run(0, 20);
console.log(`${backend.adapter.name}: ${all!.at(-1)}`);
if (process.argv[2] === "dispose") backend.dispose();
