import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Worker } from "node:worker_threads";
import type { Backend } from "../src/backends/backend.ts";
import type { WasmDevice } from "../src/backends/wasm/device.ts";
import { openWasmBackend } from "../src/backends/wasm/index.ts";
import { nodeWasm } from "../src/node/wasm.ts";

/** A WebAssembly backend of which all threads have started, with its device. */
export async function acquireWasm(threads = 2): Promise<{ backend: Backend; device(): WasmDevice }> {
  const opened = await openWasmBackend(nodeWasm(), { threads });
  await opened.device().pool.joined;
  return opened;
}

/** The WebAssembly backend with two threads. */
export const acquireWasmBackend = async (): Promise<Backend> => (await acquireWasm()).backend;

/** A WebAssembly backend whose device can be lost at will, and whose other thread can be killed. */
export async function acquireLosableWasm(): Promise<{ backend: Backend; lose(reason?: string): void; kill(): void }> {
  const workers: Worker[] = [];
  const note = (worker: Worker) => void workers.push(worker);
  process.on("worker", note);
  const { backend, device } = await acquireWasm();
  process.off("worker", note);
  return { backend, lose: (reason = "on purpose") => device().fail(reason), kill: () => void workers[0]!.terminate() };
}

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** The bytes of the heap that are still used after a garbage collection. */
export function usedHeap(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}
