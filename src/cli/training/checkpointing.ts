/*
 * Checkpoints of `wgrad train`: saving them, and resuming a run from one.
 */
import { createHash } from "node:crypto";
import { isRegression, type Dataset } from "../../data/dataset.ts";
import { OptionError, WgradError } from "../../errors.ts";
import type { TextDataset } from "../../data/text/dataset.ts";
import { isText } from "../../data/text/windows.ts";
import type { TrainedModel } from "../../formats/model.ts";
import type { Checkpoint, CheckpointOptions, Snapshot, StoppingMemory, StoppingProgress } from "../../train/index.ts";
import { differencesOf, identityIn, keptStopping, readStopping, type RunIdentity } from "../../train/kept-state.ts";
import { CheckpointFolder } from "../../node/checkpoints.ts";
import { FolderLock } from "../../node/folder-lock.ts";
import type { TrainingSource } from "../data/data-source.ts";
import { intervalOf, type CheckpointFlags } from "../options/checkpoint-options.ts";
import { trainOptions } from "../options/train-options.ts";
import { shellQuoted } from "../text/terminal.ts";

/** Those of data sets that were asked for before: a sweep asks for the same ones for each of its runs. */
const knownFingerprints = new WeakMap<Dataset | TextDataset, string>();

/** A digest of the contents of a data set. */
function fingerprint(data: Dataset | TextDataset): string {
  const known = knownFingerprints.get(data);
  if (known !== undefined) return known;
  const hash = createHash("sha256");
  const contents = isText(data) ? [data.tokens] : [data.features, isRegression(data) ? data.targets : data.labels];
  for (const values of contents) {
    hash.update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }
  const digest = hash.digest("hex").slice(0, 16);
  knownFingerprints.set(data, digest);
  return digest;
}

/** The options and data that identify a run. */
export function runIdentity(
  configuration: Readonly<Record<string, unknown>>,
  { train, validation }: Pick<TrainingSource, "train" | "validation">,
): RunIdentity {
  const free = trainOptions()
    .filter(({ facts }) => !facts.isIdentity)
    .map((option) => option.attributeName());
  const options = Object.entries(configuration).filter(([name]) => !free.includes(name));
  return {
    ...Object.fromEntries(options),
    trainingData: fingerprint(train),
    ...(validation && { validationData: fingerprint(validation) }),
  };
}

/** Saves the checkpoints of one run, and finds the one to resume from. */
export class RunKeeper {
  /** The snapshot that the run resumes from; undefined if it starts from the beginning. */
  readonly resumeFrom: Snapshot | undefined;
  /** The state of early stopping. */
  readonly memory: StoppingMemory = {};
  readonly #flags: CheckpointFlags;
  readonly #folder: CheckpointFolder;
  readonly #lock: FolderLock;
  readonly #identity: RunIdentity;
  readonly #say: (line: string) => void;
  #bestLoss = Infinity;
  #loss = NaN;
  #lastGood: string | undefined;
  /** The failures that were reported. */
  readonly #reported = new Set<string>();

