/*
 * Who coordinates a run: the process whose id is in a key that expires. The lease only keeps two processes from doing the
 * same work. That only one of them commits is ensured by the log of the run, which refuses a record that does not follow
 * the last one.
 */
import type { KV } from "@nats-io/kv";
import type { NatsLink } from "../connection.ts";
import { isUnreachable } from "../retry.ts";
import { LEASES } from "./names.ts";

/** A lease that this process holds until it is lost or released. */
export class CoordinatorLease {
  readonly #leases: KV;
  readonly #run: string;
  readonly #owner: string;
  readonly #renewal: ReturnType<typeof setInterval>;
  readonly #milliseconds: number;
  readonly #lost = new AbortController();
  #revision: number;
  #renewedAt = performance.now();

  private constructor(
    link: NatsLink,
    { leases, run, owner, milliseconds }: { leases: KV; run: string; owner: string; milliseconds: number },
    revision: number,
  ) {
    [this.#leases, this.#run, this.#owner, this.#revision] = [leases, run, owner, revision];
    this.#milliseconds = milliseconds;
    this.#renewal = setInterval(() => void this.#renew(link), milliseconds / 4);
  }

  /** Takes the lease of a run; undefined if another process has it. */
  static async take(link: NatsLink, run: string, owner: string): Promise<CoordinatorLease | undefined> {
    const leases = await new link.packages.kv.Kvm(link.streams).open(LEASES);
    try {
      const revision = await leases.create(run, owner);
      const { ttl: milliseconds } = await leases.status();
      return new CoordinatorLease(link, { leases, run, owner, milliseconds }, revision);
    } catch (error) {
      if (error instanceof link.packages.jetstream.JetStreamApiError || isUnreachable(link, error)) return undefined;
      throw error;
    }
  }

  /** Aborted when the lease was not renewed in time, or another process has it. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** Lets another process take the lease at once. */
  async release(): Promise<void> {
    clearInterval(this.#renewal);
    if (this.#lost.signal.aborted) return;
    await this.#leases.delete(this.#run, { previousSeq: this.#revision }).catch(() => undefined);
  }

  async #renew(link: NatsLink): Promise<void> {
    try {
      this.#revision = await this.#leases.update(this.#run, this.#owner, this.#revision);
      this.#renewedAt = performance.now();
    } catch (error) {
      const isTaken = error instanceof link.packages.jetstream.JetStreamApiError;
      // The key expires by the clock of the server; until then nobody else can have it.
      if (!isTaken && performance.now() - this.#renewedAt < this.#milliseconds) return;
      clearInterval(this.#renewal);
      this.#lost.abort();
    }
  }
}
