import type { Session } from "../../backends/backend.ts";
import type { DataStream } from "../../data/stream.ts";
import type { TextDataset } from "../../data/text/dataset.ts";
import { streamOfText } from "../../data/text/stream.ts";
import type { Tensor } from "../../graph/tensor.ts";
import { columnLeaves, usedLeaves, writeRows, type ColumnLeaves } from "../batches.ts";
import type { DataPlan } from "../plan.ts";
import { widestBytes, WINDOW_BYTES, type Feed } from "./feed.ts";
import { requireRepeatable, StreamReader } from "./reader.ts";

/** The maximum number of batches that are read ahead. */
const MOST_AHEAD = 64;

/** The number of steps of a stream whose examples are on the device at the same time. */
function stepsOfWindow(
  { layout, batchSize, microBatchSize }: Pick<DataPlan, "layout" | "batchSize" | "microBatchSize">,
  maxTensorBytes: number,
): number {
  if (microBatchSize < batchSize) return 1;
  const fitting = Math.floor(Math.min(WINDOW_BYTES, maxTensorBytes) / (batchSize * widestBytes(layout)));
  return Math.max(1, Math.min(fitting, MOST_AHEAD));
}

/** What a run needs to read a stream. */
export interface ReadingOptions {
  readonly maxTensorBytes: number;
  readonly totalSteps: number;
  /** The step from which the run continues, if its snapshot has no position in the stream. */
  readonly resumedStep: number | undefined;
}

/**
 * The reader of a run's stream, or of a text that the device cannot hold.
 * @throws OptionError if the stream cannot be read from the step from which the run continues
 */
export function openReader(
  dataset: DataStream | TextDataset,
  plan: Omit<DataPlan, "source">,
  { maxTensorBytes, totalSteps, resumedStep }: ReadingOptions,
): StreamReader {
  const stream = "batches" in dataset ? dataset : streamOfText(dataset, plan.seed);
  if (resumedStep !== undefined) requireRepeatable(stream, resumedStep);
  const { batchSize, stepsPerEpoch } = plan;
  // One batch can be read while a window of one is written.
  const slots = Math.max(2, stepsOfWindow(plan, maxTensorBytes));
  return new StreamReader(stream, { batchSize, stepsPerEpoch, totalSteps, slots });
}

/** Passes the batches of a stream through a window. A window holds a part of a step if the step is divided. */
export class StreamFeed implements Feed {
  readonly leaves: ColumnLeaves;
  readonly byParts: boolean;
  readonly #plan: DataPlan;
  readonly #reader: StreamReader;
  readonly #steps: number;
  #used: ColumnLeaves;

  constructor(plan: DataPlan, reader: StreamReader, maxTensorBytes: number) {
    const { batchSize, microBatchSize } = plan;
    this.#plan = plan;
    this.#reader = reader;
    this.byParts = microBatchSize < batchSize;
    this.#steps = stepsOfWindow(plan, maxTensorBytes);
    const rows = this.byParts ? microBatchSize : this.#steps * batchSize;
    this.leaves = this.#used = columnLeaves(rows, plan.layout);
  }

  use(nodes: readonly Tensor[]): void {
    this.#used = usedLeaves(this.leaves, nodes);
  }

  stepsAllowed(step: number): number {
    return Math.min(this.#steps - (step % this.#steps), this.#reader.held(step));
  }

  ready(step: number): Promise<void> | undefined {
    return this.#reader.ready(step);
  }

  /** Starts reading. A failure is thrown where the step is awaited. */
  begin(_session: Session, step: number): void {
    this.#reader.ready(step)?.catch(() => {});
  }

  positionOf(step: number, offset: number): number {
    return this.byParts ? 0 : (step % this.#steps) * this.#plan.batchSize + offset;
  }

  prepare(session: Session, step: number, steps: number, offset = 0): void {
    const { batchSize, microBatchSize } = this.#plan;
    // The steps of a window are in successive slots: there are as many slots, or a window of one step.
    const first = (step % this.#reader.slots) * batchSize + offset;
    const count = this.byParts ? Math.min(microBatchSize, batchSize - offset) : steps * batchSize;
    writeRows(session, this.#used, this.#reader.rows, { first, count, to: this.positionOf(step, offset) });
    if (offset + count >= batchSize) this.#reader.release(step + steps);
  }

  dispose(): void {
    this.#reader.close();
  }
}
