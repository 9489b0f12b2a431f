import type { Session } from "../backends/backend.ts";
import type { StoredAttributes } from "../graph/leaves.ts";
import type { Shape, Tensor } from "../graph/tensor.ts";

/** What a leaf held. */
export interface StoredValues {
  readonly shape: Shape;
  /** Row-major. */
  readonly values: Float32Array;
}

/** The state of a run after a number of steps. */
export interface Snapshot {
  /** Steps that the values have seen: the number of the last step, counted from 1; 0 before the first. */
  readonly step: number;
  readonly parameters: Readonly<Record<string, StoredValues>>;
  /** The optimizer's states, flat vectors in the slices of `pack(parameters)`; none for plain SGD. */
  readonly optimizer: Readonly<Record<string, StoredValues>>;
}

/** Asks for the values of leaves at once, in the stream of commands, so that later runs do not change them. */
export async function readAll(session: Session, leaves: readonly Tensor[]): Promise<Record<string, StoredValues>> {
  const reads = leaves.map(async (leaf) => {
    const { name } = leaf.attributes as StoredAttributes;
    return [name, { shape: leaf.shape, values: Float32Array.from(await session.read(leaf)) }] as const;
  });
  return Object.fromEntries(await Promise.all(reads));
}
