/*
 * Looks into a network while it trains and when it rests: what it makes of the test set, and its first weights.
 */
import type { TestEvent, WeightsEvent } from "../contract.ts";
import type { Run } from "./run.ts";
import { Budget } from "./turns.ts";

/** How many pictures of the test set may be looked at; each number is a graph of its own. */
const SIZES = [100, 500, 2000, Infinity] as const;

/** The part that is looked at first, before it is known what that costs. */
const FIRST_SIZE = 500;

/** The most time that one look at the test set may take, while training goes on and when it rests. */
const TRAINING_MILLISECONDS = 100;
const RESTING_MILLISECONDS = 4000;

/** What looks are told to. */
export interface LookListener {
  /** Whether a run is still the one that is shown. */
  isShown(run: Run): boolean;
  tell(run: Run, event: TestEvent | WeightsEvent, buffers: ArrayBuffer[]): void;
  fail(error: unknown): void;
}

/** What the looks of one run cost, and which of them are due. Never throws: failures are told. */
export class Looks {
  readonly #run: Run;
  readonly #listener: LookListener;
  readonly #tests = new Budget(0.3, 400);
  readonly #pictures = new Budget(0.2, 200);
  /** Milliseconds an example, as the last look took, and whether that included the compilation of its graph. */
  #measured: number | undefined;
  #includesCompilation = false;
  readonly #compiledSizes = new Set<number>();
  #resting = 0;
  weightsWatched: boolean;

  constructor(run: Run, listener: LookListener, weightsWatched: boolean) {
    this.#run = run;
    this.#listener = listener;
    this.weightsWatched = weightsWatched;
  }

  /** Begins the looks that are due while training goes on. */
  glance(): void {
    if (this.#tests.isDue && this.#sizeWithin(TRAINING_MILLISECONDS) > 0)
      void this.#tests.spend(() => this.#test(this.#sizeWithin(TRAINING_MILLISECONDS)));
    if (this.#pictures.isDue) void this.#pictures.spend(() => this.weights());
  }

  /** Looks at all that can be seen while nothing trains, the test set in growing parts as long as `goesOn` says so. */
  async rest(goesOn: () => boolean): Promise<void> {
    const turn = ++this.#resting;
    const isWanted = () => turn === this.#resting && this.#listener.isShown(this.#run) && goesOn();
    await this.weights();
    for (let seen = 0; seen !== Infinity && isWanted();) {
      const size = Math.max(seen, this.#sizeWithin(RESTING_MILLISECONDS));
      // Where compilation made a look slow, the same look again tells what it costs.
      if (size === seen && !this.#includesCompilation) return;
      await this.#test(size);
      seen = size;
    }
  }

  async weights(): Promise<void> {
    await this.#guarded(async (run) => {
      const found = this.weightsWatched ? await run.weights() : undefined;
      if (found) this.#listener.tell(run, { kind: "weights", ...found }, [found.values.buffer as ArrayBuffer]);
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
   * The largest part of the test set that takes no longer, by how long the last look took, or, before the first one, by
   * the steps; the smallest part where it takes ten times as long at most, else 0.
   */
  #sizeWithin(milliseconds: number): number {
    const { count } = this.#run.options.data.test;
    const each = this.#measured ?? this.#run.forwardMilliseconds;
    if (each === undefined) return FIRST_SIZE >= count ? Infinity : FIRST_SIZE;
    const affordable = SIZES.filter((size) => Math.min(size, count) * each <= milliseconds);
    const least = SIZES[0] * each <= 10 * milliseconds ? SIZES[0] : 0;
    const size = Math.max(least, ...affordable);
    return size >= count ? Infinity : size;
  }

  /** The training hears of a lost device, and replaces it; what was overtaken fails unheard. */
  async #guarded(look: (run: Run) => Promise<void>): Promise<void> {
    const isOfLostDevice = this.#run.watchDevice();
    try {
      await look(this.#run);
    } catch (error) {
      if (this.#listener.isShown(this.#run) && !isOfLostDevice(error)) this.#listener.fail(error);
    }
  }
}
