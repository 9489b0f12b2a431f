/*
 * Creates the stream and the buckets of shared runs on a server.
 */
import type { NatsLink } from "../connection.ts";
import { createStream, KEPT_DAYS, KEPT_NANOSECONDS, setUp } from "../set-up.ts";
import { MOST_MESSAGE_BYTES } from "./messages.ts";
import { CHANGES, COMMITS, DATA, LEASES, RUNS, VALUES } from "./names.ts";

/** After this time without a renewal, another process may coordinate a run. */
const LEASE_MILLISECONDS = 8000;

/**
 * Creates those that do not exist yet.
 * @param options.leaseMilliseconds after which another process may coordinate a run whose coordinator is lost; 8000 by
 * default. It has no effect if the bucket exists.
 * @throws DataError if the server has no JetStream, or does not let this user create them
 */
export async function setUpTraining(link: NatsLink, { leaseMilliseconds = LEASE_MILLISECONDS } = {}): Promise<void> {
  await setUp(link, "training", async () => {
    const { packages, streams } = link;
    await createStream(link, {
      name: COMMITS,
      subjects: ["wgrad.commits.>"],
      storage: packages.jetstream.StorageType.File,
      max_msg_size: MOST_MESSAGE_BYTES,
      max_age: KEPT_NANOSECONDS,
    });
    const buckets = new packages.kv.Kvm(streams);
    await buckets.create(RUNS, { ttl: KEPT_DAYS * 86_400_000 });
    await buckets.create(LEASES, { ttl: leaseMilliseconds });
    const objects = new packages.obj.Objm(streams);
    for (const name of [DATA, VALUES, CHANGES]) await objects.create(name, { ttl: KEPT_NANOSECONDS });
  });
}
