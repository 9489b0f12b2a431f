/*
 * Creates streams and buckets on a server.
 */
import type { StreamConfig } from "@nats-io/jetstream";
import { DataError } from "../errors.ts";
import type { NatsLink } from "./connection.ts";

/** How long results, descriptions, data, values and checkpoints are kept. */
export const KEPT_DAYS = 30;

export const SECOND = 1e9;

/** The same time in nanoseconds, as streams count. */
export const KEPT_NANOSECONDS = KEPT_DAYS * 86_400 * SECOND;

/** Codes of the server: there is no such stream, or no such consumer. */
const NOT_FOUND: readonly number[] = [10059, 10014];

/**
 * Runs what creates streams and buckets.
 * @param what names them in errors
 * @throws DataError if the server has no JetStream, or does not let this user create them
 */
export async function setUp(link: NatsLink, what: string, create: () => Promise<void>): Promise<void> {
  try {
    await create();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const where = link.connection.getServer();
    if (/jetstream not enabled|no responders|503/i.test(reason))
      throw new DataError(
        { where, what: "the server has no JetStream", fix: "Start it with `nats-server -js`" },
        { cause },
      );
    const fix = "Check the user's permissions (docs/cluster.md lists them), and the server's storage";
    throw new DataError({ where, what: `the streams of ${what} cannot be created: ${reason}`, fix }, { cause });
  }
}

/** Creates a stream, unless it exists. */
export async function createStream(link: NatsLink, config: Partial<StreamConfig> & { name: string }): Promise<void> {
  const { streams } = link.manager;
  if (!(await exists(link, streams.info(config.name)))) await streams.add(config);
}

/** Whether the answer to a question for a stream or consumer is that it exists. */
export async function exists({ packages }: NatsLink, question: Promise<unknown>): Promise<boolean> {
  try {
    await question;
    return true;
  } catch (error) {
    if (error instanceof packages.jetstream.JetStreamApiError && NOT_FOUND.includes(error.code)) return false;
    throw error;
  }
}
