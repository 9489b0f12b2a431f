import type { DispatchDescription, Executable, Session } from "../backends/backend.ts";
import type { TrainingData } from "../data/dataset.ts";
import { DeviceError, DeviceLostError, DivergedError, OptionError } from "../errors.ts";
import { requireCount, requirePositive } from "../nn/checks.ts";
import { createEvaluator, type Evaluation, type Evaluator } from "./evaluate.ts";
import { createFeed, type Feed } from "./feed.ts";
import { requireCheckpointOptions } from "./checkpoints.ts";
import { runSteps, type FitOptions, type SkippedStep, type StepStream, type TrainingProgress } from "./fit.ts";
import { faultText, holdsStop, isStopped, rateFactorOf } from "./guard.ts";
import { requireSnapshot } from "./given.ts";
import { planTraining, type TrainerOptions, type TrainingPlan } from "./options.ts";
import { nothingUnreported, readAll, writeAll, type Snapshot, type Unreported } from "./snapshot.ts";
import { compileStep, type StepMetrics, type StepRunner } from "./step.ts";

/** A device lost again within this time is given up. */
const LOST_AGAIN_MILLISECONDS = 60_000;

/** Steps of a submit that repeats what was reported, which nothing measures. */
const REPEATED_STEPS = 32;

/** A model in training: its parameters, the optimizer's state and the data set on a device. */
export interface Trainer {
  readonly stepsTotal: number;
  readonly stepsPerEpoch: number;
  /** Examples per step. */
  readonly batch: number;
  /** Examples whose gradient is computed at a time; `batch` where a step is not divided. */
  readonly microBatch: number;
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
  evaluate(dataset: TrainingData): Promise<Evaluation>;
  /** The model's outputs for examples, row after row. */
  predict(features: Uint8Array | Float32Array): Promise<Float32Array>;
  /**
   * Makes the next step, dispatch by dispatch and in no fit.
   * @returns nanoseconds of each on the GPU's clock, in the order of `dispatches`; browsers round them
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
  const plan = planTraining(options);
  return new SessionTrainer(plan, await placeOnDevice(plan, plan.resumeFrom), plan.resumeFrom);
}

/** What is gone with a device. */
interface Placed {
  readonly session: Session;
  readonly feed: Feed;
  readonly runner: StepRunner;
  readonly evaluator: Evaluator;
}

async function placeOnDevice(plan: TrainingPlan, start: Snapshot | undefined): Promise<Placed> {
  const { model, backend, normalization, loss } = plan;
  const session = backend.createSession();
  try {
    const feed = createFeed(plan);
    const runner = await compileStep(plan, session, feed);
    // The upload goes on while the caller gets ready.
    feed.prepare(session, start?.step ?? 0);
    if (start) writeSnapshot(plan, { session, runner }, start);
    return { session, feed, runner, evaluator: createEvaluator({ model, backend, session, normalization, loss }) };
  } catch (error) {
    session.dispose();
    throw error;
  }
}

function writeSnapshot({ model }: TrainingPlan, { session, runner }: Pick<Placed, "session" | "runner">, snapshot: Snapshot): void {
  writeAll(session, model.parameters, snapshot.parameters);
  writeAll(session, runner.states, snapshot.optimizer);
}

class SessionTrainer implements Trainer, StepStream {
  readonly #plan: TrainingPlan;
  #placed: Placed;
  #step: number;
  /** Steps whose metrics have arrived. */
  #finished: number;
  /** How often the run was set back to an earlier step. */
  #rewinds = 0;
  #fitting = false;
  #disposed = false;
  unreported: Unreported;
  #rateFactor: number;
  /** What a lost device would be replaced from; the initial values if undefined. */
  #kept: Snapshot | undefined;
  #keptAt = performance.now();
  #lostAt = -Infinity;
  /** How often a lost device was replaced: what fails on an earlier one needs no other. */
  #generation = 0;
  #recovery: Promise<void> | undefined;
  /** Submits whose metrics have not arrived. */
  readonly #running = new Set<Promise<StepMetrics>>();

  constructor(plan: TrainingPlan, placed: Placed, start: Snapshot | undefined) {
    this.#plan = plan;
    this.#placed = placed;
    this.#kept = start;
    this.#step = this.#finished = start?.step ?? 0;
    this.unreported = start?.unreported ?? nothingUnreported;
    this.#rateFactor = rateFactorOf(start?.optimizer);
  }

  get stepsTotal(): number {
    return this.#plan.stepsTotal;
  }

