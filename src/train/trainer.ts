import type { DispatchDescription, Executable, Session } from "../backends/backend.ts";
import type { AnyDataset } from "../data/dataset.ts";
import type { Model } from "../nn/sequential.ts";
import { DeviceError, OptionError } from "../errors.ts";
import type { DataStream } from "../data/stream.ts";
import type { Evaluation, Evaluator } from "./evaluate.ts";
import { requireFitOptions, type FitOptions } from "./fit-options.ts";
import { requireSnapshot, requireSource } from "./given.ts";
import type { AnyModel } from "../nn/functional.ts";
import type { AnyTrainerOptions, TrainerOptions } from "./options.ts";
import { planTraining, unchangedRate } from "./plan.ts";
import type { PredictionInputs, Predictions } from "./predict.ts";
import type { TrainingProgress } from "./progress.ts";
import { runSteps } from "./run/loop.ts";
import type { Placement } from "./run/placement.ts";
import { DeviceRecovery } from "./run/recovery.ts";
import { Run } from "./run/run.ts";
import { mapped, type Snapshot } from "./snapshot.ts";
import { trainingOf, type Training } from "./training.ts";

/** The options of `evaluate` and `predict`. */
export interface ApplicationOptions {
  /**
   * Whether to use the moving average of the parameters, which a trainer with the option `averageDecay` has; false by
   * default.
   */
  readonly average?: boolean;
}

/**
 * A model in training: its parameters, the optimizer's state and the data set on a device. `Metric` is the type of the
 * names of metrics.
 */
export interface Trainer<Kind extends AnyModel = Model, Metric extends string = string> {
  readonly totalSteps: number;
  readonly stepsPerEpoch: number;
  /** Examples per step. */
  readonly batchSize: number;
  /** Examples whose gradient is computed at a time; equal to `batchSize` unless a step is divided into parts. */
  readonly microBatchSize: number;
  /** Number of steps submitted so far. The next call of `fit` starts there. */
  readonly step: number;
  /** The dispatches of one step, in order. */
  readonly dispatches: readonly DispatchDescription[];
  /**
   * The bytes that the values of a step take on the device: activations, gradients and outputs, without parameters, optimizer
   * states and data. The option `recompute` makes it smaller. Undefined on the CPU reference, which plans no memory.
   */
  readonly stepBytes: number | undefined;
  /** The session that holds the parameters, for graphs of your own. It changes when a lost device is replaced. */
  readonly session: Session;
  /**
   * The compiled step, for measurements. Running it changes the parameters but not `step`. Undefined if a step is
   * divided into parts. It changes when a lost device is replaced.
   */
  readonly executable: Executable | undefined;
  /**
   * Trains, and yields a progress event every `every` steps. Training continues while the caller handles an event.
   * Leaving the loop waits for the steps that are already submitted; another call continues from there. `await trainer.fit()`
   * trains to the end without events. A call whose result is neither iterated nor awaited does nothing; see `Training`.
   * @throws OptionError, at the first event, for an option outside its range, or if another `fit` of this trainer is
   * running; DivergedError if `onNonFinite` is "stop" and the loss or gradient of a step was NaN or infinite (the next
   * call starts with that step); DeviceError if the device cannot do the work, or was lost twice within a minute. A
   * device that is lost once is replaced: training goes back to the last snapshot in memory and repeats the steps since
   * then, without new events and with bit-identical results. If that fails, so does the call; the next one tries again.
   */
  fit(options?: FitOptions): Training<TrainingProgress<Metric>>;
  /**
   * The loss, accuracy and metrics on a data set, or on the first epoch of a stream with `stepsPerEpoch` whose `batches`
   * are a function, with the parameters after the steps submitted so far. The batches of a stream have the trainer's
   * `batchSize`.
   */
  evaluate(dataset: AnyDataset | DataStream, options?: ApplicationOptions): Promise<Evaluation<Metric>>;
  /** The model's outputs for examples, see `Evaluator.predict`. */
  predict(inputs: PredictionInputs<Kind>, options?: ApplicationOptions): Promise<Predictions<Kind>>;
  /**
   * Runs the next step and measures each dispatch.
   * @returns the nanoseconds of each dispatch, in the order of `dispatches`, see `Executable.profile`; browsers round them
   * @throws DeviceError if the device cannot time dispatches, or the step is divided into parts; DeviceLostError if the
   * device is lost during the call (the next call of another method replaces it); OptionError if a `fit` of this
   * trainer is running
   */
  profile(): Promise<number[]>;
  /**
   * The parameters and the optimizer's state after the steps submitted so far. Training may continue during the call.
   */
  snapshot(): Promise<Snapshot>;
  /**
   * Restores the state of this trainer, or of another one with the same options. The next step is the one after the
   * snapshot's.
   * @throws OptionError for a snapshot of other parameters or of a step beyond the run, or if a `fit` of this trainer
   * is running
   */
  restore(snapshot: Snapshot): void;
  /**
   * Frees the device memory of the trainer. A running `fit` loop ends without another event; other pending calls fail
   * with an OptionError. The trainer cannot be used afterwards.
   */
  dispose(): void;
}

/**
 * Creates a trainer: uploads the data set and compiles the step. A data set that is larger than a binding of the device
 * is streamed to it instead. Each epoch visits the examples in a new order, which depends only on (seed, epoch), and
 * has ⌊examples / batchSize⌋ steps; the examples at the end of the order that do not fill a batch are left out. The
 * result of a step depends only on the options and the step's number.
 *
 * @example
 * ```ts
 * const { train, test } = builtInDigits({ train: 2000, test: 500 });
 * const model = sequential([dense(32, { activation: "relu" }), dense(10)], { inputShape: [784] });
 * const backend = await createBackend();
 * const trainer = await createTrainer({ model, backend, dataset: train, learningRate: 1e-3, batchSize: 50, epochs: 3 });
 * for await (const { step, loss } of trainer.fit({ every: 40 })) console.log(step, loss);
 * const { accuracy } = await trainer.evaluate(test);
 * ```
 *
 * @throws OptionError for an option outside its range, a batch larger than the data set, a model that does not fit the
 * data, or a snapshot of another trainer; DeviceError if the device does not have enough memory
 */
