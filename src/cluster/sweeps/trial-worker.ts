/*
 * A worker: takes trials from the queues of a server, and trains them on its own device.
 */
import { DataError, excerpt, OptionError } from "../../errors.ts";
import type { StoppingProgress } from "../../train/index.ts";
import { version } from "../../version.ts";
import { FencedLog, LeaseLostError } from "../fenced-log.ts";
import type { NatsLink } from "../link.ts";
import { MessageError } from "../messages.ts";
import { ObjectBucket } from "../objects.ts";
import type { Lease } from "../queue.ts";
import { newMember } from "../training/names.ts";
import { trialLogRules, type TrialResult } from "./events.ts";
import { CHECKPOINTS, keyOfSubject, RESULTS, resultSubject } from "./names.ts";
import { readTrial, type Trial } from "./trial.ts";
import { TrialQueues } from "./trial-queues.ts";
import { TrialReport } from "./trial-report.ts";
import { withTrainedTrial, type TrialOptions, type TrialSource } from "./trial-training.ts";

export interface TrialWorkerOptions {
  readonly link: NatsLink;
  /** For messages and tables. */
  readonly name: string;
  /** The streams from which trials are taken. */
  readonly streams: readonly string[];
  /** The time between checkpoints. */
  readonly interval: Omit<NonNullable<TrialOptions["saving"]>, "save">;
  readonly signal: AbortSignal;
  /** What the worker finds wrong with a trial, which is then removed from the queue. @throws DataError */
  check(trial: Trial): void;
  /**
   * Prepares a trial on the worker's device.
   * @throws OptionError or DataError for a trial that no worker can train, MessageError for data that the server does not have
   */
  source(trial: Trial): Promise<TrialSource>;
  /** Lets this thread do other work. */
  rest(): Promise<void>;
  /** Does other work that waits, before a trial is taken; by default there is none. @returns whether there was any */
  otherWork?(): Promise<boolean>;
  /** Called with what happens to trials. */
  report: TrialWorkerReport;
}

export interface TrialWorkerReport {
  started(trial: Trial, attempt: number, step: number): void;
  progress?(trial: Trial, progress: StoppingProgress): void;
  finished(trial: Trial, result: TrialResult): void;
  /** Receives messages for the user. */
  warn(line: string): void;
}

/** The wait before a trial that this worker cannot do is offered again. */
const RELEASE_MILLISECONDS = 10_000;

/** Trains the trials of all sweeps of a server, one after another. */
export class TrialWorker {
  readonly #options: TrialWorkerOptions;
  readonly #session = newMember();
  readonly #warned = new Set<string>();

  constructor(options: TrialWorkerOptions) {
    this.#options = options;
  }

  /**
   * Trains trials until the signal is aborted, or until there was none for some time.
   * @returns the number of trials that it finished
   */
  async run(maxIdleSeconds = Infinity): Promise<number> {
    const { link, streams, signal, otherWork } = this.#options;
    const missing = (reason: string) =>
      this.#warnOnce(`There is no sweep on this server yet (${reason}); waiting for one.`);
    const queues = new TrialQueues(link, streams, missing);
    let finished = 0;
    let idleSince = performance.now();
    while (!signal.aborted && performance.now() - idleSince < 1000 * maxIdleSeconds) {
      if (await otherWork?.()) idleSince = performance.now();
      if (signal.aborted) break;
      const lease = await queues.take();
      if (!lease) continue;
      if (await this.#work(lease)) finished++;
      idleSince = performance.now();
    }
    return finished;
  }

  /** @returns whether the trial is finished */
  async #work(lease: Lease): Promise<boolean> {
    try {
      const trial = this.#accepted(lease);
      if (!trial) return false;
      const isFinished = await this.#train(trial);
      if (isFinished) await lease.done();
      else lease.release();
      return isFinished;
    } catch (error) {
      this.#giveUp(lease, error);
      return false;
    }
  }

  #giveUp(lease: Lease, error: unknown): void {
    const { warn } = this.#options.report;
    const reason = error instanceof Error ? error.message : String(error);
    if (error instanceof LeaseLostError) {
      lease.forget();
      warn(reason);
      return;
    }
    lease.release(RELEASE_MILLISECONDS);
    warn(`This worker cannot train a trial, and leaves it to others: ${reason}`);
  }

  /** Checks a trial. One that is invalid is removed from the queue, one of another version left to other workers. */
  #accepted(lease: Lease): Trial | undefined {
    try {
      const key = keyOfSubject(lease.subject);
      if (!key) throw new MessageError({ where: excerpt(lease.subject), what: "this is not the subject of a trial" });
      const trial = readTrial(lease.bytes, key);
      if (trial.version !== version) {
        lease.release(RELEASE_MILLISECONDS);
        const what = `Sweep ${trial.sweep} is of wgrad ${trial.version}, and this is wgrad ${version}`;
        this.#warnOnce(`${what}: its trials are left to other workers.`);
        return undefined;
      }
      this.#options.check(trial);
      return trial;
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      lease.refuse();
      this.#options.report.warn(`A trial was refused: ${error.message}`);
      return undefined;
    }
  }

  /** @returns false if training was interrupted */
  async #train(trial: Trial): Promise<boolean> {
    const { link, name, source } = this.#options;
    const { warn } = this.#options.report;
    const bucket = await ObjectBucket.open(link, CHECKPOINTS);
    const place = { stream: RESULTS, subject: resultSubject(trial) };
    const log = new FencedLog(link, place, trialLogRules);
    const report = new TrialReport({ link, log, bucket, trial, worker: name, session: this.#session, warn });
    if (!(await report.open())) return true;
    try {
      return await this.#trainFrom(await source(trial), trial, report);
    } catch (error) {
      await report.discard();
      // Other workers would meet the same error. Those of devices and of the server are of this worker only.
      const isOfTrial =
        error instanceof OptionError || (error instanceof DataError && !(error instanceof MessageError));
      if (!isOfTrial) throw error;
      await report.failed(error.message);
      warn(`${trial.trial}: failed: ${error.message}`);
      return true;
    }
  }

  async #trainFrom(source: TrialSource, trial: Trial, report: TrialReport): Promise<boolean> {
    const { signal, interval, rest, report: told } = this.#options;
    const { rungs, rung } = trial;
    const options = {
      signal,
      rest,
      checkpoint: await report.checkpoint(),
      saving: { ...interval, save: report.saved },
      started: async (step: number) => {
        await report.started(step);
        told.started(trial, report.attempt, step);
      },
      progress: (progress: StoppingProgress) => told.progress?.(trial, progress),
      ...(rungs && { rung: { ...rungs, index: rung } }),
    };
    const isFinished = await withTrainedTrial(source, options, async (trained) => {
      await report.finished(trained, rungs !== undefined && rung < rungs.count - 1);
      told.finished(trial, trained.result);
      return true;
    });
    return isFinished ?? false;
  }

  #warnOnce(line: string): void {
    if (!this.#warned.has(line)) this.#options.report.warn(line);
    this.#warned.add(line);
  }
}
