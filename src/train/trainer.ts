import type { DispatchDescription, Executable, Session } from "../backends/backend.ts";
import type { Dataset } from "../data/dataset.ts";
import { DeviceError, OptionError } from "../errors.ts";
import type { Evaluation } from "./evaluate.ts";
import { requireFitOptions, type FitOptions } from "./fit-options.ts";
import { requireSnapshot } from "./given.ts";
import type { TrainerOptions } from "./options.ts";
import { planTraining } from "./plan.ts";
import type { TrainingProgress } from "./progress.ts";
import { runSteps } from "./run/loop.ts";
import { DeviceRecovery } from "./run/recovery.ts";
import { Run } from "./run/run.ts";
import type { Snapshot } from "./snapshot.ts";

/** A model in training: its parameters, the optimizer's state and the data set on a device. */
export interface Trainer {
  readonly totalSteps: number;
  readonly stepsPerEpoch: number;
  /** Examples per step. */
  readonly batchSize: number;
  /** Examples whose gradient is computed at a time; `batch` where a step is not divided. */
  readonly microBatchSize: number;
  /** Steps submitted so far; the next call of fit begins there. */
  readonly step: number;
  /** What one step runs, in order. */
  readonly dispatches: readonly DispatchDescription[];
  /** The session that holds the parameters, for graphs of the caller's own; another one once a lost device was replaced. */
  readonly session: Session;
  /**
   * The compiled step, for measuring: running it changes the parameters, but not `step`. Undefined where a step is divided
   * into parts; another one once a lost device was replaced.
   */
  readonly executable: Executable | undefined;
  /**
   * Trains, and yields where the run stands at every so many steps; steps go on while the caller looks at an event.
   * Leaving the loop waits for what is in flight; another call goes on from there.
   * @throws OptionError, at the first event, for an option outside its range or while another fit of this trainer runs;
   * DivergedError where `onNonFinite` says to stop and a step was not finite: the next call begins with that step;
   * DeviceError where the device cannot do the work, or was lost twice within a minute. Lost once, it is replaced:
   * training goes back to the last snapshot in memory and repeats what was reported, unseen and to the same bits.
   */
  fit(options?: FitOptions): AsyncGenerator<TrainingProgress, void, undefined>;
  /** Loss and accuracy of a data set, with the parameters as the steps submitted so far leave them. */
  evaluate(dataset: Dataset): Promise<Evaluation>;
  /** The model's outputs for examples, row after row. */
  predict(features: Uint8Array | Float32Array): Promise<Float32Array>;
  /**
   * Makes the next step, dispatch by dispatch and in no fit.
   * @returns nanoseconds of each, see `Executable.profile`, in the order of `dispatches`; browsers round them
   * @throws DeviceError where the device has no timestamps, or the step is divided into parts; DeviceLostError where the
   * device is lost meanwhile: the next call of another method replaces it; OptionError while a fit of this trainer runs
   */
  profile(): Promise<number[]>;
  /** The parameters and the optimizer's state after the steps submitted so far, though training may go on meanwhile. */
  snapshot(): Promise<Snapshot>;
  /**
   * Goes back, or on, to where this trainer or another one of the same options was: the next step is the one after the
   * snapshot's.
   * @throws OptionError for a snapshot of other parameters or of a step beyond the run, or while a fit of this trainer
   * runs
   */
  restore(snapshot: Snapshot): void;
  /**
   * Frees what the device holds. A loop that still runs ends at its next event, without another; other calls that are
   * under way fail with an OptionError. The trainer cannot be used afterwards.
   */
  dispose(): void;
}

/**
 * Uploads the data set, or has it pass through a window on the device where it is larger than a binding may be, and
 * compiles the step. An epoch visits the examples in an order of its own, which depends on
 * (seed, epoch) alone, in ⌊examples / batch⌋ steps; the examples at the end of the order that fill no batch are left
 * out in that epoch. What a step does depends on the options and its number only.
 * @throws OptionError for an option outside its range, a batch larger than the data set, a model that does not fit
 * the data, or a snapshot of another trainer; DeviceError where the device cannot hold it
 */
export async function createTrainer(options: TrainerOptions): Promise<Trainer> {
  return new RunTrainer(await Run.create(planTraining(options)));
}

/** The public face of a run: it checks what callers ask for and passes it on. */
class RunTrainer implements Trainer {
  readonly #run: Run;
  readonly #recovery: DeviceRecovery;

  constructor(run: Run) {
    this.#run = run;
    this.#recovery = new DeviceRecovery(run);
  }

  get totalSteps(): number {
    return this.#run.plan.schedule.totalSteps;
  }

  get stepsPerEpoch(): number {
    return this.#run.plan.data.stepsPerEpoch;
  }

  get batchSize(): number {
    return this.#run.plan.data.batchSize;
  }

  get microBatchSize(): number {
    return this.#run.plan.data.microBatchSize;
  }

  get step(): number {
    return this.#run.step;
  }

  get dispatches(): readonly DispatchDescription[] {
    return this.#run.placement.runner.dispatches;
  }

  get session(): Session {
    return this.#run.placement.session;
  }

  get executable(): Executable | undefined {
    return this.#run.placement.runner.executable;
  }

  async *fit(options: FitOptions = {}): AsyncGenerator<TrainingProgress, void, undefined> {
    const run = this.#run;
    requireFitOptions(options);
    this.#requireFree("fit");
    run.isFitting = true;
    try {
      await this.#recovery.pending;
      const { every = Math.max(1, Math.floor(this.totalSteps / 100)), maxSteps = Infinity } = options;
      const end = Math.min(this.totalSteps, run.step + maxSteps);
      yield* runSteps(run, this.#recovery, { ...options, every, end });
    } finally {
      run.isFitting = false;
    }
  }

  evaluate(dataset: Dataset): Promise<Evaluation> {
    return this.#recovery.onDevice("evaluate", ({ evaluator }) => evaluator.evaluate(dataset));
  }

  predict(features: Uint8Array | Float32Array): Promise<Float32Array> {
    return this.#recovery.onDevice("predict", ({ evaluator }) => evaluator.predict(features));
  }

  snapshot(): Promise<Snapshot> {
    return this.#recovery.takeSnapshot();
  }

  async profile(): Promise<number[]> {
    this.#requireFree("profile");
    await this.#recovery.pending;
    const { profile } = this.#run.placement.runner;
    if (!profile) {
      const what = "this backend times no single dispatch of such a step";
      throw new DeviceError({ where: "profile", what, fix: "Use a GPU, and a batch that it takes at once" });
    }
    try {
      return await this.#run.makeStep(profile);
    } catch (failure) {
      this.#run.requireLive("profile");
      throw failure;
    }
  }

  restore(snapshot: Snapshot): void {
    this.#requireFree("restore");
    requireSnapshot("restore", snapshot, this.totalSteps);
    if (this.#recovery.pending) {
      const fix = "Wait for evaluate, predict or snapshot first";
      throw new OptionError({ where: "restore", what: "a lost device is being replaced", fix });
    }
    this.#run.restore(snapshot);
  }

  dispose(): void {
    this.#run.dispose();
  }

  #requireFree(where: string): void {
    this.#run.requireLive(where);
    this.#run.requireIdle(where);
  }
}
