import { createCpuBackend } from "../../src/backends/cpu/index.ts";
import { defineGraph, type Update } from "../../src/graph/graph.ts";
import type { Tensor } from "../../src/graph/tensor.ts";

/** Runs a graph in float64 and returns its outputs after the last step, and the values of the updated leaves. */
export async function evaluate(
  outputs: Record<string, Tensor>,
  options: { updates?: readonly Update[]; first?: number; steps?: number; leaves?: readonly Tensor[] } = {},
): Promise<{ outputs: Record<string, number[]>; leaves: number[][] }> {
  const { updates = [], first = 0, steps = 1, leaves = [] } = options;
  const session = createCpuBackend({ precision: "float64" }).createSession();
  const executable = await session.compile(defineGraph(outputs, updates));
  const traces = await executable.run(first, steps);
  const read = async (name: string): Promise<[string, number[]]> => [
    name,
    [...(traces[name]?.slice(-1) ?? (await executable.read(name)))],
  ];
  return {
    outputs: Object.fromEntries(await Promise.all(Object.keys(outputs).map(read))),
    leaves: await Promise.all(leaves.map(async (leaf) => [...(await session.read(leaf))])),
  };
}
