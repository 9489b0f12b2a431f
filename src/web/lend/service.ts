/*
 * The worker's side of the page at `?lend`: joins a run that is shared over NATS, or takes trials of sweeps, as `wgrad worker`
 * does.
 */
import type { Backend, DeviceChoice } from "../../index.ts";
import { connectFromBrowser } from "../../cluster/browser.ts";
import type { NatsLink } from "../../cluster/link.ts";
import { ObjectBucket, type ObjectReference } from "../../cluster/objects.ts";
import { isUnreachable, whileUnreachable } from "../../cluster/retry.ts";
import { joinRun, loadOwnRun } from "../../cluster/training/join.ts";
import { DATA } from "../../cluster/training/names.ts";
import { createPreparedTrainer, fetchPreparedRun, type FetchedRun } from "../../cluster/training/prepared/index.ts";
import { openRuns } from "../../cluster/training/run-store.ts";
import { DataError, WgradError } from "../../errors.ts";
import { openBackend, type OpenedDevice } from "../device.ts";
import { turn } from "../../turn.ts";
import type { LendApi, LendEnd, LendEvent, OfferedRun, Offers, Server } from "./contract.ts";
import { KeptObjects } from "./kept-objects.ts";
import { trialsOffered, trialWorker } from "./trials.ts";

/** The longest wait for an object: training data over a slow line. */
const READ_MILLISECONDS = 600_000;

/** A device that computes in this thread rests after this number of steps, so that reports are sent. */
const STEPS_PER_BREAK = 10;

const TRAFFIC_MILLISECONDS = 500;

/** Trains for one run at a time. */
export class LendService implements LendApi {
  #backend: Backend | undefined;
  #page = "";
  #link: NatsLink | undefined;
  #report: (event: LendEvent) => void = () => {};
  #leaving = new AbortController();
  #working: Promise<unknown> = Promise.resolve();

  async open(choice: DeviceChoice, page: string): Promise<OpenedDevice["info"]> {
    const { backend, info } = await openBackend({ device: choice });
    [this.#backend, this.#page] = [backend, page];
    return info;
  }

  async connect({ address, user, secret }: Server): Promise<Offers> {
    requireSecureContext();
    await this.#link?.close();
    this.#link = undefined;
    const link = await connectFromBrowser({
      servers: [address.trim()],
      credentials:
        user !== ""
          ? { kind: "password", user, password: secret }
          : secret === ""
            ? { kind: "none" }
            : { kind: "token", token: secret },
      name: "wgrad tab",
      log: (text) => this.#report({ kind: "note", text }),
    });
    this.#link = link;
    const trials = await trialsOffered(link);
    try {
      const names = await openRuns(link);
      return { runs: await Promise.all(names.map((name) => offeredRun(link, name))), trials };
    } catch (cause) {
      if (trials !== undefined) return { runs: [], trials };
      throw refusalOf(link, address, cause);
    }
  }

  async join(run: string, name: string, report: (event: LendEvent) => void): Promise<LendEnd> {
    return this.#lend(report, (link) => this.#join(link, run, name));
  }

  async takeTrials(name: string, report: (event: LendEvent) => void): Promise<void> {
    await this.#lend(report, async (link) => {
      const fetchRun = (prepared: ObjectReference) => this.#fetch(link, prepared);
      const { signal } = (this.#leaving = new AbortController());
      const backend = this.#backend!;
      await trialWorker({ link, name, backend, signal, fetchRun, report: (event) => this.#report(event) }).run();
    });
  }

  async leave(): Promise<void> {
    this.#leaving.abort();
    await this.#working;
    await this.#link?.close();
  }

  /** Works with the connection, and reports the traffic meanwhile. */
  async #lend<Value>(report: (event: LendEvent) => void, work: (link: NatsLink) => Promise<Value>): Promise<Value> {
    const link = this.#link;
    if (!link) throw new DataError({ where: "this tab", what: "there is no connection to a server" });
    this.#report = report;
    const traffic = setInterval(() => {
      const { inBytes, outBytes } = link.connection.stats();
      report({ kind: "traffic", sent: outBytes, received: inBytes });
    }, TRAFFIC_MILLISECONDS);
    try {
      const working = work(link);
      this.#working = working.catch(() => undefined);
      return await working;
    } finally {
      clearInterval(traffic);
      this.#report = () => {};
    }
  }

  async #join(link: NatsLink, run: string, name: string): Promise<LendEnd> {
    if (!(await openRuns(link)).includes(run)) throw new DataError({ where: `run ${run}`, what: "the run has ended" });
    const description = await loadOwnRun(link, run);
    this.#report({ kind: "fetching" });
    const backend = this.#backend!;
    if (!description.prepared) throw new DataError({ where: `run ${run}`, what: NOT_FOR_BROWSERS });
    const { trainer, model } = await createPreparedTrainer(await this.#fetch(link, description.prepared), backend);
    this.#report({ kind: "joined" });
    let [rounds, examples] = [0, 0];
    await joinRun({
      link,
      run,
      description,
      model,
      trainer,
      name,
      // The page stops this worker as a whole.
      signal: new AbortController().signal,
      trained: ({ range }, loss) => {
        rounds++;
        examples += range.count * trainer.batchSize;
        this.#report({ kind: "round", rounds, examples, loss });
      },
      ...(backend.kind !== "webgpu" && { breaks: { every: STEPS_PER_BREAK, rest: turn } }),
    });
    return (await openRuns(link)).includes(run) ? "abandoned" : "finished";
  }

  async #fetch(link: NatsLink, prepared: ObjectReference): Promise<FetchedRun> {
    const bucket = await ObjectBucket.open(link, DATA, READ_MILLISECONDS);
    const kept = new KeptObjects(this.#page);
    const found = await fetchPreparedRun(prepared, (reference) =>
      kept.get(reference, (each) => whileUnreachable(link, () => bucket.getPacked(each))),
    );
    await kept.removeOthers();
    return found;
  }
}

const NOT_FOR_BROWSERS = "it was started without --browsers";

async function offeredRun(link: NatsLink, name: string): Promise<OfferedRun> {
  try {
    const { sharing, prepared } = await loadOwnRun(link, name);
    const { workers, innerSteps } = sharing;
    return { name, workers, innerSteps, obstacle: prepared ? undefined : NOT_FOR_BROWSERS };
  } catch (error) {
    if (!(error instanceof WgradError)) throw error;
    return { name, workers: 0, innerSteps: 0, obstacle: error.what };
  }
}

/** Why the runs of a server cannot be listed. */
function refusalOf(link: NatsLink, where: string, cause: unknown): unknown {
  if (cause instanceof WgradError) return cause;
  const { JetStreamApiError } = link.packages.jetstream;
  if (/permissions violation/i.test(String(cause)))
    return new DataError({ where, what: "this user may not join runs", fix: "Ask for another user" }, { cause });
  if (cause instanceof JetStreamApiError || isUnreachable(link, cause))
    return new DataError(
      { where, what: "no run was ever started there", fix: "Start one with wgrad train" },
      { cause },
    );
  return cause;
}

/** Browsers have no digests in other pages. */
function requireSecureContext(): void {
  if (isSecureContext) return;
  throw new DataError({ where: "this page", what: "it was loaded without encryption", fix: "Open it over https" });
}
