/*
 * Checkpoints of `wgrad train`: when they are taken, where they lie, and how a run goes on from one.
 */
import { createHash } from "node:crypto";
import { isRegression, type Dataset } from "../../data/dataset.ts";
import { OptionError, WgradError } from "../../errors.ts";
import type { TrainedModel } from "../../formats/model.ts";
import type {
  Checkpoint,
  CheckpointOptions,
  Snapshot,
  StoppingMemory,
  StoppingProgress,
  StoppingState,
} from "../../train/index.ts";
import { CheckpointFolder } from "../../node/checkpoints.ts";
import { FolderLock } from "../../node/folder-lock.ts";
import { intervalOf, type CheckpointFlags } from "../options/checkpoint-options.ts";
import { trainOptions } from "../options/train-options.ts";
import { shellQuoted } from "../text/terminal.ts";

/** What must be the same for a run to go on from a checkpoint: every option that a step depends on, and the data. */
export type RunIdentity = Readonly<Record<string, unknown>>;

/** A name for the contents of a data set. */
function fingerprint(data: Dataset): string {
  const hash = createHash("sha256");
  for (const values of [data.features, isRegression(data) ? data.targets : data.labels]) {
    hash.update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }
  return hash.digest("hex").slice(0, 16);
}

/** A search for a reason to stop as JSON; the best state itself lies among the tensors. */
type KeptStopping = Omit<StoppingState, "best"> & { readonly bestLoss?: number };

