import { DeviceError } from "../../errors.ts";
import type { Graph } from "../../graph/graph.ts";
import type { Backend } from "../backend.ts";
import type { WasmSource } from "./source.ts";

export { browserWasm, type ThreadEvents, type WasmSource, type WasmThread } from "./source.ts";

/** How the WebAssembly backend computes. */
export interface WasmOptions {
  /**
   * Threads that compute, the caller's own among them, at least 1; as many as the source advises by default. Any number
   * gives the same bits.
   */
  readonly threads?: number | undefined;
  /** Takes each graph that is compiled. */
  readonly onGraph?: ((graph: Graph) => void) | undefined;
}

/**
 * A backend that computes on the CPU by WebAssembly, with as many threads as there may be.
 * @throws DeviceError where WebAssembly lacks SIMD or gives no memory; OptionError for a number of threads below 1
 */
export async function createWasmBackend(source: WasmSource, _options: WasmOptions = {}): Promise<Backend> {
  await source.kernels();
  throw new DeviceError({ where: "WebAssembly", what: "the backend is not built yet" });
}
