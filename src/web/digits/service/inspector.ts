/*
 * Inspects a network during training and when training pauses: its results on the test set, and its first weights.
 */
import type { TestEvent, WatchedWeights, WeightsEvent } from "../contract.ts";
import type { Run } from "./run.ts";
import { Budget } from "./turns.ts";

/** The numbers of test images that may be evaluated. Each number needs a graph of its own. */
const SIZES = [100, 500, 2000, Infinity] as const;

/** The number of test images of the first evaluation, whose cost is not known yet. */
const FIRST_SIZE = 500;

/** The longest time that one evaluation may take, during training and while training is paused. */
const TRAINING_MILLISECONDS = 100;
const IDLE_MILLISECONDS = 4000;

/** Receives the results. */
export interface InspectionListener {
  /** Whether the page still shows a run. */
  isShown(run: Run): boolean;
  tell(run: Run, event: TestEvent | WeightsEvent, buffers: ArrayBuffer[]): void;
  fail(error: unknown): void;
}

/** Inspects one run within a share of its time. Never throws: errors go to the listener. */
export class Inspector {
  readonly #run: Run;
  readonly #listener: InspectionListener;
  readonly #tests = new Budget(0.3, 400);
  #pictures: Budget;
  /** Milliseconds per example of the last evaluation, and whether it included the compilation of its graph. */
  #measured: number | undefined;
  #includesCompilation = false;
  readonly #compiledSizes = new Set<number>();
  #idleInspection = 0;
  #watched: WatchedWeights;

  constructor(run: Run, listener: InspectionListener, watched: WatchedWeights) {
    this.#run = run;
    this.#listener = listener;
    this.#watched = watched;
    this.#pictures = new Budget(0.2, watched.milliseconds);
  }

  /** Sets what the page shows of the weights. */
  watch(parts: WatchedWeights): void {
    this.#watched = parts;
    this.#pictures = new Budget(0.2, parts.milliseconds);
  }

  /** Starts the inspections that are due during training. */
  inspectDue(): void {
    // Each graph is compiled once. If that counted, the second point of the test curve would come seconds after the first.
    if (this.#tests.isDue && this.#sizeWithin(TRAINING_MILLISECONDS) > 0)
      void this.#tests.spend(
        () => this.#test(this.#sizeWithin(TRAINING_MILLISECONDS)),
        () => !this.#includesCompilation,
      );
    if (this.#pictures.isDue) void this.#pictures.spend(() => this.weights());
  }

  /** Inspects everything while training is paused. The test set is evaluated in growing parts, until `mayContinue` is false. */
  async inspectIdle(mayContinue: () => boolean): Promise<void> {
    const turn = ++this.#idleInspection;
    const isWanted = () => turn === this.#idleInspection && this.#listener.isShown(this.#run) && mayContinue();
    await this.weights();
    for (let seen = 0; seen !== Infinity && isWanted();) {
      const size = Math.max(seen, this.#sizeWithin(IDLE_MILLISECONDS));
      // If compilation made an evaluation slow, another one of the same size tells what evaluation costs.
      if (size === seen && !this.#includesCompilation) return;
      await this.#test(size);
      seen = size;
    }
  }

  async weights(): Promise<void> {
    await this.#guarded(async (run) => {
      const found = await run.weights(this.#watched.all);
      if (found) this.#listener.tell(run, { kind: "weights", ...found }, [found.tiles.buffer as ArrayBuffer]);
    });
  }

  async #test(most: number): Promise<void> {
    await this.#guarded(async (run) => {
      const started = performance.now();
      const { seconds } = run;
      this.#includesCompilation = false;
      const found = await run.test(most);
      this.#measured = (performance.now() - started) / found.count;
      this.#includesCompilation = !this.#compiledSizes.has(most);
      this.#compiledSizes.add(most);
      this.#listener.tell(run, { kind: "test", seconds, ...found }, [found.pictures.buffer as ArrayBuffer]);
    });
  }

  /**
   * The largest part of the test set that can be evaluated in a time, estimated from the last evaluation or, before the
   * first one, from the training steps. If even the smallest part takes longer, it is that part up to ten times the time, and
   * otherwise 0.
   */
  #sizeWithin(milliseconds: number): number {
    const { count } = this.#run.options.data.test;
    const { forwardMilliseconds } = this.#run;
    // An evaluation that compiled its graph says too much, and the test accuracy would never be computed again.
    const each =
      this.#measured !== undefined && this.#includesCompilation
        ? Math.min(this.#measured, forwardMilliseconds ?? Infinity)
        : (this.#measured ?? forwardMilliseconds);
    if (each === undefined) return FIRST_SIZE >= count ? Infinity : FIRST_SIZE;
    const affordable = SIZES.filter((size) => Math.min(size, count) * each <= milliseconds);
    const least = SIZES[0] * each <= 10 * milliseconds ? SIZES[0] : 0;
    const size = Math.max(least, ...affordable);
    return size >= count ? Infinity : size;
  }

  /** Ignores the loss of the device, since training replaces it, and errors of a run that is no longer shown. */
  async #guarded(inspect: (run: Run) => Promise<void>): Promise<void> {
    const isOfLostDevice = this.#run.watchDevice();
    try {
      await inspect(this.#run);
    } catch (error) {
      if (this.#listener.isShown(this.#run) && !isOfLostDevice(error)) this.#listener.fail(error);
    }
  }
}
