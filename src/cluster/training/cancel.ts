/*
 * Ends a run that workers share before its end. Its log and its values stay, so it can be continued.
 */
import type { NatsLink } from "../connection.ts";
import { REPORT_MILLISECONDS } from "./members.ts";
import { roundBytes } from "./messages.ts";
import { cancelledKey, roundSubject, RUNS } from "./names.ts";
import { closeRun } from "./run-store.ts";

/** How often the last message of a run is sent, for workers that missed it. */
const FAREWELLS = 3;

/** Tells the workers of a run to leave it. */
export async function dismissWorkers(
  { connection }: NatsLink,
  run: string,
  milliseconds = REPORT_MILLISECONDS,
): Promise<void> {
  const nothing = { tasks: [], lastRounds: {}, members: {}, stateOf: [], histories: null };
  const values = { object: "none", digest: "0".repeat(64), bytes: 0 };
  const message = roundBytes({ round: Number.MAX_SAFE_INTEGER, values, ...nothing, isFinished: true });
  for (let sent = 0; sent < FAREWELLS; sent++) {
    if (sent > 0) await new Promise<void>((resolve) => setTimeout(resolve, milliseconds));
    connection.publish(roundSubject(run), message);
  }
}

/** Ends a run for its coordinators and its workers. */
export async function cancelRun(link: NatsLink, run: string): Promise<void> {
  const runs = await new link.packages.kv.Kvm(link.streams).open(RUNS);
  await runs.put(cancelledKey(run), "");
  await closeRun(link, run);
  await dismissWorkers(link, run);
}

/** Notices that a run is cancelled. */
export class Cancellation {
  readonly #controller = new AbortController();
  readonly #watch: { stop(): void };

  private constructor(watch: AsyncIterable<{ readonly operation: string }> & { stop(): void }) {
    this.#watch = watch;
    void this.#follow(watch);
  }

  /** Watches a run, until `stop` is called. */
  static async watch({ packages, streams }: NatsLink, run: string): Promise<Cancellation> {
    const runs = await new packages.kv.Kvm(streams).open(RUNS);
    return new Cancellation(await runs.watch({ key: cancelledKey(run) }));
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  stop(): void {
    this.#watch.stop();
  }

  async #follow(watch: AsyncIterable<{ readonly operation: string }>): Promise<void> {
    for await (const { operation } of watch) {
      if (operation === "PUT") this.#controller.abort();
    }
  }
}
