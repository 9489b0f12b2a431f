/*
 * The queues from which a worker takes trials.
 */
import type { NatsLink } from "../link.ts";
import { JobConsumer, type Lease } from "../queue.ts";
import { isUnreachable, pauseBeforeRetry } from "../retry.ts";
import { WORKERS } from "./names.ts";

/** The longest wait for a trial. */
const WAIT_MILLISECONDS = 2000;

/** Takes trials from one or two streams, from that of the last trial first. */
export class TrialQueues {
  readonly #link: NatsLink;
  #streams: readonly string[];
  readonly #consumers = new Map<string, JobConsumer>();
  readonly #missing: (reason: string) => void;

  /** @param missing is called when nobody has started a sweep on the server yet */
  constructor(link: NatsLink, streams: readonly string[], missing: (reason: string) => void) {
    [this.#link, this.#streams, this.#missing] = [link, streams, missing];
  }

  /** Takes a trial, or returns undefined if there is none for about two seconds, or if the server cannot be reached. */
  async take(): Promise<Lease | undefined> {
    let reason = "";
    for (const stream of this.#streams) reason = (await this.#open(stream)) ?? reason;
    if (this.#consumers.size === 0) {
      if (reason !== "") this.#missing(reason);
      await pauseBeforeRetry();
    }
    for (const [stream, consumer] of this.#inOrder()) {
      const lease = await consumer.take(WAIT_MILLISECONDS / this.#consumers.size).catch(async (error: unknown) => {
        // The streams may have been removed, and the next sweep creates them again.
        if (error instanceof this.#link.packages.jetstream.JetStreamApiError) this.#consumers.delete(stream);
        else if (!isUnreachable(this.#link, error)) throw error;
        await pauseBeforeRetry();
        return undefined;
      });
      if (!lease) continue;
      this.#streams = [stream, ...this.#streams.filter((each) => each !== stream)];
      return lease;
    }
    return undefined;
  }

  #inOrder(): [stream: string, consumer: JobConsumer][] {
    return this.#streams.flatMap((stream) => {
      const consumer = this.#consumers.get(stream);
      return consumer ? [[stream, consumer] as [string, JobConsumer]] : [];
    });
  }

  /** @returns why a stream cannot be used, if the server says so */
  async #open(stream: string): Promise<string | undefined> {
    if (this.#consumers.has(stream)) return undefined;
    try {
      this.#consumers.set(stream, await JobConsumer.open(this.#link, stream, WORKERS));
      return undefined;
    } catch (error) {
      const { message } = error as Error;
      if (isUnreachable(this.#link, error)) return undefined;
      if (error instanceof this.#link.packages.jetstream.JetStreamApiError) return message;
      // A server may let this worker use only one of several. The client reports it by errors of several classes.
      if (this.#streams.length === 1 || !/permissions violation/i.test(String(error))) throw error;
      this.#streams = this.#streams.filter((each) => each !== stream);
      return message;
    }
  }
}