export async function createTrainer<
  Kind extends AnyModel,
  StepInput extends string = string,
  Metric extends string = string,
>(options: TrainerOptions<Kind, StepInput, Metric>): Promise<Trainer<Kind, Metric>> {
  // The kind of model only decides the types of functions and predictions, which `network.ts` handles for both.
  const plan = await planTraining(options as unknown as AnyTrainerOptions);
  return new RunTrainer(await Run.create(plan)) as unknown as Trainer<Kind, Metric>;
}

/** @throws OptionError for an average that the trainer does not keep */
function evaluatorOf(
  where: string,
  { evaluator, averaged }: Placement,
  { average = false }: ApplicationOptions,
): Evaluator<AnyModel> {
  if (!average) return evaluator;
  if (averaged) return averaged;
  const what = "this trainer keeps no average of the parameters";
  throw new OptionError({ where: `${where} average`, what, fix: "Give createTrainer the option averageDecay" });
}

/** Implements `Trainer` for a run: checks the arguments of each call and passes it on. */
class RunTrainer implements Trainer<AnyModel> {
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

  get stepBytes(): number | undefined {
    return this.#run.placement.runner.bytes;
  }

  get session(): Session {
    return this.#run.placement.session;
  }

  get executable(): Executable | undefined {
    return this.#run.placement.runner.executable;
  }

  fit(options: FitOptions = {}): Training<TrainingProgress> {
    return trainingOf(this.#events(options));
  }

  async *#events(options: FitOptions): AsyncGenerator<TrainingProgress, void, undefined> {
    const run = this.#run;
    requireFitOptions(options);
    this.#requireFree("fit");
    run.isFitting = true;
    try {
      await this.#recovery.pending;
      const { every = Math.max(1, Math.floor(this.totalSteps / 100)), maxSteps = Infinity } = options;
      const end = Math.min(this.totalSteps, run.step + maxSteps);
      await this.#takePlaces(options, end);
      yield* runSteps(run, this.#recovery, { ...options, every, end });
    } finally {
      run.isFitting = false;
    }
  }

  async evaluate(dataset: AnyDataset | DataStream, options: ApplicationOptions = {}): Promise<Evaluation> {
    requireSource("evaluate", dataset);
    const lastStep = Math.max(0, this.step - 1);
    const stepInputs = mapped(this.#run.plan.step.stepInputs, (valueAt) =>
      valueAt(this.#run.plan.places.scheduleStep(lastStep)),
    );
    return this.#recovery.onDevice("evaluate", async (placement) => {
      const evaluator = evaluatorOf("evaluate", placement, options);
      if (!("batches" in dataset)) return evaluator.evaluate(dataset, { stepInputs });
      const { evaluateStream } = await import("./evaluate-stream.ts");
      return evaluateStream(evaluator, dataset, { stepInputs, batchSize: this.batchSize });
    });
  }

  predict(inputs: PredictionInputs<AnyModel>, options: ApplicationOptions = {}): Promise<Predictions<AnyModel>> {
    return this.#recovery.onDevice("predict", (placement) =>
      evaluatorOf("predict", placement, options).predict(inputs),
    );
  }

  snapshot(): Promise<Snapshot> {
    return this.#recovery.takeSnapshot();
  }

  async profile(): Promise<number[]> {
    this.#requireFree("profile");
    try {
      await this.#ready();
      const { profile } = this.#run.placement.runner;
      if (profile) return await this.#run.makeStep(profile);
    } catch (failure) {
      this.#run.requireLive("profile");
      throw failure;
    }
    const what = "this backend cannot measure the dispatches of such a step";
    throw new DeviceError({ where: "profile", what, fix: "Use a GPU, and a batch that is not divided into parts" });
  }

  restore(snapshot: Snapshot): void {
    this.#requireFree("restore");
    requireSnapshot("restore", snapshot, this.totalSteps);
    if (this.#recovery.pending) {
      const fix = "Await the pending call of evaluate, predict or snapshot first";
      throw new OptionError({ where: "restore", what: "a lost device is being replaced", fix });
    }
    this.#run.restore(snapshot);
  }

  dispose(): void {
    this.#run.dispose();
  }

  /** Moves to another share of the run, or back to the whole run, and takes another factor of the learning rate. */
  async #takePlaces({ share, rateFactor = unchangedRate }: FitOptions, end: number): Promise<void> {
    const run = this.#run;
    const { places, schedule } = run.plan;
    if (!share && !places.isShared && rateFactor === schedule.rateFactor) return;
    // If the device is lost, the steps since the last snapshot are repeated, which must be of this share and factor.
    if (run.step !== (run.kept?.step ?? 0)) run.keep(await this.#recovery.takeSnapshot());
    schedule.rateFactor = rateFactor;
    places.assign(run.step, share);
    places.requireWithin(end, this.totalSteps);
  }

  /** Waits until no lost device is being replaced, and the examples of the next step have arrived. */
  async #ready(): Promise<void> {
    let missing: Promise<void> | undefined;
    do {
      await this.#recovery.pending;
      missing = this.#run.ready();
      await missing;
    } while (missing);
  }

  #requireFree(where: string): void {
    this.#run.requireLive(where);
    this.#run.requireIdle(where);
  }
}
