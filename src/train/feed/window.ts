import type { Session } from "../../backends/backend.ts";
import { columnsOf, emptyValues, typeOf, widthOf, type Columns } from "../../data/columns.ts";
import type { RowDataset } from "../../data/dataset.ts";
import { epochOrder } from "../../data/order.ts";
import type { Tensor } from "../../graph/tensor.ts";
import { columnLeaves, usedLeaves, writeRows, type ColumnLeaves } from "../batches.ts";
import type { DataPlan } from "../plan.ts";
import { widestBytes, WINDOW_BYTES, type Feed } from "./feed.ts";

/**
 * Streams the examples through one window. The device's queue keeps writes and runs in order, so a single window is
 * enough: the next rows are gathered and written while the device still works on earlier runs.
 */
export class WindowFeed implements Feed {
  readonly leaves: ColumnLeaves;
  readonly byParts: boolean;
  readonly #plan: DataPlan;
  /** Whole steps per window; 1 if a step is divided, in which case the window holds one part of it. */
  readonly #steps: number;
  readonly #count: number;
  readonly #columns: Columns;
  /** The rows of the window. */
  readonly #rows: Columns;
  #used: ColumnLeaves;
  #order: { readonly epoch: number; readonly examples: Uint32Array } | undefined;
  /** The first example in the window, counted over the whole run. */
  #held = -1;

  constructor(plan: DataPlan, dataset: RowDataset, maxTensorBytes: number) {
    const { batchSize, microBatchSize, stepsPerEpoch } = plan;
    this.#plan = plan;
    this.#count = dataset.count;
    this.byParts = microBatchSize < batchSize;
    const bytes = Math.min(WINDOW_BYTES, maxTensorBytes);
    const fitting = Math.floor(bytes / (batchSize * widestBytes(plan.layout)));
    this.#steps = this.byParts ? 1 : Math.max(1, Math.min(stepsPerEpoch, fitting));
    const rows = this.byParts ? microBatchSize : this.#steps * batchSize;
    this.#columns = columnsOf(dataset);
    this.#rows = emptyRows(this.#columns, rows);
    this.leaves = this.#used = columnLeaves(rows, plan.layout);
  }

  use(nodes: readonly Tensor[]): void {
    this.#used = usedLeaves(this.leaves, nodes);
  }

  stepsAllowed(step: number): number {
    const { stepsPerEpoch } = this.#plan;
    const ofEpoch = step % stepsPerEpoch;
    return Math.min(this.#steps - (ofEpoch % this.#steps), stepsPerEpoch - ofEpoch);
  }

  ready(): undefined {}

  begin(session: Session, step: number): void {
    this.prepare(session, step, 1);
  }

  positionOf(step: number, offset: number): number {
    const { stepsPerEpoch, batchSize } = this.#plan;
    return this.byParts ? 0 : ((step % stepsPerEpoch) % this.#steps) * batchSize + offset;
  }

  prepare(session: Session, step: number, _steps: number, offset = 0): void {
    const { batchSize, microBatchSize, stepsPerEpoch } = this.#plan;
    const ofEpoch = step % stepsPerEpoch;
    const first = (ofEpoch - (ofEpoch % this.#steps)) * batchSize + offset;
    const last = this.byParts ? offset + microBatchSize : this.#steps * batchSize;
    const held = Math.floor(step / stepsPerEpoch) * stepsPerEpoch * batchSize + first;
    if (held === this.#held) return;
    this.#held = held;
    const epochEnd = stepsPerEpoch * batchSize;
    const count = Math.min(this.byParts ? Math.min(last, batchSize) - offset : last, epochEnd - first);
    const order = this.#orderOf(Math.floor(step / stepsPerEpoch)).subarray(first, first + count);
    for (const name of Object.keys(this.#used.columns)) gatherRows(this.#columns[name]!, this.#rows[name]!, order);
    writeRows(session, this.#used, this.#rows, { first: 0, count });
  }

  dispose(): void {}

  /** The order of an epoch. With full batches the examples keep their own order. */
  #orderOf(epoch: number): Uint32Array {
    const { seed, shuffled } = this.#plan;
    if (this.#order && (this.#order.epoch === epoch || !shuffled)) return this.#order.examples;
    const examples = shuffled
      ? epochOrder(this.#count, seed, epoch)
      : Uint32Array.from({ length: this.#count }, (_, index) => index);
    this.#order = { epoch, examples };
    return examples;
  }
}

const emptyRows = (columns: Columns, count: number): Columns =>
  Object.fromEntries(
    Object.entries(columns).map(([name, column]) => {
      const { values, shape } = column;
      return [name, { values: emptyValues(typeOf(values), count * widthOf(column)), shape }];
    }),
  );

/** Copies the examples of an order to the first rows of a window. */
function gatherRows(column: Columns[string], window: Columns[string], order: Uint32Array): void {
  const width = widthOf(column);
  const [from, to] = [column.values, window.values];
  for (let row = 0; row < order.length; row++) {
    const example = order[row]!;
    // A view for each row would take longer than copying a few numbers.
    if (width < 16)
      for (let place = 0; place < width; place++) to[row * width + place] = from[example * width + place]!;
    else to.set(from.subarray(example * width, (example + 1) * width), row * width);
  }
}
