/*
 * Reads the batches of a stream ahead of the steps that need them, into a ring of slots.
 */
import { emptyValues, widthOf, type Columns } from "../../data/columns.ts";
import { savesState, type Batches, type DataStream, type SavingBatches, type StreamBatch } from "../../data/stream.ts";
import { DataError, OptionError } from "../../errors.ts";

/** Which batches are read. */
export interface ReaderOptions {
  readonly batchSize: number;
  readonly stepsPerEpoch: number;
  /** The number of steps of the run. No batches are read for later ones. */
  readonly totalSteps: number;
  /** The number of batches that are kept. The batch of a step is in slot step % slots. */
  readonly slots: number;
}

/** How many positions are kept for each slot: those of the batches read ahead, and of two submits in flight. */
const POSITIONS_OF_SLOT = 4;

type BatchIterator = Iterator<StreamBatch> | AsyncIterator<StreamBatch>;

/** Reads a stream for one run. Steps are counted from 0. */
export class StreamReader {
  /** The slots, as rows. */
  readonly rows: Columns;
  readonly stream: DataStream;
  readonly #options: ReaderOptions;
  #iterator: BatchIterator | undefined;
  /** The step that the iteration began with. */
  #openedAt = 0;
  /** The steps whose batches are kept: #first, …, #next − 1. */
  #first = 0;
  #next = 0;
  #wasOpened = false;
  /** How often reading moved to another step. What was requested before is dropped when it arrives. */
  #moves = 0;
  /** The number of moves when the loop that reads now was started; undefined if nothing is being read. */
  #reading: number | undefined;
  #isClosed = false;
  #failure: Error | undefined;
  /** The positions that the source saved, by the step that follows. */
  readonly #positions = new Map<number, unknown>();
  /** The position that the source returns to before it is read again. */
  #restored: unknown;
  /** Settles when the source does nothing any more for the iteration that was left. */
  #left: Promise<unknown> = Promise.resolve();
  #taking: Promise<unknown> = Promise.resolve();
  #waiting: (() => void)[] = [];

  constructor(stream: DataStream, options: ReaderOptions) {
    this.stream = stream;
    this.#options = options;
    const columns = Object.entries(stream.tensors).map(([name, tensor]) => {
      const length = options.slots * options.batchSize * widthOf(tensor);
      return [name, { values: emptyValues(tensor.dtype, length), shape: tensor.shape }] as const;
    });
    this.rows = Object.fromEntries(columns);
    const { batches } = stream;
    if (savesState(batches)) this.#positions.set(0, batches.saveState());
  }

  get slots(): number {
    return this.#options.slots;
  }

  /** The number of batches from a step on that have arrived. */
  held(step: number): number {
    return step < this.#first ? 0 : Math.max(0, this.#next - step);
  }

