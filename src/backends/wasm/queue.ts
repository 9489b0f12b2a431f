/** Lets timers, messages, signals and painting have their turn. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === "function") {
      setImmediate(resolve);
      return;
    }
    // In a page a timer would wait for 4 ms.
    const { port1, port2 } = new MessageChannel();
    port1.addEventListener("message", () => {
      port1.close();
      resolve();
    });
    port1.start();
    port2.postMessage(undefined);
  });
}

/** Does one thing after the other, in the order in which they were given. Where nothing waits, it begins at once. */
export class WorkQueue {
  readonly #waiting: (() => Promise<void>)[] = [];
  #isBusy = false;

  /** Whether all that was given is done. */
  get isIdle(): boolean {
    return !this.#isBusy;
  }

  /** @returns what the work returns, or fails as it does */
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