  private constructor(keeper: {
    flags: CheckpointFlags;
    folder: CheckpointFolder;
    lock: FolderLock;
    identity: RunIdentity;
    say: (line: string) => void;
    found: Awaited<ReturnType<CheckpointFolder["newest"]>>;
  }) {
    const { flags, folder, lock, identity, say, found } = keeper;
    [this.#flags, this.#folder, this.#lock, this.#identity, this.#say] = [flags, folder, lock, identity, say];
    if (!found) return;
    const { parameters, optimizer, unreported, best, run } = found.state;
    this.resumeFrom = { step: found.trained.step, parameters, optimizer, unreported };
    this.memory.state = readStopping(run, best);
    this.#bestLoss = (run["bestLoss"] as number | undefined) ?? Infinity;
    this.#lastGood = found.path;
  }

  /**
   * Locks the folder of --checkpoint until the process exits, and with --resume looks for the newest checkpoint in it.
   * @param identify computes the run's identity; called only if checkpoints are saved
   * @param say prints a line for the user
   * @returns undefined without --checkpoint
   * @throws OptionError if another process uses the folder, or if the folder holds checkpoints of another run; the
   * message then names the options that differ
   */
  static async open(
    flags: CheckpointFlags,
    identify: () => RunIdentity,
    say: (line: string) => void,
  ): Promise<RunKeeper | undefined> {
    const { checkpoint, keep, resume, takeOver = false } = flags;
    if (checkpoint === undefined) {
      if (!resume) return undefined;
      throw new OptionError({
        where: "--resume",
        what: "there is no checkpoint folder to resume from",
        fix: "Add --checkpoint with the folder",
      });
    }
    const folder = new CheckpointFolder(checkpoint, keep);
    const lock = new FolderLock(checkpoint, takeOver);
    const fault = await faultOf(lock.hold());
    if (fault instanceof OptionError) throw fault;
    const identity = identify();
    const found = await folder.newest(say);
    if (found && !resume) {
      throw new OptionError({
        where: checkpoint,
        what: `the folder already contains checkpoints, up to step ${found.trained.step}`,
        fix: "Add --resume to continue from them, or choose another folder",
      });
    }
    if (found) requireSameRun(found.path, found.state.run["identity"], identity);
    else if (resume) say(`There is no checkpoint in ${checkpoint}: the run starts from the beginning.`);
    const keeper = new RunKeeper({ flags, folder, lock, identity, say, found });
    if (fault) keeper.#reportOrThrow(fault, "Checkpoints cannot be written; training continues");
    else await folder.removeUnfinished();
    return keeper;
  }

  /** The path of the last complete checkpoint. */
  get lastGood(): string | undefined {
    return this.#lastGood;
  }

  /** Records the loss of an event, on the validation set if there is one. The best checkpoint is the one with the lowest. */
  note({ loss, validation }: StoppingProgress, hasValidation: boolean): void {
    if (!hasValidation) this.#loss = loss;
    else if (validation) this.#loss = validation.loss;
  }

  /**
   * The checkpoint options for `fit`.
   * @param describe returns the model after a number of steps
   */
  options(describe: (step: number) => TrainedModel): CheckpointOptions {
    return { ...intervalOf(this.#flags.every), save: (checkpoint) => this.#save(checkpoint, describe) };
  }

  async #save({ step, ...state }: Checkpoint, describe: (step: number) => TrainedModel): Promise<void> {
    const isBest = this.#loss < this.#bestLoss;
    const bestLoss = isBest ? this.#loss : this.#bestLoss;
    const stopping = keptStopping(this.memory);
    const run = { identity: this.#identity, ...(bestLoss < Infinity && { bestLoss }), ...stopping.run };
    try {
      const kept = { ...state, run, ...stopping.state };
      // Another process may have taken over the folder, or the folder may be gone.
      await this.#lock.hold();
      const saved = await this.#folder.save(describe(step), kept, isBest);
      this.#lastGood = saved.path;
      if (saved.isBest) this.#bestLoss = bestLoss;
      for (const failure of saved.failures)
        this.#reportOrThrow(failure, `The checkpoint at step ${step} is complete; training continues`);
    } catch (error) {
      this.#reportOrThrow(error, `The checkpoint at step ${step} was not written; training continues`);
    }
  }

  /** Reports each failure once, or throws it with `--on-checkpoint-error stop`. */
  #reportOrThrow(error: unknown, consequence: string): void {
    if (!(error instanceof WgradError) || this.#flags.onCheckpointError === "stop") throw error;
    if (!this.#reported.has(error.what)) this.#say(`${consequence}: ${error.message}`);
    this.#reported.add(error.what);
  }
}

/** @returns the reason why the promise is rejected, or undefined */
const faultOf = (promise: Promise<void>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

/** @throws OptionError with the options that differ and their values, and whether the data differ */
function requireSameRun(where: string, kept: unknown, now: RunIdentity): void {
  const before = identityIn(kept);
  const differing = differencesOf(before, now);
  if (differing.length === 0) return;
  const changes = differing.map((name) => changeText(name, before[name], now[name]));
  const what = `this checkpoint belongs to a different run: ${changes.join("; ")}`;
  throw new OptionError({
    where,
    what,
    fix: "Use the options of that run, or choose another folder for --checkpoint",
  });
}

/** The messages for the entries of an identity that are digests, whose values mean nothing to a user. */
const fingerprints: Readonly<Record<string, string>> = {
  trainingData: "the training data differ",
  validationData: "the validation data differ",
};

/** A difference, such as "it has --lr 0.02, this run has --lr 0.01". */
function changeText(name: string, before: unknown, now: unknown): string {
  if (fingerprints[name] !== undefined) return fingerprints[name];
  const options = trainOptions().filter((option) => option.attributeName() === name);
  const [flag] = options.map((option) => option.flag);
  // The checkpoint was written by another version of wgrad.
  if (flag === undefined) return `it has ${name} ${JSON.stringify(before)}, which this version of wgrad does not have`;
  const written = (value: unknown) =>
    options.map((option) => option.written(value, shellQuoted)).find((text) => text !== undefined) ?? `no ${flag}`;
  return `it has ${written(before)}, this run has ${written(now)}`;
}
