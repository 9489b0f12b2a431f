/*
 * The filters of the first convolution during training.
 */

/** Beyond this, every other record is dropped. */
const MOST_RECORDS = 100;

export interface FilterRecord {
  readonly step: number;
  /** The weights [row, column, 1, map]. */
  readonly weights: Float32Array;
}

/** Keeps records at about equal distances, however long the run is. It never changes: `with` returns another one. */
export class FilterHistory {
  readonly records: readonly FilterRecord[];
  /** The least number of steps between two records. */
  readonly #distance: number;

  constructor(records: readonly FilterRecord[] = [], distance = 1) {
    this.records = records;
    this.#distance = distance;
  }

  /** Adds a record, unless it follows the last one too closely. */
  with(record: FilterRecord): FilterHistory {
    const { records } = this;
    const last = records.at(-1);
    if (last && record.step < last.step + this.#distance) return this;
    const all = [...records, record];
    if (all.length <= MOST_RECORDS) return new FilterHistory(all, this.#distance);
    const kept = all.filter((_, index) => index % 2 === 0);
    return new FilterHistory(kept, Math.ceil((record.step - kept[0]!.step) / kept.length));
  }
}
