/*
 * A queue of jobs. A job belongs to the worker that took it as long as that worker reports that it works. Otherwise the
 * server gives it to another one, so a job may be started several times.
 */
import type { Consumer, JsMsg } from "@nats-io/jetstream";
import { DataError } from "../errors.ts";
import type { NatsLink } from "./connection.ts";

/** The code of the server for a message that a limit of the stream does not allow. */
const LIMIT_REACHED = 10077;

/**
 * Adds a job, unless a job of the same subject is in the queue or in progress.
 * @returns whether it was added
 * @throws DataError if the queue is full
 */
export async function addJob({ streams, packages }: NatsLink, subject: string, bytes: Uint8Array): Promise<boolean> {
  try {
    return !(await streams.publish(subject, bytes)).duplicate;
  } catch (error) {
    if (!(error instanceof packages.jetstream.JetStreamApiError) || error.code !== LIMIT_REACHED) throw error;
    if (error.message.includes("per subject")) return false;
    const what = `the queue is full (${error.message})`;
    throw new DataError({ where: subject, what, fix: "Wait for workers, or start more of them" }, { cause: error });
  }
}

/** A job that this process holds. */
export class Lease {
  readonly subject: string;
  readonly bytes: Uint8Array;
  readonly #message: JsMsg;
  readonly #heartbeat: ReturnType<typeof setInterval>;

  /** Reports at regular intervals that this process works on the job, until one of the other methods is called. */
  constructor(message: JsMsg, heartbeatMilliseconds: number) {
    [this.subject, this.bytes, this.#message] = [message.subject, message.data, message];
    this.#heartbeat = setInterval(() => message.working(), heartbeatMilliseconds);
  }

  /** Removes the job from the queue. If the server does not hear of it, another worker finds that nothing is left to do. */
  async done(): Promise<void> {
    clearInterval(this.#heartbeat);
    await this.#message.ackAck().catch(() => undefined);
  }

  /** Gives the job to another worker, after a delay. */
  release(delayMilliseconds = 0): void {
    clearInterval(this.#heartbeat);
    this.#message.nak(delayMilliseconds);
  }

  /** Removes a job that no worker can do. */
  refuse(): void {
    clearInterval(this.#heartbeat);
    this.#message.term();
  }

  /** Stops the reports, because the job belongs to another worker. */
  forget(): void {
    clearInterval(this.#heartbeat);
  }
}

/** Takes jobs from a queue. */
export class JobConsumer {
  readonly #consumer: Consumer;
  readonly #heartbeatMilliseconds: number;

  private constructor(consumer: Consumer, heartbeatMilliseconds: number) {
    [this.#consumer, this.#heartbeatMilliseconds] = [consumer, heartbeatMilliseconds];
  }

  /** Opens a consumer that exists. */
  static async open({ streams, manager }: NatsLink, stream: string, name: string): Promise<JobConsumer> {
    const { config } = await manager.consumers.info(stream, name);
    const consumer = await streams.consumers.get(stream, name);
    // The server counts in nanoseconds. Three reports in the time after which a job is given to another worker.
    return new JobConsumer(consumer, config.ack_wait! / 1e6 / 3);
  }

  /** Takes a job, or returns undefined if there is none for some time, at least 1000 ms. */
  async take(milliseconds: number): Promise<Lease | undefined> {
    const message = await this.#consumer.next({ expires: milliseconds });
    return message ? new Lease(message, this.#heartbeatMilliseconds) : undefined;
  }
}
