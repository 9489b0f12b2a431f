/*
 * A sweep whose trials are trained by workers: it fills their queue, and computes everything else from the stream of
 * results. It may end and be attached again at any time, without effect on the workers.
 */
import { join } from "node:path";
import type { NatsLink } from "../../cluster/connection.ts";
import { MessageError } from "../../cluster/messages.ts";
import { ObjectBucket, type ObjectReference } from "../../cluster/objects.ts";
import { addJob } from "../../cluster/queue.ts";
import { whileUnreachable } from "../../cluster/retry.ts";
import { readPreparedList, type SweepDescription } from "../../cluster/sweeps/description.ts";
import type { TrialState } from "../../cluster/sweeps/events.ts";
import { CHECKPOINTS, DATA, trialSubject, type TrialKey } from "../../cluster/sweeps/names.ts";
import { resultMessages, TrialStates, type TrialChange } from "../../cluster/sweeps/results.ts";
import { trialBytes } from "../../cluster/sweeps/trial.ts";
import { DataError } from "../../errors.ts";
import { writeFileAtomically } from "../../node/index.ts";
import { say, warn } from "../text/terminal.ts";
import { counted, lossText, percent } from "../text/text.ts";
import { Interruption } from "../training/interrupt.ts";
import { SearchJobs, type Job } from "./asha.ts";
import {
  BEST,
  changesText,
  inOrderOfRuns,
  isBest,
  printResults,
  requireOneGood,
  writeResults,
} from "./sweep-ending.ts";
import { runName } from "./sweep-plan.ts";
import type { RunResult } from "./sweep-results.ts";
import { SweepScreen, type TrialProgress } from "./sweep-screen.ts";

/** The exit code of a sweep that was cancelled. */
const CANCELLED = 1;

export class RemoteSweep {
  readonly #link: NatsLink;
  readonly #name: string;
  readonly #description: SweepDescription;
  readonly #folder: string;
  readonly #names: readonly string[];
  /** The indices of the runs by name. */
  readonly #indices: ReadonlyMap<string, number>;
  readonly #search: SearchJobs;
  readonly #states = new TrialStates();
  readonly #screen = new SweepScreen();
  readonly #interruption = new Interruption();
  /** In the order in which they were finished. */
  readonly #results: RunResult[] = [];
  readonly #failures: string[] = [];
  #finished = 0;
  #best: { readonly result: RunResult; readonly state: TrialState } | undefined;
  #keptBest: TrialState | undefined;
  #added = 0;
  #preparedRuns: readonly ObjectReference[] | undefined;
  #isCancelled = false;

