/**
 * Runs functions one after another, in the order of the calls. If the queue is empty, a function starts immediately.
 */
export class WorkQueue {
  readonly #waiting: (() => Promise<void>)[] = [];
  #isBusy = false;

  /** Whether all functions have finished. */
  get isIdle(): boolean {
    return !this.#isBusy;
  }

  /** @returns the result of the function; rejects if it throws */
  add<Result>(work: () => Result | Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#waiting.push(async () => {
        try {
          resolve(await work());
        } catch (error) {
          reject(error);
        }
      });
      if (!this.#isBusy) void this.#drain();
    });
  }

  async #drain(): Promise<void> {
    this.#isBusy = true;
    for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) await next();
    this.#isBusy = false;
  }
}
