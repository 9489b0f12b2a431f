/*
 * A worker's part in the runs that workers share.
 */
import { setImmediate } from "node:timers/promises";
import type { NatsLink } from "../../cluster/connection.ts";
import { isUnreachable } from "../../cluster/retry.ts";
import { joinRun, loadOwnRun } from "../../cluster/training/join.ts";
import type { RunDescription } from "../../cluster/training/messages.ts";
import { openRuns } from "../../cluster/training/run-store.ts";
import { WgradError } from "../../errors.ts";
import { requireData } from "../options/trial-options.ts";
import { say, warn } from "../text/terminal.ts";
import { counted, lossText } from "../text/text.ts";
import { prepare } from "../training/training-run.ts";
import type { RunPreparer } from "./run-preparer.ts";

export interface TrainingWorkerOptions {
  readonly link: NatsLink;
  /** For messages and tables. */
  readonly name: string;
  readonly preparer: RunPreparer;
  readonly signal: AbortSignal;
}

/** A device that computes in this thread leaves the event loop after this number of steps, so that reports are sent. */
const STEPS_PER_BREAK = 10;

/** Joins the runs of a server, one after another. */
export class TrainingWorker {
  readonly #options: TrainingWorkerOptions;
  /** Runs that this worker cannot or need not join again. */
  readonly #left = new Set<string>();
  #rounds = 0;
  #isRefused = false;

  constructor(options: TrainingWorkerOptions) {
    this.#options = options;
  }

  /** The number of rounds that it trained. */
  get rounds(): number {
    return this.#rounds;
  }

  /** Joins a run that is open, until it ends. @returns whether there was one, and the server could be reached */
  async joinNext(): Promise<boolean> {
    const name = (await this.#openRuns()).find((each) => !this.#left.has(each));
    if (name === undefined) return false;
    try {
      const description = await loadOwnRun(this.#options.link, name);
      this.#rounds += await this.#join(name, description);
      this.#left.delete(name);
    } catch (error) {
      if (isUnreachable(this.#options.link, error)) return false;
      if (!(error instanceof WgradError)) throw error;
      this.#left.add(name);
      warn(`This worker does not join run ${name}: ${error.message}`);
    }
    return true;
  }

  /** None while the server cannot be reached, or before a run was started on it. */
  async #openRuns(): Promise<string[]> {
    const { link } = this.#options;
    try {
      return await openRuns(link);
    } catch (error) {
      if (isUnreachable(link, error) || error instanceof link.packages.jetstream.JetStreamApiError) return [];
      // The client reports it by errors of several classes.
      if (!/permissions violation/i.test(String(error))) throw error;
      if (!this.#isRefused) warn("The server lets this worker train trials of sweeps, but not join runs.");
      this.#isRefused = true;
      return [];
    }
  }

  async #join(name: string, description: RunDescription): Promise<number> {
    const { link, name: workerName, preparer, signal } = this.#options;
    requireData(`run ${name}`, description.data);
    const run = await preparer.prepared(`run ${name}`, description);
    const { model, trainer } = await prepare(run);
    const breaks = { every: STEPS_PER_BREAK, rest: async () => void (await setImmediate()) };
    say(`run ${name}: joined`);
    const rounds = await joinRun({
      link,
      run: name,
      description,
      model,
      trainer,
      name: workerName,
      signal,
      warn,
      trained: ({ range }, loss) =>
        say(`run ${name}: steps ${range.first} to ${range.first + range.count}, loss ${lossText(loss)}`),
      ...(run.backend.kind !== "webgpu" && { breaks }),
    });
    say(`run ${name}: left after ${counted(rounds, "round")}`);
    return rounds;
  }
}
