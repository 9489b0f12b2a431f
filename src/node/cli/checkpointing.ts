/*
 * Checkpoints of `wgrad train`: when they are taken, where they lie, and how a run goes on from one.
 */
import { createHash } from "node:crypto";
import { Option } from "commander";
import { isRegression, type TrainingData } from "../../data/dataset.ts";
import { OptionError, WgradError } from "../../errors.ts";
import type { TrainedModel } from "../../formats/model.ts";
import type { Checkpoint, CheckpointOptions, Snapshot, TrainingProgress } from "../../train/index.ts";
import { CheckpointFolder } from "../checkpoints.ts";
import { wholeNumber } from "./options.ts";

/** Steps or seconds from one checkpoint to the next. */
export type Interval = Pick<CheckpointOptions, "everySteps" | "everySeconds">;

export const checkpointErrorChoices = ["continue", "stop"] as const;

export interface CheckpointFlags {
  readonly checkpoint?: string;
  readonly every: Interval;
  readonly keep: number;
  readonly resume: boolean;
  readonly onCheckpointError: (typeof checkpointErrorChoices)[number];
}

/** The options of `CheckpointFlags`, for a command's help in this order. */
export function checkpointOptions(): Option[] {
  return [
    new Option("--checkpoint <folder>", "keep the state of the run there, to go on from"),
    new Option("--every <interval>", "steps, such as 25, or seconds, such as 5s, from one checkpoint to the next")
      .argParser(interval("--every"))
      .default({ everySeconds: 30 }, "30s"),
    new Option("--keep <number>", "how many of the last checkpoints are kept, besides the best")
      .argParser(wholeNumber("--keep", 1))
      .default(3),
    new Option("--resume", "go on from the newest whole checkpoint, if there is one").default(false),
    new Option("--on-checkpoint-error <choice>", "what becomes of training when one cannot be written")
      .choices(checkpointErrorChoices)
      .default("continue"),
  ];
}

/** Steps, "25", or seconds, "5s" or "0.5s". */
export function interval(flag: string): (text: string) => Interval {
  return (text) => {
    const seconds = /^(\d+(?:\.\d+)?)s$/.exec(text)?.[1];
    if (seconds !== undefined && Number(seconds) > 0) return { everySeconds: Number(seconds) };
    if (/^\d+$/.test(text) && Number(text) >= 1) return { everySteps: Number(text) };
    const what = `${JSON.stringify(text)} is no interval`;
    throw new OptionError({ where: flag, what, fix: "Give a whole number of steps, such as 25, or seconds, such as 5s" });
  };
}

/** What must be the same for a run to go on from a checkpoint: every option that a step depends on, and the data. */
export type RunIdentity = Readonly<Record<string, unknown>>;

/** A name for the contents of a data set. */
export function fingerprint(data: TrainingData): string {
  const hash = createHash("sha256");
  for (const values of [data.features, isRegression(data) ? data.targets : data.labels]) {
    hash.update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }
  return hash.digest("hex").slice(0, 16);
}

/** Keeps the checkpoints of one run. */
export class RunKeeper {
  /** What the run goes on from; it begins anew if undefined. */
  readonly resumeFrom: Snapshot | undefined;
  /** What the checkpoint that it goes on from carried besides. */
  readonly extra: unknown;
  readonly #flags: CheckpointFlags;
  readonly #folder: CheckpointFolder;
  readonly #identity: RunIdentity;
  readonly #say: (line: string) => void;
  #best: { readonly loss: number; readonly step: number } | undefined;
  #loss = NaN;
  #lastGood: string | undefined;
  #hasFailed = false;

