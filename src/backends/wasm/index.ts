import { OptionError } from "../../errors.ts";
import type { Graph } from "../../graph/graph.ts";
import type { Backend } from "../backend.ts";
import { CheckedSession, Lifetime } from "../checked-session.ts";
import { openWasmDevice, type WasmDevice } from "./device.ts";
import { WasmSession } from "./session.ts";
import type { WasmSource } from "./source.ts";
import { MOST_THREADS } from "./threads/protocol.ts";

export { referenceOps } from "./kernels.ts";
export { browserWasm } from "./source.ts";

/** Options of `createWasmBackend`. */
export interface WasmOptions {
  /**
   * Number of threads, including the caller's: 1 … 64, and at most `source.mostThreads`; `source.threads` by default.
   * The results do not depend on it.
   */
  readonly threads?: number | undefined;
  /**
   * Whether matrix products may use relaxed SIMD, whose multiply-add rounds once instead of twice where the processor has
   * such an instruction; false by default. It is faster, but changes the bits of the results, which may then differ
   * between machines. Another file of kernels is loaded for it.
   */
  readonly relaxedSimd?: boolean | undefined;
  /** Called with each graph that is compiled, for debugging. */
  readonly onGraph?: ((graph: Graph) => void) | undefined;
}

/** WebAssembly addresses 4 GiB, of which a step holds several tensors. */
const MOST_TENSOR_BYTES = 2 ** 30;

/** As `createWasmBackend`, with access to the device, for tests and benchmarks. */
export async function openWasmBackend(
  source: WasmSource,
  options: WasmOptions = {},
): Promise<{ backend: Backend; device(): WasmDevice }> {
  const { relaxedSimd = false } = options;
  const wanted = { threads: threadsOf(source, options), relaxedSimd };
  let device = await openWasmDevice(source, wanted);
  let restarting: Promise<void> | undefined;
  const lifetime = new Lifetime("backend");
  const replaceDevice = async () => {
    device = await openWasmDevice(source, wanted);
    if (!lifetime.ended) return;
    device.destroy();
    lifetime.requireOpen("restart");
  };
  const backend: Backend = {
    kind: "wasm",
    get adapter() {
      const count = device.threads;
      const threads = count === 1 ? "1 thread" : `${count} threads`;
      return { name: `WebAssembly, ${threads}${relaxedSimd ? ", relaxed SIMD" : ""}`, software: false };
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
    what: `${String(threads)} is not a valid number of threads`,
    fix: `Use a whole number from 1 to ${MOST_THREADS}`,
  });
}
