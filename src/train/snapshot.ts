import type { Session } from "../backends/backend.ts";
import { OptionError } from "../errors.ts";
import { nameOf, type StoredAttributes } from "../graph/leaves.ts";
import type { Shape, Tensor } from "../graph/tensor.ts";
import type { AnyModel } from "../nn/functional.ts";
import { storedLeaves } from "../nn/sequential.ts";

/** The values of a parameter or state. */
export interface StoredValues {
  readonly shape: Shape;
  /** Row-major. */
  readonly values: Float32Array;
}

/** Sums over the steps since the last event. */
export interface Unreported {
  readonly steps: number;
  readonly loss: number;
  /** Correct predictions; NaN for regression. */
  readonly correct: number;
  /** 0 if it is not measured. */
  readonly gradientNorm: number;
  /** The metrics of the user, if there are any. */
  readonly metrics?: Readonly<Record<string, number>>;
}

/** A record with a number computed from each entry. */
export const mapped = <Value>(
  record: Readonly<Record<string, Value>>,
  change: (value: Value, name: string) => number,
): Record<string, number> =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value, name)]));

export const nothingUnreported: Unreported = { steps: 0, loss: 0, correct: 0, gradientNorm: 0 };

/** The state of a run after a step. */
export interface Snapshot {
  /** The number of steps that were made; 0 before the first. */
  readonly step: number;
  /** The values of the model's parameters and of its layers' states, such as running statistics. */
  readonly parameters: Readonly<Record<string, StoredValues>>;
  /**
   * The optimizer's states, as flat vectors in the layout of `pack(parameters)`, none for plain SGD; the state of the
   * check for NaN, see `onNonFinite`; and the moving averages of the parameters, see `averageDecay`.
   */
  readonly optimizer: Readonly<Record<string, StoredValues>>;
  /** The position of a stream that saves it, as plain JSON. */
  readonly stream?: unknown;
  /**
   * The metrics of the steps that no event has reported yet, for a run that continues from here; undefined during
   * `fit`.
   */
  readonly unreported?: Unreported;
}

/** Reads the values of leaves. The reads are queued at once, so later runs do not change the result. */
export async function readAll(session: Session, leaves: readonly Tensor[]): Promise<Record<string, StoredValues>> {
  const reads = leaves.map(async (leaf) => {
    const { name } = leaf.attributes as StoredAttributes;
    return [name, { shape: leaf.shape, values: Float32Array.from(await session.read(leaf)) }] as const;
  });
  return Object.fromEntries(await Promise.all(reads));
}

/**
 * Reads the values of a model in a session: its parameters and its layers' states, by name, as `saveModel` takes them. For
 * loops of one's own; a trainer has `snapshot`. The reads are queued at once, so later runs do not change the result.
 * @throws OptionError if no graph compiled in this session uses one of them
 */
export const readValues = (
  session: Session,
  model: Pick<AnyModel, "parameters" | "states">,
): Promise<Record<string, StoredValues>> => readAll(session, storedLeaves(model));

/**
 * Writes the values of a snapshot to leaves.
 * @throws OptionError that names the leaf if a value is missing, has another shape, or belongs to no leaf
 */
export function writeAll(
  session: Session,
  leaves: readonly Tensor[],
  stored: Readonly<Record<string, StoredValues>>,
): void {
  for (const leaf of leaves) {
    const found = Object.hasOwn(stored, nameOf(leaf)) ? stored[nameOf(leaf)] : undefined;
    const shapeText = (shape: Shape) => `[${shape.join(", ")}]`;
    if (!found) throw otherRun(nameOf(leaf), "the snapshot does not contain it");
    if (found.shape.join() !== leaf.shape.join() || found.values.length !== leaf.size) {
      throw otherRun(
        nameOf(leaf),
        `its shape is ${shapeText(found.shape)} in the snapshot and ${shapeText(leaf.shape)} in this trainer`,
      );
    }
  }
  const known = new Set(leaves.map(nameOf));
  const extra = Object.keys(stored).find((name) => !known.has(name));
  if (extra !== undefined) throw otherRun(extra, "this trainer does not have it");
  for (const leaf of leaves) session.write(leaf, stored[nameOf(leaf)]!.values);
}

const otherRun = (where: string, what: string) =>
  new OptionError({ where, what, fix: "Use the model and the optimizer that the snapshot was taken with" });
