/*
 * The results of a sweep, as they arrive.
 */
import type { NatsLink } from "../connection.ts";
import { MessageError } from "../messages.ts";
import { readEvent, stateAfter, UNTOUCHED, type TrialState } from "./events.ts";
import { keyOfSubject, keyText, RESULTS, type TrialKey } from "./names.ts";

/** A change of what is known of a trial. */
export interface TrialChange {
  readonly key: TrialKey;
  readonly before: TrialState;
  readonly after: TrialState;
}

/** What is known of the trials of a sweep. It depends only on the messages and their order. */
export class TrialStates {
  readonly #states = new Map<string, TrialState>();
  #invalid = 0;

  /** The number of messages that were invalid, and changed nothing. */
  get invalid(): number {
    return this.#invalid;
  }

  of(key: TrialKey): TrialState {
    return this.#states.get(keyText(key)) ?? UNTOUCHED;
  }

  /** Takes a message. @returns what it has changed; undefined if it is invalid, late or a repetition */
  take(subject: string, message: Uint8Array): TrialChange | undefined {
    const key = keyOfSubject(subject);
    try {
      if (!key) throw new MessageError({ what: "this is not the subject of a trial" });
      const before = this.of(key);
      const after = stateAfter(before, readEvent(keyText(key), message));
      if (after === before) return undefined;
      this.#states.set(keyText(key), after);
      return { key, before, after };
    } catch (error) {
      if (!(error instanceof MessageError)) throw error;
      this.#invalid++;
      return undefined;
    }
  }
}

/**
 * How long a request for messages is open. After a restart of the server, the reader is made anew when no sign of life came
 * for about this long.
 */
const EXPIRES_MILLISECONDS = 4000;

/** A message of the stream of results. */
export interface ResultMessage {
  readonly subject: string;
  readonly data: Uint8Array;
}

/**
 * Reads the messages of a sweep from the first on, and waits for more until the signal is aborted. `undefined` follows the
 * last one that the server had at the start.
 */
export async function* resultMessages(
  { streams, manager }: NatsLink,
  sweep: string,
  signal: AbortSignal,
): AsyncGenerator<ResultMessage | undefined, void, undefined> {
  const filter = `wgrad.results.${sweep}.>`;
  const { state } = await manager.streams.info(RESULTS, { subjects_filter: filter });
  let old = Object.values(state.subjects ?? {}).reduce((sum, count) => sum + count, 0);
  if (old === 0) yield undefined;
  // A list of subjects would require a server of version 2.10.
  const consumer = await streams.consumers.get(RESULTS, { filter_subjects: filter });
  const messages = await consumer.consume({ expires: EXPIRES_MILLISECONDS });
  const stop = () => messages.stop();
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  try {
    for await (const { subject, data } of messages) {
      yield { subject, data };
      if (--old === 0) yield undefined;
    }
  } finally {
    signal.removeEventListener("abort", stop);
    messages.stop();
  }
}
