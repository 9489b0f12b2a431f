/*
 * What a worker tells about a trial: its log, and its checkpoints and its model on the server.
 */
import type { NatsLink } from "../link.ts";
import { FencedLog } from "../fenced-log.ts";
import { MessageError } from "../messages.ts";
import type { ObjectBucket, ObjectReference } from "../objects.ts";
import { whileUnreachable } from "../retry.ts";
import { eventBytes, trialLogRules, UNTOUCHED, type Happening, type TrialState } from "./events.ts";
import { keyText, RESULTS, resultSubject } from "./names.ts";
import type { Trial } from "./trial.ts";
import { version } from "../../version.ts";
import type { TrainedTrial } from "./trial-training.ts";

/** A trial that so many workers have started at the same step, and that none continued from there, is given up. */
const MOST_STALLED = 20;

const MOST_REASON_LENGTH = 1000;

interface ReportParts {
  readonly link: NatsLink;
  readonly log: FencedLog<TrialState>;
  readonly bucket: ObjectBucket;
  readonly trial: Trial;
  readonly worker: string;
  /** Identifies this process. */
  readonly session: string;
  /** Receives messages for the user. */
  warn(line: string): void;
}

/** The log of one attempt at a trial. Its methods throw a LeaseLostError if another worker has taken the trial. */
export class TrialReport {
  readonly #parts: ReportParts;
  #before: TrialState = UNTOUCHED;
  /** The last checkpoint. */
  #kept: ObjectReference | undefined;
  /** An object that the log does not mention yet. */
  #uploaded: ObjectReference | undefined;

  constructor(parts: ReportParts) {
    this.#parts = parts;
  }

  /** This attempt, counted from 1. */
  get attempt(): number {
    return this.#before.attempt + 1;
  }

  /** Reads the log. @returns whether the trial is still to be trained */
  async open(): Promise<boolean> {
    const { link, log } = this.#parts;
    this.#before = await whileUnreachable(link, () => log.read());
    if (this.#before.ending) return false;
    if (this.#before.stalled < MOST_STALLED) return true;
    await this.failed(
      `${MOST_STALLED} workers have started it after step ${this.#before.step}, and none made progress`,
    );
    return false;
  }

  /** The checkpoint to continue from: the last one, or that of the rung before. Undefined if there is none. */
  async checkpoint(): Promise<Uint8Array | undefined> {
    const { link, bucket, warn } = this.#parts;
    const reference = (this.#kept = this.#before.checkpoint ?? (await this.#checkpointOfRungBefore()));
    if (!reference) return undefined;
    try {
      return await whileUnreachable(link, () => bucket.get(reference));
    } catch (error) {
      if (!(error instanceof MessageError)) throw error;
      warn(`The checkpoint of trial ${this.#parts.trial.trial} cannot be used: ${error.message}`);
      return undefined;
    }
  }

  async #checkpointOfRungBefore(): Promise<ObjectReference | undefined> {
    const { link, trial } = this.#parts;
    if (trial.rung === 0) return undefined;
    const subject = resultSubject({ ...trial, rung: trial.rung - 1 });
    const log = new FencedLog(link, { stream: RESULTS, subject }, trialLogRules);
    const { ending } = await whileUnreachable(link, () => log.read());
    return ending?.event === "finished" ? ending.checkpoint : undefined;
  }

  /** Reports the start after a number of steps. */
  readonly started = async (step: number): Promise<void> => {
    const { step: stepBefore, stalled } = this.#before;
    await this.#append({ event: "started", step, stalled: step === stepBefore ? stalled + 1 : 1 });
  };

  /** Stores a checkpoint, and removes the one before. */
  readonly saved = async (bytes: Uint8Array, step: number, totalSteps: number): Promise<void> => {
    const checkpoint = await this.#upload(`checkpoint-${step}`, bytes);
    await this.#append({ event: "saved", step, totalSteps, checkpoint });
    this.#uploaded = undefined;
    const before = this.#kept;
    this.#kept = checkpoint;
    // The checkpoint of the rung before is kept until this rung is finished.
    if (before && before.object.startsWith(this.#prefix)) await this.#remove(before);
  };

  /** Stores the model, and the checkpoint if another rung may follow, and reports the result. */
  async finished(trained: TrainedTrial, continues: boolean): Promise<void> {
    const model = await this.#upload("model", await trained.model());
    const checkpoint = continues ? await this.#upload("end", await trained.checkpoint()) : undefined;
    await this.#append({ event: "finished", result: trained.result, model, ...(checkpoint && { checkpoint }) });
    this.#uploaded = undefined;
    if (this.#kept) await this.#remove(this.#kept);
  }

  /** Reports that no worker can train the trial. */
  async failed(reason: string): Promise<void> {
    await this.#append({ event: "failed", reason: reason.slice(0, MOST_REASON_LENGTH) });
  }

  /** Removes an object that was stored for an event that was not accepted. */
  async discard(): Promise<void> {
    if (this.#uploaded) await this.#remove(this.#uploaded);
  }

  get #prefix(): string {
    return keyText(this.#parts.trial);
  }

  async #upload(name: string, bytes: Uint8Array): Promise<ObjectReference> {
    const { link, bucket } = this.#parts;
    const object = `${this.#prefix}.${this.attempt}-${this.#parts.session.slice(0, 8)}.${name}`;
    this.#uploaded = await whileUnreachable(link, () => bucket.put(object, bytes));
    return this.#uploaded;
  }

  /** Failures are ignored: what is left is removed with the sweep, or after some weeks. */
  async #remove({ object }: ObjectReference): Promise<void> {
    await this.#parts.bucket.remove(object).catch(() => undefined);
  }

  async #append(happening: Happening): Promise<void> {
    const { log, worker, session } = this.#parts;
    const { attempt } = this;
    const isMine = (state: TrialState) =>
      !state.ending && (state.attempt < attempt || (state.attempt === attempt && state.session === session));
    await log.append(eventBytes({ version, worker, session, attempt, ...happening }), isMine);
  }
}
