/*
 * How both tabs keep out what was overtaken. Every request of the page has a number, and every event of the worker says
 * which request it follows from.
 */

/** What an event follows from. */
export interface Stamp {
  /** The last request that the worker had heard of. */
  readonly request: number;
  /** The request that made, or last replaced, what the event tells of: a network, a set of points. */
  readonly subject: number;
}

/** The page's side: numbers requests, and tells events that count from those that were overtaken. */
export class Requests {
  #last = 0;
  #subject = 0;

  next(): number {
    return ++this.#last;
  }

  /** The number of a request that replaces what is shown: events about anything before it no longer count. */
  replace(): number {
    return (this.#subject = this.next());
  }

  /** Whether an event tells of what the page last asked for. */
  concerns({ subject }: Stamp): boolean {
    return subject >= this.#subject;
  }

  /** Whether the worker had heard every request when it told an event. */
  heardAll({ request }: Stamp): boolean {
    return request === this.#last;
  }
}

/** Questions of one kind, such as clicks on cells: only the answer to the newest one is used. */
export class Newest {
  #number = 0;

  /** Overtakes every question so far. */
  forget(): void {
    this.#number++;
  }

  /** @returns the answer; undefined where a newer question overtook this one, also where it failed then */
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
