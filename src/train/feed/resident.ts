import type { Session } from "../../backends/backend.ts";
import { columnsOf } from "../../data/columns.ts";
import type { RowDataset } from "../../data/dataset.ts";
import { epochOrder } from "../../data/order.ts";
import type { Tensor } from "../../graph/tensor.ts";
import { columnLeaves, usedLeaves, writeRows, type ColumnLeaves } from "../batches.ts";
import type { DataPlan } from "../plan.ts";
import type { Feed } from "./feed.ts";

/** Keeps all examples on the device. */
export class ResidentFeed implements Feed {
  readonly leaves: ColumnLeaves;
  readonly byParts = false;
  readonly #plan: DataPlan;
  readonly #dataset: RowDataset;
  #used: ColumnLeaves;
  #written = false;
  /** The epoch whose order was written last. */
  #orderedEpoch = -1;

  constructor(plan: DataPlan, dataset: RowDataset) {
    this.#plan = plan;
    this.#dataset = dataset;
    this.leaves = this.#used = columnLeaves(dataset.count, plan.layout, plan.shuffled);
  }

  use(nodes: readonly Tensor[]): void {
    this.#used = usedLeaves(this.leaves, nodes);
  }

  /** Steps up to the end of the epoch, whose order must stay on the device until then. */
  stepsAllowed(step: number): number {
    const { shuffled, stepsPerEpoch } = this.#plan;
    return shuffled ? stepsPerEpoch - (step % stepsPerEpoch) : Infinity;
  }

  ready(): undefined {}

  begin(session: Session, step: number): void {
    this.prepare(session, step);
  }

  positionOf(step: number, offset: number): number {
    return (step % this.#plan.stepsPerEpoch) * this.#plan.batchSize + offset;
  }

  prepare(session: Session, step: number): void {
    const { seed, stepsPerEpoch } = this.#plan;
    const { count } = this.#dataset;
    if (!this.#written) writeRows(session, this.#used, columnsOf(this.#dataset), { first: 0, count });
    this.#written = true;
    const epoch = Math.floor(step / stepsPerEpoch);
    if (!this.#used.order || epoch === this.#orderedEpoch) return;
    session.write(this.#used.order, epochOrder(count, seed, epoch));
    this.#orderedEpoch = epoch;
  }

  dispose(): void {}
}
