import type { Backend, NumericArray } from "../../../src/backends/backend.ts";
import { createCpuBackend } from "../../../src/backends/cpu/index.ts";
import { defineGraph } from "../../../src/graph/graph.ts";
import { input, stepScalar } from "../../../src/graph/leaves.ts";
import type { Shape } from "../../../src/graph/tensor.ts";
import type { Augmentation, AugmentationContext } from "../../../src/nn/augmentation.ts";
import { pcgHash, randomKey } from "../../../src/random.ts";

/** The values of a batch, with their shapes. Uint32Array makes uint32 tensors. */
export type Values = Readonly<Record<string, { readonly values: Float32Array | Uint32Array; readonly shape: Shape }>>;

const keyOf = (seed: number, step: number, index: number): number => randomKey(seed, step, index);

export const contextOf = (seed: number): AugmentationContext => ({
  keyAt: (index) => stepScalar(`key ${index}`, (step) => keyOf(seed, step, index), "uint32"),
});

/** The uniform numbers that an augmentation draws in a step, `columns` for each example. */
export const drawn = (seed: number, step: number, example: number, columns: number): number[] =>
  Array.from({ length: columns }, (_, column) => {
    const bits = pcgHash((keyOf(seed, step, 0) ^ pcgHash(example * columns + column)) >>> 0);
    return (bits >>> 8) * 2 ** -24;
  });

export interface Applied {
  readonly results: Readonly<Record<string, NumericArray>>;
  readonly shapes: Readonly<Record<string, Shape>>;
  /** The names of the kernels. */
  readonly kernels: readonly string[];
}

/** Applies an augmentation to values in one step. */
export async function apply(
  augmentation: Augmentation,
  batch: Values,
  { backend = createCpuBackend(), seed = 1, step = 0 }: { backend?: Backend; seed?: number; step?: number } = {},
): Promise<Applied> {
  const leaves = Object.fromEntries(
    Object.entries(batch).map(([name, { values, shape }]) => [
      name,
      input(name, shape, values instanceof Uint32Array ? "uint32" : "float32"),
    ]),
  );
  const changed = augmentation.apply(leaves, contextOf(seed));
  const outputs = Object.fromEntries(Object.entries(changed).filter(([name, tensor]) => tensor !== leaves[name]));
  const session = backend.createSession();
  try {
    const graph = defineGraph(outputs);
    const executable = await session.compile(graph);
    for (const [name, { values }] of Object.entries(batch))
      if (graph.nodes.includes(leaves[name]!)) session.write(leaves[name]!, values);
    await executable.run(step, 1);
    const names = Object.keys(changed);
    const read = async (name: string) => (name in outputs ? await executable.read(name) : batch[name]!.values);
    return {
      results: Object.fromEntries(await Promise.all(names.map(async (name) => [name, await read(name)] as const))),
      shapes: Object.fromEntries(names.map((name) => [name, changed[name]!.shape])),
      kernels: executable.dispatches.map(({ kernel }) => kernel),
    };
  } finally {
    session.dispose();
  }
}

/** Images of distinct values, [examples, height, width, channels], or without the last axis. */
export function images(shape: Shape): { values: Float32Array; shape: Shape } {
  const size = shape.reduce((product, length) => product * length, 1);
  return { values: Float32Array.from({ length: size }, (_, index) => ((index * 37) % 101) / 8 + 1), shape };
}
