/*
 * How examples get to the device. Usually all of them are uploaded once, and each epoch's order is uploaded beside
 * them. If they are too large for one binding, the rows are gathered in the epoch's order and streamed through a
 * smaller window.
 */
import type { Session } from "../backends/backend.ts";
import { isRegression, type Dataset } from "../data/dataset.ts";
import { epochOrder } from "../data/order.ts";
import { sizeOf } from "../graph/tensor.ts";
import { exampleLeaves, writeExamples, type ExampleLeaves } from "./batches.ts";
import type { DataPlan } from "./plan.ts";

/** Where the graphs of a step find their examples. */
export interface Feed {
  readonly leaves: ExampleLeaves;
  /** Whether each part of a divided step must be prepared separately. */
  readonly byParts: boolean;
  /** The maximum number of steps, starting at this one, whose examples are on the device at the same time. */
  stepsAllowed(step: number): number;
  /** The position in the leaves of the example at `offset` in a step's batch. */
  positionOf(step: number, offset: number): number;
  /** Writes the examples of a step, or of its part that starts at `offset`, to the device if they are not there yet. */
  prepare(session: Session, step: number, offset?: number): void;
}

/**
 * The maximum size of a window in bytes: it holds some dozens of steps, so that uploads are few, and takes little
 * memory.
 */
const WINDOW_BYTES = 2 ** 24;

/** Creates a feed for a new session of a backend whose largest tensor has `maxTensorBytes`. */
export function createFeed(plan: DataPlan, maxTensorBytes: number): Feed {
  const { dataset } = plan;
  const bytes = dataset.count * Math.max(rowBytes(dataset), targetBytes(dataset));
  return bytes <= maxTensorBytes ? new ResidentFeed(plan) : new WindowFeed(plan, maxTensorBytes);
}

/** Bytes of one example's features on the device. Rows of uint8 are padded to whole words. */
function rowBytes({ features, shape }: Dataset): number {
  const width = sizeOf(shape);
  return features instanceof Uint8Array ? 4 * Math.ceil(width / 4) : 4 * width;
}

const targetBytes = (data: Dataset) => 4 * (isRegression(data) ? data.outputs.length : 1);

class ResidentFeed implements Feed {
  readonly leaves: ExampleLeaves;
  readonly byParts = false;
  readonly #plan: DataPlan;
  #written = false;
  /** The epoch whose order was written last. */
  #orderedEpoch = -1;

  constructor(plan: DataPlan) {
    this.#plan = plan;
    this.leaves = exampleLeaves(plan.dataset.count, plan.dataset, plan.shuffled);
  }

  /** Steps up to the end of the epoch, whose order must stay on the device until then. */
  stepsAllowed(step: number): number {
    const { shuffled, stepsPerEpoch } = this.#plan;
    return shuffled ? stepsPerEpoch - (step % stepsPerEpoch) : Infinity;
  }

