/*
 * Ends a run that workers share before its end. Its log and its values stay, so it can be continued.
 */
import type { NatsLink } from "../connection.ts";
import { pauseBeforeRetry } from "../retry.ts";
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
  const nothing = { tasks: [], lastRounds: {}, members: {}, stateOf: [], histories: null, checks: 0 };
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
  readonly #link: NatsLink;
  readonly #run: string;
  readonly #controller = new AbortController();
  #watch: { stop(): void } | undefined;
  #isStopped = false;

  /** Watches a run, until `stop` is called. */
  constructor(link: NatsLink, run: string) {
    [this.#link, this.#run] = [link, run];
    void this.#follow();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  stop(): void {
    this.#isStopped = true;
    this.#watch?.stop();
  }

  /** Watches again if the watch ends, as after a restart of the server. */
  async #follow(): Promise<void> {
    while (!this.#isStopped && !this.#link.connection.isClosed()) {
      await this.#watchOnce().catch(() => undefined);
      if (!this.#isStopped) await pauseBeforeRetry();
    }
  }

  async #watchOnce(): Promise<void> {
    const { packages, streams } = this.#link;
    const runs = await new packages.kv.Kvm(streams).open(RUNS);
    const watch = await runs.watch({ key: cancelledKey(this.#run) });
    this.#watch = watch;
    if (this.#isStopped) watch.stop();
    for await (const { operation } of watch) if (operation === "PUT") this.#controller.abort();
  }
}