  /**
   * Waits for the batch of a step; undefined if it has arrived.
   * @throws OptionError if the stream cannot be read again from this step; the promise rejects with a DataError if it
   * ends, fails, or has an invalid batch
   */
  ready(step: number): Promise<void> | undefined {
    if (step < this.#first || step > this.#next) this.#moveTo(step);
    if (this.held(step) > 0 || this.#isClosed) return undefined;
    void this.#read();
    return this.#arrival(step);
  }

  /** The position of a source that saves it, before the batch of a step; undefined for others. */
  positionAt(step: number): unknown {
    return this.#positions.get(step);
  }

  /** Makes it possible to return to a step, with the position that a snapshot contains. */
  remember(step: number, position: unknown): void {
    if (position !== undefined) this.#positions.set(step, position);
  }

  /** Whether reading can return to any step of a snapshot. */
  get isRepeatable(): boolean {
    const { batches } = this.stream;
    return typeof batches === "function" || savesState(batches);
  }

  /** @throws OptionError if reading cannot return to a step that was reached before */
  requireReturn(step: number): void {
    if (!this.#positions.has(step)) requireRepeatable(this.stream, step, true);
  }

  /** Frees the slots of the steps before this one. */
  release(step: number): void {
    this.#first = Math.max(this.#first, step);
    void this.#read();
  }

  /** Stops reading. */
  close(): void {
    this.#isClosed = true;
    this.#moves++;
    this.#leave();
    this.#wake();
  }

  async #arrival(step: number): Promise<void> {
    const moves = this.#moves;
    while (this.held(step) === 0 && moves === this.#moves) {
      const failure = this.#failure;
      // The next call tries again, from the batch that failed.
      this.#failure = undefined;
      if (failure) throw failure;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #moveTo(step: number): void {
    const { batches } = this.stream;
    const position = this.#positions.get(step);
    if (position === undefined) requireRepeatable(this.stream, step, this.#wasOpened);
    this.#moves++;
    this.#leave();
    this.#failure = undefined;
    this.#restored = savesState(batches) ? position : undefined;
    this.#first = this.#next = step;
    this.#wake();
  }

  /** Lets a generator end. */
  #leave(): void {
    const iterator = this.#iterator;
    if (!iterator) return;
    this.#iterator = undefined;
    this.#left = Promise.allSettled([this.#taking, (async () => iterator.return?.())()]);
  }

  async #read(): Promise<void> {
    const moves = this.#moves;
    if (this.#reading === moves || this.#failure || this.#isClosed) return;
    this.#reading = moves;
    const { totalSteps, slots } = this.#options;
    try {
      while (this.#next < Math.min(totalSteps, this.#first + slots)) {
        const batch = await this.#following();
        if (moves !== this.#moves) return;
        if (batch) this.#store(batch);
        if (batch) this.#savePosition();
        this.#wake();
      }
      if (this.#next === totalSteps) this.#leave();
    } catch (error) {
      if (moves !== this.#moves) return;
      this.#leave();
      this.#restored = this.#positions.get(this.#next);
      this.#failure = this.#described(error);
      this.#wake();
    } finally {
      if (this.#reading === moves) this.#reading = undefined;
    }
  }

  /** The next batch; undefined at the end of an epoch, or if reading moved to another step. */
  async #following(): Promise<StreamBatch | undefined> {
    const moves = this.#moves;
    if (this.#restored !== undefined) {
      // What was left must not change the position after it was restored.
      await this.#left;
      if (moves !== this.#moves) return undefined;
      (this.stream.batches as SavingBatches).restoreState(this.#restored);
      this.#restored = undefined;
    }
    this.#iterator ??= this.#opened();
    const taking = Promise.resolve(this.#iterator.next());
    this.#taking = taking;
    const { done, value } = await taking;
    if (!done || moves !== this.#moves) return value as StreamBatch;
    this.#iterator = undefined;
    const step = this.#next;
    if (step % this.#options.stepsPerEpoch === 0 && step > this.#openedAt) return undefined;
    throw new DataError({
      where: this.stream.name,
      what: `the batches end before batch ${step}, counted from 0, which is not the end of an epoch`,
      fix: `Give ${this.#options.stepsPerEpoch} batches per epoch, or fewer steps`,
    });
  }

  /** Saves the position for the next step. A run goes back by no more than the steps in flight, or to a snapshot. */
  #savePosition(): void {
    const { batches } = this.stream;
    if (!savesState(batches)) return;
    this.#positions.set(this.#next, batches.saveState());
    const oldest = this.#next - POSITIONS_OF_SLOT * this.#options.slots;
    if (oldest > 0) this.#positions.delete(oldest);
  }

  #opened(): BatchIterator {
    const { batches } = this.stream;
    const step = this.#next;
    const isNextEpoch = this.#wasOpened && step % this.#options.stepsPerEpoch === 0;
    if (!isNextEpoch && !this.#positions.has(step)) requireRepeatable(this.stream, step, this.#wasOpened);
    this.#wasOpened = true;
    this.#openedAt = step;
    const source: Batches = typeof batches === "function" ? batches(step, this.#options.batchSize) : batches;
    return Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  }

  /** Copies a batch to its slot. */
  #store(batch: StreamBatch): void {
    const { batchSize, slots } = this.#options;
    const { name: where, classes } = this.stream;
    const ofBatch = `of batch ${this.#next}, counted from 0,`;
    const slot = this.#next % slots;
    for (const [name, column] of Object.entries(this.rows)) {
      const values = batch?.[name];
      const length = batchSize * widthOf(column);
      const Type = column.values.constructor as new () => typeof column.values;
      if (!(values instanceof Type)) {
        const what = `${name} ${ofBatch} is ${values === undefined ? "missing" : "of another type"}`;
        throw new DataError({ where, what, fix: `Give a ${Type.name}` });
      }
      if (values.length !== length) {
        const what = `${name} ${ofBatch} has ${values.length} values, not ${length}`;
        throw new DataError({ where, what, fix: `Give ${batchSize} examples in each batch` });
      }
      const wrong = name === "labels" && classes ? values.findIndex((label) => label >= classes.length) : -1;
      if (wrong >= 0) {
        const what = `label ${values[wrong]} of example ${wrong} ${ofBatch} is outside 0 … ${classes!.length - 1}`;
        throw new DataError({ where, what, fix: "Check that the labels belong to these classes" });
      }
      column.values.set(values, slot * length);
    }
    this.#next++;
  }

  #described(error: unknown): Error {
    if (error instanceof DataError || error instanceof OptionError) return error;
    const { name: where } = this.stream;
    const what = `reading batch ${this.#next}, counted from 0, failed: ${error instanceof Error ? error.message : String(error)}`;
    return new DataError({ where, what, fix: "Correct the source; the next call tries again" }, { cause: error });
  }
}

/**
 * Requires that a stream can be read from a step on.
 * @throws OptionError if it can only be read once, from its start, or has not saved its position there
 */
export function requireRepeatable({ name: where, batches }: DataStream, step: number, wasOpened = false): void {
  if (typeof batches === "function" || (step === 0 && !wasOpened)) return;
  if (savesState(batches)) {
    const what = `the position of this stream before batch ${step}, counted from 0, is not known`;
    throw new OptionError({ where, what, fix: "Give a snapshot that a trainer on this stream took" });
  }
  throw new OptionError({
    where,
    what: `this stream can only be read once, and not again from batch ${step} on`,
    fix: "Give batches as a function (fromStep, batchSize) => batches, or with saveState and restoreState",
  });
}
