/*
 * Creates the streams and buckets of sweeps on a server.
 */
import type { NatsLink } from "../connection.ts";
import { createStream, exists, KEPT_DAYS, KEPT_NANOSECONDS, SECOND, setUp } from "../set-up.ts";
import { BROWSER_TRIALS, CHECKPOINTS, DATA, RESULTS, SWEEPS, TRIALS, WORKERS } from "./names.ts";
import { MOST_EVENT_BYTES } from "./events.ts";
import { MOST_TRIAL_BYTES } from "./trial.ts";

/** Seconds after which a trial goes to another worker, if its worker does not report. */
const LEASE_SECONDS = 60;

/** The longest history of a trial, of which only the last messages matter. */
const MOST_EVENTS = 64;

const MOST_TRIALS = 100_000;

/**
 * Creates those streams and buckets that do not exist yet.
 * @param options.browsers whether browsers train trials as well; false by default
 * @param options.leaseSeconds after which a trial goes to another worker; 60 by default. It has no effect if the streams
 * exist.
 * @throws DataError if the server has no JetStream, or does not let this user create them
 */
export async function setUpSweeps(
  link: NatsLink,
  { browsers = false, leaseSeconds = LEASE_SECONDS } = {},
): Promise<void> {
  await setUp(link, "sweeps", async () => {
    await createResults(link);
    await createQueue(link, { name: TRIALS, subject: "wgrad.trials.>" }, leaseSeconds);
    if (browsers) await createQueue(link, { name: BROWSER_TRIALS, subject: "wgrad.browser-trials.>" }, leaseSeconds);
    await createBuckets(link);
  });
}

async function createQueue(
  link: NatsLink,
  { name, subject }: { readonly name: string; readonly subject: string },
  leaseSeconds: number,
): Promise<void> {
  const { RetentionPolicy, DiscardPolicy, StorageType, AckPolicy } = link.packages.jetstream;
  await createStream(link, {
    name,
    subjects: [subject],
    retention: RetentionPolicy.Workqueue,
    storage: StorageType.File,
    max_msg_size: MOST_TRIAL_BYTES,
    max_msgs: MOST_TRIALS,
    // A trial that is in the queue or in progress cannot be added again.
    discard: DiscardPolicy.New,
    max_msgs_per_subject: 1,
    discard_new_per_subject: true,
  });
  const { consumers } = link.manager;
  if (await exists(link, consumers.info(name, WORKERS))) return;
  await consumers.add(name, {
    durable_name: WORKERS,
    ack_policy: AckPolicy.Explicit,
    ack_wait: leaseSeconds * SECOND,
    max_deliver: -1,
  });
}

const createResults = (link: NatsLink): Promise<void> =>
  createStream(link, {
    name: RESULTS,
    subjects: ["wgrad.results.>"],
    storage: link.packages.jetstream.StorageType.File,
    max_msg_size: MOST_EVENT_BYTES,
    max_msgs_per_subject: MOST_EVENTS,
    max_age: KEPT_NANOSECONDS,
  });

async function createBuckets({ packages, streams }: NatsLink): Promise<void> {
  const objects = new packages.obj.Objm(streams);
  for (const name of [DATA, CHECKPOINTS]) await objects.create(name, { ttl: KEPT_NANOSECONDS });
  await new packages.kv.Kvm(streams).create(SWEEPS, { ttl: KEPT_DAYS * 86_400_000 });
}
