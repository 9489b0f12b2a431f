/*
 * Dawn's binding for Node polls for finished work: while a promise of a device is pending, it passes a function to `setImmediate` again
 * and again. That keeps a core busy, which a software adapter needs for its own threads. Here, Dawn's calls meet another
 * `setImmediate`, which waits between polls.
 */
import { setImmediate, setTimeout } from "node:timers";

/** Steps on a GPU are shorter than this; their results are seen without a delay. */
const BUSY_MILLISECONDS = 5;

const PAUSE_MILLISECONDS = 1;

/** The methods that make Dawn poll. */
const PENDING = {
  GPUBuffer: ["mapAsync"],
  GPUDevice: ["createComputePipelineAsync", "popErrorScope"],
  GPUQueue: ["onSubmittedWorkDone"],
} as const;

/** Dawn's classes by their names. */
export type DawnClasses = Readonly<Record<string, { prototype: object }>>;

type Poll = (...parameters: unknown[]) => void;

/** Polls without pauses for the first milliseconds after a method was called, and every millisecond from then on. */
export class DawnPolling {
  #busyUntil = 0;

  /** Makes the methods of Dawn's classes poll in this way. */
  static install(classes: DawnClasses): void {
    const polling = new DawnPolling();
    for (const [name, methods] of Object.entries(PENDING)) {
      const prototype = classes[name]!.prototype as Record<string, (...parameters: unknown[]) => unknown>;
      for (const method of methods) prototype[method] = polling.wrap(prototype[method]!);
    }
  }

  /** A method that does the same, and whose polls are paused. */
  wrap<This, Parameters extends unknown[], Result>(
    method: (this: This, ...parameters: Parameters) => Result,
  ): (this: This, ...parameters: Parameters) => Result {
    const begin = () => (this.#busyUntil = performance.now() + BUSY_MILLISECONDS);
    const run = <T>(call: () => T) => this.#run(call);
    return function (this: This, ...parameters: Parameters) {
      begin();
      return run(() => method.apply(this, parameters));
    };
  }

  /** Calls Dawn, which looks `setImmediate` up when it calls it. Nothing else runs meanwhile. */
  #run<T>(call: () => T): T {
    const usual = globalThis.setImmediate;
    globalThis.setImmediate = this.#schedule as typeof setImmediate;
    try {
      return call();
    } finally {
      globalThis.setImmediate = usual;
    }
  }

  readonly #schedule = (poll: Poll, ...parameters: unknown[]): unknown => {
    const next = () => this.#run(() => poll(...parameters));
    return performance.now() < this.#busyUntil ? setImmediate(next) : setTimeout(next, PAUSE_MILLISECONDS);
  };
}