  constructor(link: NatsLink, name: string, description: SweepDescription, folder: string) {
    [this.#link, this.#name, this.#description, this.#folder] = [link, name, description, folder];
    const { configuration, runs, rungs, parallel } = description;
    this.#names = runs.map((changes) => runName({ ...configuration, ...changes }));
    this.#indices = new Map(this.#names.map((each, index) => [each, index]));
    this.#search = new SearchJobs({ trials: runs.length, rungs, parallel });
  }

  /**
   * Follows the sweep until all trials are finished, or until it is interrupted.
   * @param attach the command that follows it again
   * @throws DataError if every trial diverged, or if one cannot be trained
   */
  async run(attach: string): Promise<void> {
    try {
      let isCurrent = false;
      for await (const message of resultMessages(this.#link, this.#name, this.#interruption.signal)) {
        const change = message && this.#take(message.subject, message.data);
        isCurrent ||= !message;
        if (!isCurrent) continue;
        // Before, it is a message from an earlier time, and the sweep continues.
        this.#isCancelled = change?.after.isCancelled ?? false;
        if (this.#isCancelled) break;
        await this.#update();
        if (this.#search.isFinished) break;
      }
    } catch (error) {
      if (!this.#interruption.signal.aborted) throw error;
    } finally {
      this.#interruption.stopListening();
    }
    await this.#end(attach);
  }

  #keyOf({ trial, rung }: Job): TrialKey {
    return { sweep: this.#name, trial: this.#names[trial]!, rung };
  }

  /** @returns what the message has changed, if it is of this sweep */
  #take(subject: string, data: Uint8Array): TrialChange | undefined {
    const change = this.#states.take(subject, data);
    const trial = change && this.#indices.get(change.key.trial);
    if (!change || trial === undefined) return undefined;
    const lines = change.after.ending ? this.#takeEnding(change, trial) : this.#startText(change);
    this.#screen.show(lines, this.#progress());
    return change;
  }

  #startText({ key, before, after }: TrialChange): string[] {
    if (after.attempt === before.attempt || after.attempt === 1 || after.isCancelled) return [];
    return [`${this.#label(key)}: ${after.worker} continues after step ${after.step} (attempt ${after.attempt})`];
  }

  #takeEnding({ key, after }: TrialChange, trial: number): string[] {
    const { ending } = after;
    const label = this.#label(key);
    const score = ending?.event === "finished" ? ending.result.score : null;
    // The search has not started this job, so no worker of this sweep can have finished it.
    if (!this.#search.finish({ trial, rung: key.rung, score })) return [];
    this.#finished++;
    if (ending?.event !== "finished") {
      const reason = `${label}: ${ending?.reason ?? ""}`;
      this.#failures.push(reason);
      return [`${reason} (failed)`];
    }
    const { rungs, runs } = this.#description;
    const result = { name: key.trial, changes: runs[trial]!, ...ending.result, ...(rungs && { rung: key.rung }) };
    // As in a sweep on one machine, which trains the runs in their order.
    const precedes = ({ name }: RunResult) => trial < this.#indices.get(name)!;
    if (isBest(result, this.#results, precedes)) this.#best = { result, state: after };
    this.#results.push(result);
    const place = rungs ? this.#finished : `${this.#finished}/${runs.length}`;
    return [`${place}  ${label}: ${resultText(result)}  (${after.worker})`];
  }

  #label({ trial, rung }: TrialKey): string {
    const { runs, rungs } = this.#description;
    return `${changesText(runs[this.#indices.get(trial)!]!)}${rungs ? `, rung ${rung + 1}` : ""}`;
  }

  #progress(): TrialProgress[] {
    const keys = this.#search.jobs.map((job) => this.#keyOf(job));
    const started = keys.map((key) => ({ key, state: this.#states.of(key) }));
    return started
      .filter(({ state }) => state.attempt > 0 && !state.ending && !state.isCancelled)
      .map(({ key, state }) => ({ ...state, label: this.#label(key) }));
  }

  /** Adds the jobs that are due to the queue, and writes the files. */
  async #update(): Promise<void> {
    const { jobs } = this.#search;
    for (; this.#added < jobs.length; this.#added++) {
      const job = jobs[this.#added]!;
      if (!this.#states.of(this.#keyOf(job)).ending) await this.#add(this.#keyOf(job), job.trial);
    }
    if (this.#results.length === 0) return;
    await writeResults(this.#folder, inOrderOfRuns(this.#results, this.#names));
    await this.#keepBest();
  }

  async #add(key: TrialKey, trial: number): Promise<void> {
    const { version, configuration, runs, data, rungs } = this.#description;
    const prepared = (await this.#prepared())?.[trial];
    const bytes = trialBytes({
      ...key,
      version,
      configuration: { ...configuration, ...runs[trial] },
      data,
      ...(rungs && { rungs }),
      ...(prepared && { prepared }),
    });
    const subject = trialSubject(key, prepared !== undefined);
    await whileUnreachable(this.#link, () => addJob(this.#link, subject, bytes), this.#interruption.signal);
  }

  /** The runs as browsers train them; undefined if they train none. */
  async #prepared(): Promise<readonly ObjectReference[] | undefined> {
    const { prepared, runs } = this.#description;
    if (!prepared || this.#preparedRuns) return this.#preparedRuns;
    const bucket = await ObjectBucket.open(this.#link, DATA);
    const bytes = await whileUnreachable(this.#link, () => bucket.getPacked(prepared), this.#interruption.signal);
    this.#preparedRuns = readPreparedList(`sweep ${this.#name}`, bytes, runs.length);
    return this.#preparedRuns;
  }

  /** Writes the best model, if it is another one than before. */
  async #keepBest(): Promise<void> {
    const best = this.#best?.state;
    if (!best || best === this.#keptBest || best.ending?.event !== "finished") return;
    const bucket = await ObjectBucket.open(this.#link, CHECKPOINTS);
    const { model } = best.ending;
    try {
      const bytes = await whileUnreachable(this.#link, () => bucket.get(model), this.#interruption.signal);
      await writeFileAtomically(join(this.#folder, BEST), bytes);
      this.#keptBest = best;
    } catch (error) {
      if (!(error instanceof MessageError)) throw error;
      warn(`The best model so far cannot be saved: ${error.message}`);
    }
  }

  async #end(attach: string): Promise<void> {
    this.#screen.show([], []);
    if (this.#states.invalid > 0)
      warn(`${counted(this.#states.invalid, "invalid message")} of this sweep were ignored.`);
    printResults(this.#folder, inOrderOfRuns(this.#results, this.#names));
    if (!this.#search.isFinished) {
      const place = `${this.#finished} of ${counted(this.#search.jobs.length, "run")}`;
      if (this.#isCancelled) say(`cancelled after ${place}; \`${attach}\` continues it`);
      else say(`left after ${place}; the workers go on, and \`${attach}\` returns`);
      process.exitCode = this.#interruption.exitCode ?? (this.#isCancelled ? CANCELLED : 0);
      return;
    }
    await this.#removeObjects();
    if (this.#failures.length > 0)
      throw new DataError({
        where: "sweep",
        what: `${counted(this.#failures.length, "run")} cannot be trained: ${this.#failures.slice(0, 3).join("; ")}`,
        fix: "Change these options",
      });
    requireOneGood(this.#results);
  }

  /** Removes what workers have stored for this sweep, except the best model. */
  async #removeObjects(): Promise<void> {
    const bucket = await ObjectBucket.open(this.#link, CHECKPOINTS);
    const ending = this.#best?.state.ending;
    const kept = ending?.event === "finished" ? ending.model.object : undefined;
    for (const name of await bucket.names(`${this.#name}.`)) if (name !== kept) await bucket.remove(name);
  }
}

/** A result in one line, such as "validation accuracy 96.1 %  loss 0.123". */
function resultText({ score, metrics }: RunResult): string {
  const { loss, accuracy, ...others } = metrics;
  const texts = [
    ...(typeof accuracy === "number" ? [`accuracy ${percent(accuracy)}`] : []),
    ...Object.entries(others).map(([name, value]) => `${name} ${value === null ? "–" : lossText(value!)}`),
    ...(typeof loss === "number" ? [`loss ${lossText(loss)}`] : []),
  ];
  return `validation ${texts.join("  ")}${score === null ? "  (diverged)" : ""}`;
}
