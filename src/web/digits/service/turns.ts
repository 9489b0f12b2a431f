/** Runs asynchronous work one after the other, in the order of the calls. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  take<Result>(work: () => Promise<Result>): Promise<Result> {
    const taken = this.#last.then(work);
    this.#last = taken.catch(() => {});
    return taken;
  }
}

/** Limits costly work to a share of the time. */
export class Budget {
  readonly #share: number;
  readonly #leastMilliseconds: number;
  #due = -Infinity;

  constructor(share: number, leastMilliseconds: number) {
    this.#share = share;
    this.#leastMilliseconds = leastMilliseconds;
  }

  get isDue(): boolean {
    return performance.now() >= this.#due;
  }

  /** @param isUsual whether the work, which has ended, costs as much each time; otherwise its time does not count */
  async spend<Result>(work: () => Promise<Result>, isUsual = () => true): Promise<Result> {
    this.#due = Infinity;
    const started = performance.now();
    try {
      return await work();
    } finally {
      const now = performance.now();
      const spent = isUsual() ? now - started : 0;
      this.#due = now + Math.max(this.#leastMilliseconds, spent / this.#share);
    }
  }
}
