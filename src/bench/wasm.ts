/*
 * The benchmark of the WebAssembly backend. It has no driver and no tilings, and its ceilings are measured with its own
 * kernels.
 */
import type { Backend } from "../backends/backend.ts";
import { openWasmBackend, referenceOps } from "../backends/wasm/index.ts";
import type { WasmSource } from "../backends/wasm/source.ts";
import { defineGraph } from "../graph/graph.ts";
import { input } from "../graph/leaves.ts";
import type { Tensor } from "../graph/tensor.ts";
import { copy } from "../ops/layout/index.ts";
import { matmul } from "../ops/matmul/index.ts";
import { Replay, type TimingSettings } from "./replay.ts";
import type { Ceilings } from "./report.ts";
import type { StepBench } from "./step.ts";

/** Rows and columns of the product that measures the ceiling of arithmetic. */
const PRODUCT_SIZE = 512;

/** Several times the size of a CPU's cache. */
const COPIED_BYTES = 2 ** 26;

/** Opens the backend with all threads, and measures its ceilings. */
export async function openWasmBench(
  source: WasmSource,
  settings: TimingSettings,
): Promise<StepBench & { readonly reference: readonly string[] }> {
  const { backend, device } = await openWasmBackend(source);
  await device().pool.joined;
  const meter = {
    get bytes() {
      return device().memory.reserved;
    },
  };
  const ceilings = await measureCeilings(backend, settings);
  return { backend, ceilings, clock: "timestamps", settings, meter, reference: referenceOps() };
}

async function measureCeilings(backend: Backend, settings: TimingSettings): Promise<Ceilings> {
  const [left, right] = ["left", "right"].map((name) => input(name, [PRODUCT_SIZE, PRODUCT_SIZE]));
  const copied = input("copied", [COPIED_BYTES / 4]);
  const productSeconds = await fastestSeconds(backend, settings, matmul(left!, right!), [left!, right!]);
  const copySeconds = await fastestSeconds(backend, settings, copy(copied), [copied]);
  return {
    flopsPerSecond: (2 * PRODUCT_SIZE ** 3) / productSeconds,
    bytesPerSecond: (2 * COPIED_BYTES) / copySeconds,
    copiedBytes: COPIED_BYTES,
  };
}

async function fastestSeconds(
  backend: Backend,
  settings: TimingSettings,
  result: Tensor,
  inputs: readonly Tensor[],
): Promise<number> {
  const session = backend.createSession();
  try {
    const executable = await session.compile(defineGraph({ result }));
    for (const leaf of inputs) session.write(leaf, new Float32Array(leaf.size).fill(1));
    const replay = new Replay(executable, settings);
    await replay.warmUp();
    return (await replay.wallClock()).lowerQuartile;
  } finally {
    session.dispose();
  }
}
