/*
 * A worker: takes trials from the queue of a server, and trains them on its own device.
 */
import { randomBytes } from "node:crypto";
import type { NatsLink } from "../../cluster/connection.ts";
import { FencedLog, LeaseLostError } from "../../cluster/fenced-log.ts";
import { MessageError } from "../../cluster/messages.ts";
import { ObjectBucket } from "../../cluster/objects.ts";
import { JobConsumer, type Lease } from "../../cluster/queue.ts";
import { isUnreachable, pauseBeforeRetry } from "../../cluster/retry.ts";
import { trialLogRules } from "../../cluster/sweeps/events.ts";
import { CHECKPOINTS, keyOfSubject, RESULTS, resultSubject, TRIALS, WORKERS } from "../../cluster/sweeps/names.ts";
import { readTrial, type Trial } from "../../cluster/sweeps/trial.ts";
import { DataError, excerpt, OptionError } from "../../errors.ts";
import { version } from "../../version.ts";
import type { RunPreparer } from "../cluster/run-preparer.ts";
import type { Interval } from "../options/checkpoint-options.ts";
import { requireData } from "../options/trial-options.ts";
import { say, warn } from "../text/terminal.ts";
import type { Run } from "../training/training-run.ts";
import { runName } from "./sweep-plan.ts";
import { TrialReport } from "./trial-report.ts";
import { withTrainedTrial } from "./trial-run.ts";

export interface WorkerOptions {
  readonly link: NatsLink;
  /** For messages and tables. */
  readonly name: string;
  readonly preparer: RunPreparer;
  readonly interval: Interval;
  readonly signal: AbortSignal;
  /** Does other work that waits, before a trial is taken. @returns whether there was any */
  otherWork(): Promise<boolean>;
}

/** The longest wait for a trial in one request. */
const WAIT_MILLISECONDS = 2000;

/** The wait before a trial that this worker cannot do is offered again. */
const RELEASE_MILLISECONDS = 10_000;

/** Trains the trials of all sweeps of a server, one after another. */
export class SweepWorker {
  readonly #options: WorkerOptions;
  readonly #session = randomBytes(16).toString("hex");
  readonly #preparer: RunPreparer;
  readonly #warned = new Set<string>();

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.#preparer = options.preparer;
  }

  /**
   * Trains trials until the signal is aborted, or until there was none for some time.
   * @returns the number of trials that it finished
   */
  async run(maxIdleSeconds: number): Promise<number> {
    const { link, signal } = this.#options;
    let finished = 0;
    let idleSince = performance.now();
    let consumer: JobConsumer | undefined;
    try {
      while (!signal.aborted && performance.now() - idleSince < 1000 * maxIdleSeconds) {
        if (await this.#options.otherWork()) idleSince = performance.now();
        if (signal.aborted) break;
        consumer ??= await this.#consumer();
        const lease = await consumer?.take(WAIT_MILLISECONDS).catch((error: unknown) => {
          // The streams may have been removed, and the next sweep creates them again.
          if (error instanceof link.packages.jetstream.JetStreamApiError) consumer = undefined;
          else if (!isUnreachable(link, error)) throw error;
          return pauseBeforeRetry();
        });
        if (!lease) continue;
        if (await this.#work(lease)) finished++;
        idleSince = performance.now();
      }
      return finished;
    } finally {
      this.#preparer.dispose();
    }
  }

  /** The consumer of trials; undefined, after a pause, as long as nobody has started a sweep on the server. */
  async #consumer(): Promise<JobConsumer | undefined> {
    const { link } = this.#options;
    try {
      return await JobConsumer.open(link, TRIALS, WORKERS);
    } catch (error) {
      const isMissing = error instanceof link.packages.jetstream.JetStreamApiError;
      if (!isMissing && !isUnreachable(link, error)) throw error;
      this.#warnOnce(`There is no sweep on this server yet (${(error as Error).message}); waiting for one.`);
      await pauseBeforeRetry();
      return undefined;
    }
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
      if (runName(trial.configuration) !== trial.trial)
        throw new MessageError({ where: `trial ${trial.trial}`, what: "its name is not the digest of its options" });
      requireData(`trial ${trial.trial}`, trial.data);
      return trial;
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      lease.refuse();
      warn(`A trial was refused: ${error.message}`);
      return undefined;
    }
  }

  /** @returns false if training was interrupted */
  async #train(trial: Trial): Promise<boolean> {
    const { link, name } = this.#options;
    const bucket = await ObjectBucket.open(link, CHECKPOINTS);
    const place = { stream: RESULTS, subject: resultSubject(trial) };
    const log = new FencedLog(link, place, trialLogRules);
    const report = new TrialReport({ link, log, bucket, trial, worker: name, session: this.#session });
    if (!(await report.open())) return true;
    try {
      const hasRungs = trial.rungs !== undefined;
      const run = await this.#preparer.prepared(`trial ${trial.trial}`, trial, hasRungs);
      return await this.#trainRun(run, trial, report);
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

  async #trainRun(run: Run, trial: Trial, report: TrialReport): Promise<boolean> {
    const { signal, interval } = this.#options;
    const { rungs, rung } = trial;
    const options = {
      signal,
      checkpoint: await report.checkpoint(),
      saving: { ...interval, save: report.saved },
      started: async (step: number) => {
        await report.started(step);
        say(`${trial.trial}: attempt ${report.attempt}, from step ${step}`);
      },
      ...(rungs && { rung: { ...rungs, index: rung } }),
    };
    const isFinished = await withTrainedTrial(run, options, async (trained) => {
      await report.finished(run, trained, rungs !== undefined && rung < rungs.count - 1);
      const { score, steps } = trained.result;
      say(`${trial.trial}: finished after ${steps} steps, ${score === null ? "diverged" : `loss ${score}`}`);
      return true;
    });
    return isFinished ?? false;
  }

  #warnOnce(line: string): void {
    if (!this.#warned.has(line)) warn(line);
    this.#warned.add(line);
  }
}
