/*
 * The values that the workers of a shared run exchange: all parameters and states of the model's layers as one flat
 * vector.
 */
import { DataError } from "../../errors.ts";
import { nameOf } from "../../graph/leaves.ts";
import type { Shape } from "../../graph/tensor.ts";
import type { AnyModel } from "../../nn/functional.ts";
import type { StoredValues } from "../../train/index.ts";

/** One parameter or state in the vector. */
export interface Slice {
  readonly name: string;
  readonly shape: Shape;
  readonly first: number;
  readonly size: number;
  /** Whether it is a state of a layer, such as a running mean, which is averaged and has no outer momentum. */
  readonly isState: boolean;
}

/** Where each parameter and state is in the vector, in the order of the model. */
export interface ValueLayout {
  readonly slices: readonly Slice[];
  readonly size: number;
}

/** The layout of the values of a model. */
export function layoutOf({ parameters, states }: Pick<AnyModel, "parameters" | "states">): ValueLayout {
  const slices: Slice[] = [];
  let first = 0;
  for (const leaf of [...parameters, ...states]) {
    slices.push({ name: nameOf(leaf), shape: leaf.shape, first, size: leaf.size, isState: states.includes(leaf) });
    first += leaf.size;
  }
  return { slices, size: first };
}

/**
 * The values of a snapshot as one vector.
 * @throws DataError that names a value that is missing or has another size
 */
export function flattened(layout: ValueLayout, values: Readonly<Record<string, StoredValues>>): Float32Array {
  const flat = new Float32Array(layout.size);
  for (const { name, first, size } of layout.slices) {
    const found = Object.hasOwn(values, name) ? values[name]!.values : undefined;
    if (found?.length !== size) {
      const what = found ? `${found.length} values instead of ${size}` : "the value is missing";
      throw new DataError({ where: name, what, fix: "Use the same model on all workers" });
    }
    flat.set(found, first);
  }
  return flat;
}

/** The parts of a vector by name, as a snapshot has them. */
export function unflattened(layout: ValueLayout, flat: Float32Array): Record<string, StoredValues> {
  const entries = layout.slices.map(
    ({ name, shape, first, size }) => [name, { shape, values: flat.slice(first, first + size) }] as const,
  );
  return Object.fromEntries(entries);
}
