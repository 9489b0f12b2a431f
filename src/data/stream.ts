import { DataError } from "../errors.ts";
import type { ColumnDescription, DataDescription } from "./columns.ts";
import { otherType, requireTensorName, shapeFault } from "./dataset-checks.ts";
import type { TensorElements } from "./tensor-dataset.ts";

/** A batch of a stream: for each tensor the values of its examples, row-major, [batchSize, ...shape]. */
export type StreamBatch = Readonly<Record<string, TensorElements>>;

/** Batches one after another. */
export type Batches = AsyncIterable<StreamBatch> | Iterable<StreamBatch>;

/** A source of batches that knows where it is, and can return there. */
export interface SavingBatches extends AsyncIterable<StreamBatch> {
  /** The position after the batches that were taken so far, as plain JSON. Called after each batch. */
  saveState(): unknown;
  /** Returns to a position that `saveState` gave. Iteration is started again afterwards, and continues from there. */
  restoreState(state: unknown): void;
}

/** Data that comes in batches: larger than memory, or generated. */
export interface DataStream {
  /** A name for messages. */
  readonly name: string;
  /** The shape of one example of each tensor, and the type of its values. Bytes become float32 in a batch. */
  readonly tensors: Readonly<Record<string, ColumnDescription>>;
  /** The names of the classes, if the tensor `labels` (uint32, []) holds class indices for `features`. */
  readonly classes?: readonly string[];
  /** The names of the outputs, if the tensor `targets` (float32, [outputs]) holds numbers to predict from `features`. */
  readonly outputs?: readonly string[];
  /** Batches per epoch, at least 1. Without it, the trainer needs `maxSteps`, and the run is one epoch. */
  readonly stepsPerEpoch?: number;
  /**
   * The batches. A function returns those of the steps from `fromStep` on (counted from 0 over all epochs), with
   * `batchSize` examples each; the same step must have the same batch at every call. Such a stream can be read again, so
   * runs can be resumed and survive the loss of a device. So can a source that saves its position, which snapshots
   * contain. Anything else that can be iterated is read once: a run cannot go back.
   *
   * Batches are read while the device works, at most 64 ahead, and copied. Iteration may end after each epoch, and is
   * then started again for the next one. Ending anywhere else is an error, as are batches of other sizes.
   */
  readonly batches: ((fromStep: number, batchSize: number) => Batches) | SavingBatches | Batches;
}

/** Whether a source saves its position. */
export const savesState = (batches: DataStream["batches"]): batches is SavingBatches =>
  typeof batches === "object" && "saveState" in batches && "restoreState" in batches;

/**
 * Makes a stream of batches for training.
 *
 * @example
 * ```ts
 * const waves = makeStream({
 *   name: "waves",
 *   tensors: { features: { shape: [1], dtype: "float32" }, targets: { shape: [1], dtype: "float32" } },
 *   outputs: ["y"],
 *   *batches(fromStep, batchSize) {
 *     for (let step = fromStep; ; step++) {
 *       const random = new Random(1, step);
 *       const features = Float32Array.from({ length: batchSize }, () => random.uniform(0, 6));
 *       yield { features, targets: features.map(Math.sin) };
 *     }
 *   },
 * });
 * ```
 *
 * @throws DataError that names the first violation
 */
export function makeStream(parts: DataStream): DataStream {
  const { name, tensors, classes, outputs, stepsPerEpoch, batches } = parts;
  if (typeof tensors !== "object" || tensors === null || Object.keys(tensors).length === 0) {
    throw new DataError({ where: name, what: "there are no tensors", fix: "Describe at least one tensor" });
  }
  for (const [key, tensor] of Object.entries(tensors)) requireDescription(name, key, tensor);
  if (classes !== undefined) requireTensor(parts, "labels", { shape: [], dtype: "uint32" });
  if (outputs !== undefined) requireTensor(parts, "targets", { shape: [outputs.length], dtype: "float32" });
  if (stepsPerEpoch !== undefined && !(Number.isSafeInteger(stepsPerEpoch) && stepsPerEpoch >= 1)) {
    const what = `${String(stepsPerEpoch)} is not a number of batches per epoch`;
    throw new DataError({ where: name, what, fix: "Give a whole number of at least 1" });
  }
  if (typeof batches !== "function" && !isIterable(batches))
    throw otherType(name, "the batches", batches, "a function such as async function* (fromStep, batchSize) { … }");
  return parts;
}

function isIterable(value: unknown): value is Batches {
  return typeof value === "object" && value !== null && (Symbol.asyncIterator in value || Symbol.iterator in value);
}

function requireDescription(where: string, key: string, tensor: ColumnDescription): void {
  requireTensorName(where, key);
  const { shape, dtype } = typeof tensor === "object" && tensor !== null ? tensor : {};
  const fault = shapeFault(shape);
  const isType = dtype === "float32" || dtype === "uint32" || dtype === "uint8";
  if (fault === undefined && isType) return;
  const what = `the tensor ${key}: ${fault ?? `${String(dtype)} is not a type`}`;
  throw new DataError({ where, what, fix: 'Give { shape, dtype }, such as { shape: [28, 28], dtype: "uint8" }' });
}

/** Requires features, and a tensor that the task needs. */
function requireTensor({ name, tensors }: DataStream, key: string, { shape, dtype }: ColumnDescription): void {
  const found = tensors[key];
  const isRight = found?.dtype === dtype && found.shape.join() === shape.join();
  if (isRight && Object.hasOwn(tensors, "features")) return;
  const task = key === "labels" ? "classes" : "outputs";
  const missing = isRight ? "the tensor features" : `a tensor ${key} of ${dtype} and shape [${shape.join(", ")}]`;
  throw new DataError({
    where: name,
    what: `there are ${task}, but not ${missing}`,
    fix: `Describe it, or leave out ${task} and give the trainer a loss function`,
  });
}

/** Describes a stream. */
export function describeStream({ name, tensors, classes, outputs }: DataStream): DataDescription {
  return {
    name,
    columns: tensors,
    ...(classes && { classes: classes.length }),
    ...(outputs && { outputs: outputs.length }),
  };
}
