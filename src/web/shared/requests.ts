/*
 * Drops outdated events and answers. Every request from the page has a number, and every event from the worker contains
 * the numbers of the requests that it follows.
 */
import { signal, type ReadonlySignal } from "@preact/signals";

/** The requests that an event follows. */
export interface Stamp {
  /** The last request that the worker had received. */
  readonly request: number;
  /** The request that created what the event describes: a network, a set of points. */
  readonly subject: number;
}

/** The page's side: numbers its requests, and tells current events from outdated ones. */
export class Requests {
  #last = 0;
  #subject = 0;
  readonly #idle = signal(false);

  /** Whether the worker has done all that the page has asked for, does not train, and has sent all results. */
  get idle(): ReadonlySignal<boolean> {
    return this.#idle;
  }

  next(): number {
    this.#idle.value = false;
    return ++this.#last;
  }

  /** Takes the worker's report that it has nothing more to do. */
  takeIdle(stamp: Stamp): void {
    this.#idle.value = this.isUpToDate(stamp);
  }

  /** The number of a request that replaces what is shown. Events about anything older no longer count. */
  replace(): number {
    return (this.#subject = this.next());
  }

  /** Whether an event is about what the page last asked for. */
  concerns({ subject }: Stamp): boolean {
    return subject >= this.#subject;
  }

  /** Whether the worker had received every request when it sent an event. */
  isUpToDate({ request }: Stamp): boolean {
    return request === this.#last;
  }
}

/** Questions of one kind, such as clicks on cells. Only the answer to the newest one is used. */
export class Newest {
  #number = 0;

  /** Drops the answers to all questions asked so far. */
  forget(): void {
    this.#number++;
  }

  /** @returns the answer, or undefined if a newer question was asked meanwhile, even if this one failed */
  async ask<Answer>(question: () => Promise<Answer>): Promise<Answer | undefined> {
    const number = ++this.#number;
    try {
      const answer = await question();
      return number === this.#number ? answer : undefined;
    } catch (error) {
      if (number === this.#number) throw error;
      return undefined;
    }
  }
}