  positionOf(step: number, offset: number): number {
    return (step % this.#plan.stepsPerEpoch) * this.#plan.batchSize + offset;
  }

  prepare(session: Session, step: number): void {
    const { dataset, seed, stepsPerEpoch } = this.#plan;
    if (!this.#written) writeExamples(session, this.leaves, dataset, 0, dataset.count);
    this.#written = true;
    const epoch = Math.floor(step / stepsPerEpoch);
    if (!this.leaves.order || epoch === this.#orderedEpoch) return;
    session.write(this.leaves.order, epochOrder(dataset.count, seed, epoch));
    this.#orderedEpoch = epoch;
  }
}

/**
 * Streams the examples through one window. The device's queue keeps writes and runs in order, so a single window is
 * enough: the next rows are gathered and written while the device still works on earlier runs.
 */
class WindowFeed implements Feed {
  readonly leaves: ExampleLeaves;
  readonly byParts: boolean;
  readonly #plan: DataPlan;
  /** Whole steps per window; 1 if a step is divided, in which case the window holds one part of it. */
  readonly #steps: number;
  readonly #rows: Dataset;
  #order: { readonly epoch: number; readonly examples: Uint32Array } | undefined;
  /** The first example in the window, counted over the whole run. */
  #held = -1;

  constructor(plan: DataPlan, maxTensorBytes: number) {
    const { dataset, batchSize, microBatchSize, stepsPerEpoch } = plan;
    this.#plan = plan;
    this.byParts = microBatchSize < batchSize;
    const bytes = Math.min(WINDOW_BYTES, maxTensorBytes);
    const fitting = Math.floor(bytes / (batchSize * Math.max(rowBytes(dataset), targetBytes(dataset))));
    this.#steps = this.byParts ? 1 : Math.max(1, Math.min(stepsPerEpoch, fitting));
    const rows = this.byParts ? microBatchSize : this.#steps * batchSize;
    this.#rows = emptyRows(dataset, rows);
    this.leaves = exampleLeaves(rows, dataset, false);
  }

  stepsAllowed(step: number): number {
    const { stepsPerEpoch } = this.#plan;
    const ofEpoch = step % stepsPerEpoch;
    return Math.min(this.#steps - (ofEpoch % this.#steps), stepsPerEpoch - ofEpoch);
  }

  positionOf(step: number, offset: number): number {
    const { stepsPerEpoch, batchSize } = this.#plan;
    return this.byParts ? 0 : ((step % stepsPerEpoch) % this.#steps) * batchSize + offset;
  }

  prepare(session: Session, step: number, offset = 0): void {
    const { batchSize, microBatchSize, stepsPerEpoch } = this.#plan;
    const ofEpoch = step % stepsPerEpoch;
    const first = (ofEpoch - (ofEpoch % this.#steps)) * batchSize + offset;
    const last = this.byParts ? offset + microBatchSize : this.#steps * batchSize;
    const held = Math.floor(step / stepsPerEpoch) * stepsPerEpoch * batchSize + first;
    if (held === this.#held) return;
    this.#held = held;
    const epochEnd = stepsPerEpoch * batchSize;
    const count = Math.min(this.byParts ? Math.min(last, batchSize) - offset : last, epochEnd - first);
    gatherRows(this.#plan.dataset, this.#rows, this.#orderOf(Math.floor(step / stepsPerEpoch)), first, count);
    writeExamples(session, this.leaves, this.#rows, 0, count);
  }

  /** The order of an epoch. With full batches the examples keep their own order. */
  #orderOf(epoch: number): Uint32Array {
    const { dataset, seed, shuffled } = this.#plan;
    if (this.#order && (this.#order.epoch === epoch || !shuffled)) return this.#order.examples;
    const examples = shuffled
      ? epochOrder(dataset.count, seed, epoch)
      : Uint32Array.from({ length: dataset.count }, (_, index) => index);
    this.#order = { epoch, examples };
    return examples;
  }
}

function emptyRows(data: Dataset, count: number): Dataset {
  const length = count * sizeOf(data.shape);
  const features = data.features instanceof Uint8Array ? new Uint8Array(length) : new Float32Array(length);
  return isRegression(data)
    ? { ...data, features, targets: new Float32Array(count * data.outputs.length), count }
    : { ...data, features, labels: new Uint32Array(count), count };
}

/** Copies the examples order[first], …, order[first + count − 1] to the first rows of a window. */
function gatherRows(data: Dataset, window: Dataset, order: Uint32Array, first: number, count: number): void {
  const width = sizeOf(data.shape);
  for (let row = 0; row < count; row++) {
    const example = order[first + row]!;
    window.features.set(data.features.subarray(example * width, (example + 1) * width), row * width);
    if (!isRegression(data)) (window as typeof data).labels[row] = data.labels[example]!;
    else
      for (let output = 0; output < data.outputs.length; output++) {
        (window as typeof data).targets[row * data.outputs.length + output] =
          data.targets[example * data.outputs.length + output]!;
      }
  }
}