  get stepsPerEpoch(): number {
    return this.#plan.stepsPerEpoch;
  }

  get batch(): number {
    return this.#plan.batch;
  }

  get microBatch(): number {
    return this.#plan.microBatch;
  }

  get step(): number {
    return this.#step;
  }

  get dispatches(): readonly DispatchDescription[] {
    return this.#placed.runner.dispatches;
  }

  get session(): Session {
    return this.#placed.session;
  }

  get executable(): Executable | undefined {
    return this.#placed.runner.executable;
  }

  async *fit(options: FitOptions = {}): AsyncGenerator<TrainingProgress, void, undefined> {
    const plan = this.#plan;
    const { every = Math.max(1, Math.floor(plan.stepsTotal / 100)), maxSteps, stepsPerSubmit, submitMilliseconds, checkpoint } = options;
    if (options.pauseEvery !== undefined) requireCount("fit pauseEvery", options.pauseEvery);
    requireCount("fit every", every);
    if (maxSteps !== undefined) requireCount("fit maxSteps", maxSteps);
    if (stepsPerSubmit !== undefined) requireCount("fit stepsPerSubmit", stepsPerSubmit);
    if (submitMilliseconds !== undefined) requirePositive("fit submitMilliseconds", submitMilliseconds);
    if (checkpoint) requireCheckpointOptions(checkpoint);
    this.#requireLive("fit");
    this.#requireIdle("fit");
    this.#fitting = true;
    try {
      await this.#recovery;
      const end = Math.min(plan.stepsTotal, this.#step + (maxSteps ?? Infinity));
      yield* runSteps(plan, this, { ...options, every, end });
    } finally {
      this.#fitting = false;
    }
  }

  get stepsAllowed(): number {
    return this.#placed.feed.stepsAllowed(this.#step);
  }

  async submit(steps: number): Promise<StepMetrics> {
    this.#keepSnapshot();
    const running = this.#placed.runner.run(this.#step, steps);
    this.#step += steps;
    const [last, rewinds] = [this.#step, this.#rewinds];
    this.#running.add(running);
    try {
      const metrics = await running;
      if (rewinds === this.#rewinds) this.#finished = Math.max(this.#finished, last);
      return metrics;
    } finally {
      this.#running.delete(running);
    }
  }

  get generation(): number {
    return this.#generation;
  }

  get recovery(): Promise<void> | undefined {
    return this.#recovery;
  }

  async recover(failure: unknown, generation: number): Promise<void> {
    // Work of a session that is being replaced, or was, fails in many ways, and needs no other device.
    if (generation === this.#generation && !this.#recovery) {
      if (!(failure instanceof DeviceLostError)) throw failure;
      this.#recovery = this.#replaceDevice(failure).finally(() => (this.#recovery = undefined));
    }
    await this.#recovery;
  }

  get rateFactor(): number {
    return this.#rateFactor;
  }

  leaveOut({ step, place, learningRate }: SkippedStep): void {
    const { onNonFinite } = this.#plan;
    if (onNonFinite === "halve") this.#rateFactor /= 2;
    if (onNonFinite !== "stop") return;
    // The steps after it changed nothing; they are to come again.
    this.#step = this.#finished = step - 1;
    this.#rewinds++;
    const stopped = this.#placed.runner.states.find(isStopped)!;
    this.#placed.session.write(stopped, Float32Array.of(0));
    throw new DivergedError(step, {
      where: `step ${step}`,
      what: `${faultText(place)}, at learning rate ${learningRate}`,
      fix: "Use a smaller learning rate, clip the gradient, or look for values in the data that are far too large",
    });
  }

  evaluate(dataset: TrainingData): Promise<Evaluation> {
    return this.#onDevice("evaluate", ({ evaluator }) => evaluator.evaluate(dataset));
  }

  predict(features: Uint8Array | Float32Array): Promise<Float32Array> {
    return this.#onDevice("predict", ({ evaluator }) => evaluator.predict(features));
  }

  snapshot(): Promise<Snapshot> {
    return this.#onDevice("snapshot", () => this.takeSnapshot());
  }

  async takeSnapshot(): Promise<Snapshot> {
    const { session, runner } = this.#placed;
    const step = this.#step;
    const known = this.#fitting ? undefined : this.unreported;
    const reads = [readAll(session, this.#plan.model.parameters), readAll(session, runner.states)] as const;
    const [parameters, optimizer] = await Promise.all(reads);
    return { step, parameters, optimizer, ...(known && { unreported: known }) };
  }

  async profile(): Promise<number[]> {
    this.#requireLive("profile");
    this.#requireIdle("profile");
    await this.#recovery;
    const { profile } = this.#placed.runner;
    if (!profile) {
      const what = "this backend times no single dispatch of such a step";
      throw new DeviceError({ where: "profile", what, fix: "Use a GPU, and a batch that it takes at once" });
    }
    const last = ++this.#step;
    try {
      const nanoseconds = await profile(last - 1);
      this.#finished = Math.max(this.#finished, last);
      return nanoseconds;
    } catch (failure) {
      this.#step = last - 1;
      this.#requireLive("profile");
      throw failure;
    }
  }

  restore(snapshot: Snapshot): void {
    this.#requireLive("restore");
    this.#requireIdle("restore");
    requireSnapshot("restore", snapshot, this.#plan.stepsTotal);
    if (this.#recovery) {
      const fix = "Wait for evaluate, predict or snapshot first";
      throw new OptionError({ where: "restore", what: "a lost device is being replaced", fix });
    }
    writeSnapshot(this.#plan, this.#placed, snapshot);
    this.#step = this.#finished = snapshot.step;
    this.#rewinds++;
    this.unreported = snapshot.unreported ?? nothingUnreported;
    this.#rateFactor = rateFactorOf(snapshot.optimizer);
    [this.#kept, this.#keptAt] = [snapshot, performance.now()];
  }

  get disposed(): boolean {
    return this.#disposed;
  }

  dispose(): void {
    this.#disposed = true;
    this.#placed.session.dispose();
  }

  #requireLive(where: string): void {
    if (!this.#disposed) return;
    throw new OptionError({ where, what: "this trainer was disposed of", fix: "Create another one; resumeFrom goes on from a snapshot" });
  }

  #requireIdle(where: string): void {
    if (!this.#fitting) return;
    throw new OptionError({ where, what: "this trainer is already training", fix: "Finish or leave the other loop first" });
  }

  /** Works on the device, and once more where it is lost meanwhile. */
  async #onDevice<Result>(where: string, work: (placed: Placed) => Promise<Result>): Promise<Result> {
    for (;;) {
      this.#requireLive(where);
      if (this.#recovery) await this.#recovery;
      const generation = this.#generation;
      try {
        const result = await work(this.#placed);
        this.#requireLive(where);
        return result;
      } catch (failure) {
        this.#requireLive(where);
        await this.recover(failure, generation);
      }
    }
  }

  /** Takes a snapshot for `recover` now and then, in the stream of commands and without waiting for it. */
  #keepSnapshot(): void {
    const now = performance.now();
    if (now - this.#keptAt < 1000 * this.#plan.snapshotSeconds) return;
    this.#keptAt = now;
    const rewinds = this.#rewinds;
    void this.takeSnapshot().then(
      (snapshot) => {
        if (rewinds === this.#rewinds && snapshot.step <= this.#finished && !holdsStop(snapshot.optimizer)) this.#kept = snapshot;
      },
      // A lost device fails the steps as well, which is where it is heard.
      () => {},
    );
  }

  async #replaceDevice(failure: DeviceLostError): Promise<void> {
    // Which steps are finished is known once everything that was submitted to the lost device has failed or arrived.
    await Promise.allSettled(this.#running);
    const now = performance.now();
    if (now - this.#lostAt < LOST_AGAIN_MILLISECONDS) throw lostTwice(failure);
    const { backend, onRecovery } = this.#plan;
    this.#placed.session.dispose();
    await backend.restart();
    this.#lostAt = now;
    const kept = this.#kept;
    const [fromStep, toStep] = [kept?.step ?? 0, this.#finished];
    try {
      const placed = await placeOnDevice(this.#plan, kept);
      if (this.#disposed) return placed.session.dispose();
      this.#placed = placed;
      this.#generation++;
      this.#step = fromStep;
      while (this.#step < toStep) await this.submit(Math.min(REPEATED_STEPS, this.stepsAllowed, toStep - this.#step));
    } catch (again) {
      // Whoever waits for the device says that the trainer was disposed of.
      if (this.#disposed) return;
      throw again instanceof DeviceLostError ? lostTwice(again) : again;
    }
    onRecovery({ reason: failure.what, fromStep, toStep });
  }
}

function lostTwice(failure: DeviceLostError): DeviceLostError {
  const { where, what } = failure;
  const fix = "Update the GPU's driver, train a smaller network, or train on the CPU";
  return new DeviceLostError({ ...(where && { where }), what: `${what}, twice within a minute`, fix }, { cause: failure });
}
