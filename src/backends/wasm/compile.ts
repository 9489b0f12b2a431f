/*
 * Compiles a graph for the WebAssembly backend: the compiler's passes (fuse, plan), then a phase for each group. The
 * generated functions are installed in all threads, and memory is reserved.
 */
import { fuse } from "../../compiler/fuse.ts";
import { isLiteral, isStepScalar } from "../../compiler/nodes.ts";
import { plan } from "../../compiler/plan.ts";
import type { StoredLeaves } from "../../compiler/stored-leaves.ts";
import type { Graph } from "../../graph/graph.ts";
import type { WasmDevice } from "./device.ts";
import { WasmExecutable } from "./executable.ts";
import { updatedStates } from "./flush.ts";
import { lower } from "./lower.ts";
import type { Block } from "./memory.ts";
import { wasmRules } from "./rules.ts";

/**
 * Compiles a graph to an executable.
 * @throws DeviceError if there is not enough memory; then nothing remains allocated
 */
export async function compile(device: WasmDevice, graph: Graph, leaves: StoredLeaves<Block>): Promise<WasmExecutable> {
  const planned = plan(graph, fuse(graph, wasmRules), wasmRules, (tensor) => leaves.regionOf(tensor));
  const lowered = lower(planned, device.threads);
  const indices = await device.install(lowered.steps.flatMap(({ functions }) => functions));
  const scalars = graph.nodes.filter(isStepScalar);
  const literals = graph.nodes.filter(isLiteral);
  return device.queue.add(
    () =>
      new WasmExecutable({
        device,
        plan: planned,
        lowered,
        indices,
        scalars,
        literals,
        states: updatedStates(graph),
        leaves,
      }),
  );
}
