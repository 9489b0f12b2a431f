import type { Backend } from "../src/backends/backend.ts";
import type { WasmDevice } from "../src/backends/wasm/device.ts";
import { openWasmBackend } from "../src/backends/wasm/index.ts";
import { nodeWasm } from "../src/node/wasm.ts";

/** A WebAssembly backend of which all threads have started, with its device. */
export async function acquireWasm(threads = 2, source = nodeWasm()): Promise<{ backend: Backend; device(): WasmDevice }> {
  const opened = await openWasmBackend(source, { threads });
  await opened.device().pool.joined;
  return opened;
}

/** The WebAssembly backend with two threads. */
export const acquireWasmBackend = async (): Promise<Backend> => (await acquireWasm()).backend;