  private constructor(keeper: {
    flags: CheckpointFlags;
    folder: CheckpointFolder;
    identity: RunIdentity;
    say: (line: string) => void;
    found: Awaited<ReturnType<CheckpointFolder["newest"]>>;
  }) {
    const { flags, folder, identity, say, found } = keeper;
    [this.#flags, this.#folder, this.#identity, this.#say] = [flags, folder, identity, say];
    if (!found) return;
    const { parameters, optimizer, unreported, run } = found.state;
    this.resumeFrom = { step: found.trained.step, parameters, optimizer, unreported };
    this.extra = run["extra"];
    const best = run["best"] as { loss: number | null; step: number } | undefined;
    if (best) this.#best = { loss: best.loss ?? Infinity, step: best.step };
    this.#lastGood = found.path;
  }

  /**
   * Looks at the folder of --checkpoint, and with --resume for what to go on from.
   * @param say takes a line for the user
   * @throws OptionError where the folder holds another run's checkpoints, naming the options that differ
   */
  static async open(flags: CheckpointFlags, identity: RunIdentity, say: (line: string) => void): Promise<RunKeeper | undefined> {
    const { checkpoint, keep, resume } = flags;
    if (checkpoint === undefined) {
      if (!resume) return undefined;
      throw new OptionError({ where: "--resume", what: "there is no folder to go on from", fix: "Name it with --checkpoint" });
    }
    const folder = new CheckpointFolder(checkpoint, keep);
    const found = await folder.newest(say);
    if (found && !resume) {
      const what = `there are checkpoints already, up to step ${found.trained.step}`;
      throw new OptionError({ where: checkpoint, what, fix: "Add --resume to go on from them, or choose another folder" });
    }
    if (found) requireSameRun(found.path, found.state.run["identity"], identity);
    else if (resume) say(`There is no checkpoint in ${checkpoint} yet: the run begins anew.`);
    await folder.removeUnfinished();
    return new RunKeeper({ flags, folder, identity, say, found });
  }

  /** The last checkpoint that was written whole. */
  get lastGood(): string | undefined {
    return this.#lastGood;
  }

  /** Takes note of an event; the checkpoint with the lowest loss so far is the best. */
  note({ loss }: Pick<TrainingProgress, "loss">): void {
    this.#loss = loss;
  }

  /**
   * For `fit`.
   * @param describe the model after so many steps
   * @param extra whatever else is to come back on resuming, as plain JSON
   */
  options(describe: (step: number) => TrainedModel, extra: () => unknown = () => undefined): CheckpointOptions {
    return { ...this.#flags.every, save: (checkpoint) => this.#save(checkpoint, describe, extra) };
  }

  async #save(checkpoint: Checkpoint, describe: (step: number) => TrainedModel, extra: () => unknown): Promise<void> {
    const { step, ...state } = checkpoint;
    const isBest = this.#loss < (this.#best?.loss ?? Infinity);
    const best = isBest ? { loss: this.#loss, step } : this.#best;
    const run = { identity: this.#identity, ...(best && { best }), extra: extra() };
    try {
      this.#lastGood = await this.#folder.save(describe(step), { ...state, run }, isBest);
      this.#best = best;
    } catch (error) {
      if (!(error instanceof WgradError) || this.#flags.onCheckpointError === "stop") throw error;
      if (!this.#hasFailed) this.#say(`No checkpoint at step ${step}, and training goes on: ${error.message}`);
      this.#hasFailed = true;
    }
  }
}

/** @throws OptionError naming what differs, with both values */
function requireSameRun(where: string, kept: unknown, now: RunIdentity): void {
  const before = (typeof kept === "object" && kept !== null ? kept : {}) as RunIdentity;
  const names = [...new Set([...Object.keys(before), ...Object.keys(now)])];
  const text = (value: unknown) => JSON.stringify(value) ?? "not given";
  const differing = names.filter((name) => text(before[name]) !== text(now[name]));
  if (differing.length === 0) return;
  const changes = differing.map((name) => `${name} was ${text(before[name])} and is ${text(now[name])}`);
  const what = `this checkpoint is of a run with other options: ${changes.join("; ")}`;
  throw new OptionError({ where, what, fix: "Give the options of that run, or choose another folder for --checkpoint" });
}
