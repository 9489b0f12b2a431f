/*
 * The log of one job: the messages of one subject. A process appends only if nobody else has since it last read, which
 * the server checks. So a process that was frozen or cut off, and whose job another one has taken, cannot write.
 */
import { WgradError } from "../errors.ts";
import type { NatsLink } from "./connection.ts";
import { isUnreachable, pauseBeforeRetry, whileUnreachable } from "./retry.ts";

/** The job belongs to another process. */
export class LeaseLostError extends WgradError {}

/** The code of the server for a message that does not follow the one that was expected. */
const WRONG_LAST_SEQUENCE = 10071;

/** How messages change the state of a log. */
export interface LogRules<State> {
  readonly initial: State;
  /** The state after a message. A message that is invalid or comes too late does not change it. */
  next(state: State, message: Uint8Array): State;
}

/** The messages of one subject of a stream. */
export class FencedLog<State> {
  readonly #link: NatsLink;
  readonly #stream: string;
  readonly #subject: string;
  readonly #rules: LogRules<State>;
  #lastSequence = 0;
  #messages: readonly Uint8Array[] = [];

  constructor(link: NatsLink, place: { readonly stream: string; readonly subject: string }, rules: LogRules<State>) {
    [this.#link, this.#stream, this.#subject, this.#rules] = [link, place.stream, place.subject, rules];
  }

  /** Reads all messages. @returns the state after them */
  async read(): Promise<State> {
    const messages: Uint8Array[] = [];
    let last = 0;
    for (;;) {
      const message = await this.#messageAfter(last);
      if (!message) break;
      last = message.seq;
      messages.push(message.data);
    }
    [this.#lastSequence, this.#messages] = [last, messages];
    return messages.reduce((state, message) => this.#rules.next(state, message), this.#rules.initial);
  }

  /**
   * Appends a message, which must differ from all others of the log. While the server cannot be reached, it tries again.
   * @param isMine whether a state allows this process to append
   * @param signal ends the attempts
   * @throws LeaseLostError if another process has appended a message after which this one may not
   */
  async append(message: Uint8Array, isMine: (state: State) => boolean, signal?: AbortSignal): Promise<void> {
    for (;;) {
      const outcome = await this.#publish(message);
      if (outcome === "appended") return;
      if (outcome === "conflict") {
        const state = await whileUnreachable(this.#link, () => this.read(), signal);
        // An earlier attempt arrived, but the answer did not.
        if (this.#messages.some((each) => isEqual(each, message))) return;
        if (!isMine(state)) throw lost(this.#subject);
        continue;
      }
      await pauseBeforeRetry(signal);
    }
  }

  /**
   * Reads the log again.
   * @param isMine as for `append`
   * @throws LeaseLostError if this process may not append any more
   */
  async requireMine(isMine: (state: State) => boolean): Promise<void> {
    if (!isMine(await this.read())) throw lost(this.#subject);
  }

  async #publish(message: Uint8Array): Promise<"appended" | "conflict" | "unreachable"> {
    try {
      const expect = { lastSubjectSequence: this.#lastSequence };
      const { seq } = await this.#link.streams.publish(this.#subject, message, { expect });
      [this.#lastSequence, this.#messages] = [seq, [...this.#messages, message]];
      return "appended";
    } catch (error) {
      const { JetStreamApiError } = this.#link.packages.jetstream;
      if (error instanceof JetStreamApiError && error.code === WRONG_LAST_SEQUENCE) return "conflict";
      if (!isUnreachable(this.#link, error)) throw error;
      return "unreachable";
    }
  }

  async #messageAfter(sequence: number) {
    const query = { seq: sequence + 1, next_by_subj: this.#subject };
    return this.#link.manager.streams.getMessage(this.#stream, query);
  }
}

const isEqual = (one: Uint8Array, other: Uint8Array): boolean =>
  one.length === other.length && one.every((byte, index) => byte === other[index]);

const lost = (where: string) =>
  new LeaseLostError({
    where,
    what: "another worker has taken this job, or it was cancelled, so the results of this one are not used",
  });
