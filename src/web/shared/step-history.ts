/*
 * What a run showed at earlier steps.
 */

/** Keeps records at about equal distances, however long the run is. It never changes: `with` returns another one. */
export class StepHistory<Record extends { readonly step: number }> {
  readonly records: readonly Record[];
  readonly #most: number;
  /** The least number of steps between two records. */
  readonly #distance: number;

  /** @param most the number of records beyond which every other one is dropped */
  constructor(most: number, records: readonly Record[] = [], distance = 1) {
    this.#most = most;
    this.records = records;
    this.#distance = distance;
  }

  /** Adds a record, unless it follows the last one too closely. */
  with(record: Record): StepHistory<Record> {
    const { records } = this;
    const last = records.at(-1);
    if (last && record.step < last.step + this.#distance) return this;
    const all = [...records, record];
    if (all.length <= this.#most) return new StepHistory(this.#most, all, this.#distance);
    const kept = all.filter((_, index) => index % 2 === 0);
    return new StepHistory(this.#most, kept, Math.ceil((record.step - kept[0]!.step) / kept.length));
  }
}
