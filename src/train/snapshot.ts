import type { Session } from "../backends/backend.ts";
import { OptionError } from "../errors.ts";
import type { StoredAttributes } from "../graph/leaves.ts";
import type { Shape, Tensor } from "../graph/tensor.ts";

/** What a leaf held. */
export interface StoredValues {
  readonly shape: Shape;
  /** Row-major. */
  readonly values: Float32Array;
}

/** Sums over the steps since the last event. */
export interface Unreported {
  readonly steps: number;
  readonly loss: number;
  /** Right predictions; NaN of quantities. */
  readonly correct: number;
  /** 0 where it is not measured. */
  readonly gradientNorm: number;
}

export const nothingUnreported: Unreported = { steps: 0, loss: 0, correct: 0, gradientNorm: 0 };

/** The state of a run after a number of steps. */
export interface Snapshot {
  /** Steps that the values have seen: the number of the last step, counted from 1; 0 before the first. */
  readonly step: number;
  readonly parameters: Readonly<Record<string, StoredValues>>;
  /**
   * The optimizer's states, flat vectors in the slices of `pack(parameters)`, none for plain SGD; and what the check for
   * NaN remembers, see `onNonFinite`.
   */
  readonly optimizer: Readonly<Record<string, StoredValues>>;
  /** What the first event of a run that goes on from here begins with; not known while a fit is under way. */
  readonly unreported?: Unreported;
}

/** Asks for the values of leaves at once, in the stream of commands, so that later runs do not change them. */
export async function readAll(session: Session, leaves: readonly Tensor[]): Promise<Record<string, StoredValues>> {
  const reads = leaves.map(async (leaf) => {
    const { name } = leaf.attributes as StoredAttributes;
    return [name, { shape: leaf.shape, values: Float32Array.from(await session.read(leaf)) }] as const;
  });
  return Object.fromEntries(await Promise.all(reads));
}

/**
 * Gives leaves the values of a snapshot.
 * @throws OptionError naming the leaf where a value is missing, is of another shape, or belongs to no leaf
 */
export function writeAll(
  session: Session,
  leaves: readonly Tensor[],
  stored: Readonly<Record<string, StoredValues>>,
): void {
  const nameOf = (leaf: Tensor) => (leaf.attributes as StoredAttributes).name;
  for (const leaf of leaves) {
    const found = Object.hasOwn(stored, nameOf(leaf)) ? stored[nameOf(leaf)] : undefined;
    const shapeText = (shape: Shape) => `[${shape.join(", ")}]`;
    if (!found) throw otherRun(nameOf(leaf), "the snapshot has no such value");
    if (found.shape.join() !== leaf.shape.join() || found.values.length !== leaf.size) {
      throw otherRun(
        nameOf(leaf),
        `the snapshot has it as ${shapeText(found.shape)}, this trainer as ${shapeText(leaf.shape)}`,
      );
    }
  }
  const known = new Set(leaves.map(nameOf));
  const extra = Object.keys(stored).find((name) => !known.has(name));
  if (extra !== undefined) throw otherRun(extra, "this trainer has no such value");
  for (const leaf of leaves) session.write(leaf, stored[nameOf(leaf)]!.values);
}

const otherRun = (where: string, what: string) =>
  new OptionError({ where, what, fix: "Go on with the network and optimizer that the snapshot was taken with" });