/** What of a run's options and data its checkpoints belong to. */
export function runIdentity(
  configuration: Readonly<Record<string, unknown>>,
  { train, validation }: { readonly train: Dataset; readonly validation?: Dataset | undefined },
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

/** Keeps the checkpoints of one run. */
export class RunKeeper {
  /** What the run goes on from; it begins anew if undefined. */
  readonly resumeFrom: Snapshot | undefined;
  /** Where the search for a reason to stop stands. */
  readonly memory: StoppingMemory = {};
  readonly #flags: CheckpointFlags;
  readonly #folder: CheckpointFolder;
  readonly #lock: FolderLock;
  readonly #identity: RunIdentity;
  readonly #say: (line: string) => void;
  #bestLoss = Infinity;
  #loss = NaN;
  #lastGood: string | undefined;
  /** The reasons of failures that were told. */
  readonly #told = new Set<string>();

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
    const stopping = run["stopping"] as KeptStopping | undefined;
    if (stopping) {
      const { bestLoss = Infinity, ...state } = stopping;
      this.memory.state = { ...state, ...(best && { best: { loss: bestLoss, snapshot: best } }) };
    }
    this.#bestLoss = (run["bestLoss"] as number | undefined) ?? Infinity;
    this.#lastGood = found.path;
  }

  /**
   * Locks the folder of --checkpoint until the process exits, and with --resume looks there for what to go on from.
   * @param identify is asked only where checkpoints are kept
   * @param say takes a line for the user
   * @throws OptionError where another process works in the folder; and where it holds another run's checkpoints, naming
   * the options that differ
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
        what: "there is no folder to go on from",
        fix: "Name it with --checkpoint",
      });
    }
    const folder = new CheckpointFolder(checkpoint, keep);
    const lock = new FolderLock(checkpoint, takeOver);
    const fault = await faultOf(lock.hold());
    if (fault instanceof OptionError) throw fault;
    const identity = identify();
    const found = await folder.newest(say);
    if (found && !resume) {
      const what = `there are checkpoints already, up to step ${found.trained.step}`;
      throw new OptionError({
        where: checkpoint,
        what,
        fix: "Add --resume to go on from them, or choose another folder",
      });
    }
    if (found) requireSameRun(found.path, found.state.run["identity"], identity);
    else if (resume) say(`There is no checkpoint in ${checkpoint} yet: the run begins anew.`);
    const keeper = new RunKeeper({ flags, folder, lock, identity, say, found });
    if (fault) keeper.#complain(fault, "No checkpoint can be written, and training goes on");
    else await folder.removeUnfinished();
    return keeper;
  }

  /** The last checkpoint that was written whole. */
  get lastGood(): string | undefined {
    return this.#lastGood;
  }

  /** Takes note of an event; the checkpoint with the lowest loss so far is the best: on the validation set if there is one. */
  note({ loss, validation }: StoppingProgress, hasValidation: boolean): void {
    if (!hasValidation) this.#loss = loss;
    else if (validation) this.#loss = validation.loss;
  }

  /**
   * For `fit`.
   * @param describe the model after so many steps
   */
  options(describe: (step: number) => TrainedModel): CheckpointOptions {
    return { ...intervalOf(this.#flags.every), save: (checkpoint) => this.#save(checkpoint, describe) };
  }

  async #save({ step, ...state }: Checkpoint, describe: (step: number) => TrainedModel): Promise<void> {
    const isBest = this.#loss < this.#bestLoss;
    const bestLoss = isBest ? this.#loss : this.#bestLoss;
    const { best, ...stopping } = this.memory.state ?? {};
    const run = {
      identity: this.#identity,
      ...(bestLoss < Infinity && { bestLoss }),
      ...(this.memory.state && { stopping: { ...stopping, ...(best && { bestLoss: best.loss }) } }),
    };
    try {
      const kept = { ...state, run, ...(best && { best: best.snapshot }) };
      // Another process may have taken the folder over, or the folder may be gone.
      await this.#lock.hold();
      const saved = await this.#folder.save(describe(step), kept, isBest);
      this.#lastGood = saved.path;
      if (saved.isBest) this.#bestLoss = bestLoss;
      for (const failure of saved.failures)
        this.#complain(failure, `The checkpoint at step ${step} is whole, and training goes on`);
    } catch (error) {
      this.#complain(error, `No checkpoint at step ${step}, and training goes on`);
    }
  }

  /** Says once of each reason what could not be done, unless that is to end the run. */
  #complain(error: unknown, consequence: string): void {
    if (!(error instanceof WgradError) || this.#flags.onCheckpointError === "stop") throw error;
    if (!this.#told.has(error.what)) this.#say(`${consequence}: ${error.message}`);
    this.#told.add(error.what);
  }
}

/** @returns what the promise is rejected with */
const faultOf = (promise: Promise<void>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

/** @throws OptionError naming what differs, and for options both values */
function requireSameRun(where: string, kept: unknown, now: RunIdentity): void {
  const before = (typeof kept === "object" && kept !== null ? kept : {}) as RunIdentity;
  const names = [...new Set([...Object.keys(before), ...Object.keys(now)])];
  const differing = names.filter((name) => JSON.stringify(before[name]) !== JSON.stringify(now[name]));
  if (differing.length === 0) return;
  const changes = differing.map((name) => changeText(name, before[name], now[name]));
  const what = `this checkpoint belongs to a different run: ${changes.join("; ")}`;
  throw new OptionError({
    where,
    what,
    fix: "Give the options of that run, or choose another folder for --checkpoint",
  });
}

/** What of an identity are no options, but fingerprints, of which the values say nothing to a reader. */
const fingerprints: Readonly<Record<string, string>> = {
  trainingData: "the training data are not the same",
  validationData: "the validation data are not the same",
};

/** Such as "it has --lr 0.02, this run --lr 0.01". */
function changeText(name: string, before: unknown, now: unknown): string {
  if (fingerprints[name] !== undefined) return fingerprints[name];
  const options = trainOptions().filter((option) => option.attributeName() === name);
  const [flag] = options.map((option) => option.flag);
  // An option of another version of wgrad.
  if (flag === undefined) return `it has ${name} ${JSON.stringify(before)}, which this version does not know`;
  const written = (value: unknown) =>
    options.map((option) => option.written(value, shellQuoted)).find((text) => text !== undefined) ?? `no ${flag}`;
  return `it has ${written(before)}, this run has ${written(now)}`;
}
