import { OptionError } from "../../errors.ts";
import type { Graph } from "../../graph/graph.ts";
import type { Backend } from "../backend.ts";
import { CheckedSession, Lifetime } from "../checked-session.ts";
import { openWasmDevice, type WasmDevice } from "./device.ts";
import { WasmSession } from "./session.ts";
import type { WasmSource } from "./source.ts";
import { MOST_THREADS } from "./threads/protocol.ts";

export { referenceOps } from "./kernels.ts";
export { browserWasm, type ThreadEvents, type WasmSource, type WasmThread } from "./source.ts";

/** How the WebAssembly backend computes. */
export interface WasmOptions {
  /**
   * Threads that compute, the caller's own among them: 1 … 64, as many as the source advises by default, and at most as
   * many as it can have. Any number gives the same bits.
   */
  readonly threads?: number | undefined;
  /** Takes each graph that is compiled. */
  readonly onGraph?: ((graph: Graph) => void) | undefined;
}

/** WebAssembly addresses 4 GiB, of which a step holds several tensors. */
const MOST_TENSOR_BYTES = 2 ** 30;

/**
 * A backend that computes on the CPU by WebAssembly, with as many threads as there may be. The caller's thread computes
 * too: while it does, its event loop has a turn about every 25 ms, and after every run.
 * @throws DeviceError where WebAssembly lacks SIMD or gets no memory; OptionError for another number of threads than 1 … 64
 */
export const createWasmBackend = async (source: WasmSource, options: WasmOptions = {}): Promise<Backend> =>
  (await openWasmBackend(source, options)).backend;

/** The same, with the device that it computes on: tests look into it. */
export async function openWasmBackend(
  source: WasmSource,
  options: WasmOptions = {},
): Promise<{ backend: Backend; device(): WasmDevice }> {
  const threads = threadsOf(source, options);
  let device = await openWasmDevice(source, threads);
  let restarting: Promise<void> | undefined;
  const lifetime = new Lifetime("backend");
  const replaceDevice = async () => {
    device = await openWasmDevice(source, threads);
    if (!lifetime.ended) return;
    device.destroy();
    lifetime.requireOpen("restart");
  };
  const backend: Backend = {
    kind: "wasm",
    get adapter() {
      const count = device.threads;
      return { name: `WebAssembly, ${count === 1 ? "1 thread" : `${count} threads`}`, software: false };
    },
    maxTensorBytes: MOST_TENSOR_BYTES,
    createSession() {
      lifetime.requireOpen("createSession");
      return new CheckedSession(new WasmSession(device), lifetime, options.onGraph);
    },
    get lost() {
      return device.lost;
    },
    async restart() {
      if (!device.isLost || lifetime.ended) return;
      restarting ??= replaceDevice().finally(() => (restarting = undefined));
      await restarting;
    },
    dispose() {
      lifetime.end();
      device.destroy();
    },
  };
  return { backend, device: () => device };
}

function threadsOf(source: WasmSource, { threads = source.threads }: WasmOptions): number {
  if (Number.isInteger(threads) && threads >= 1 && threads <= MOST_THREADS)
    return Math.min(threads, source.mostThreads);
  throw new OptionError({
    where: "threads",
    what: `there cannot be ${String(threads)}`,
    fix: `Give a whole number in 1 … ${MOST_THREADS}`,
  });
}
