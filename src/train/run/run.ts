/*
 * The state of a training run: its step, the metrics not yet reported, its session on the device, and the snapshot that
 * it goes back to if the device is lost. The loop, events, checkpoints and recovery use it; it knows none of them.
 */
import { DivergedError, OptionError } from "../../errors.ts";
import { isReader } from "../feed/feed.ts";
import { faultText, holdsStop, isStopped, placeOfFault, rateFactorOf } from "../guard.ts";
import { storedLeaves } from "../../nn/sequential.ts";
import { rateOf, type TrainingPlan } from "../plan.ts";
import type { SkippedStep } from "../progress.ts";
import { mapped, nothingUnreported, readAll, type Snapshot, type Unreported } from "../snapshot.ts";
import type { StepMetrics } from "../step/runner.ts";
import { placeOnDevice, writeSnapshot, type Placement } from "./placement.ts";

/** The metrics of one step. */
export interface FinishedStep {
  /** Counted from 1. */
  readonly step: number;
  readonly loss: number;
  /** The number of correct predictions; NaN for regression. */
  readonly correct: number;
  /** NaN if it is not measured. */
  readonly gradientNorm: number;
  /** Above 0 if the step was skipped, see `placeOfFault`. */
  readonly fault: number;
  /** The metrics of the user, if there are any. */
  readonly metrics: Readonly<Record<string, number>> | undefined;
}

/** Owns the state of a run. */
export class Run {
  readonly plan: TrainingPlan;
  /** Whether a loop is submitting steps. The sums in `unreported` then belong to an earlier step than `step`. */
  isFitting = false;
  #placement: Placement;
  #generation = 0;
  #step: number;
  #finished: number;
  /** How often the run was moved to another step, by `restore` or by a step that stopped it. */
  #rewinds = 0;
  #unreported: Unreported;
  #rateFactor: number;
  #kept: Snapshot | undefined;
  #keptAt = performance.now();
  #isDisposed = false;
  /** Submits whose metrics have not arrived. */
  readonly #running = new Set<Promise<StepMetrics>>();

  /** Creates a run on the plan's backend, starting at the snapshot that the plan resumes from. */
  static async create(plan: TrainingPlan): Promise<Run> {
    try {
      return new Run(plan, await placeOnDevice(plan, plan.resumeFrom));
    } catch (error) {
      if (isReader(plan.data.source)) plan.data.source.close();
      throw error;
    }
  }

  private constructor(plan: TrainingPlan, placement: Placement) {
    const { resumeFrom } = plan;
    this.plan = plan;
    this.#placement = placement;
    this.#kept = resumeFrom;
    this.#step = this.#finished = resumeFrom?.step ?? 0;
    this.#unreported = resumeFrom?.unreported ?? nothingUnreported;
    this.#rateFactor = rateFactorOf(resumeFrom?.optimizer);
  }

  get placement(): Placement {
    return this.#placement;
  }

  /** How often a lost device was replaced. Work that fails on an earlier device does not need a new one. */
  get generation(): number {
    return this.#generation;
  }

  /** Number of steps submitted so far. */
  get step(): number {
    return this.#step;
  }

  /** Number of steps whose metrics have arrived. */
  get finished(): number {
    return this.#finished;
  }

  /** Sums over the finished steps that no event has reported yet. */
  get unreported(): Unreported {
    return this.#unreported;
  }

  /** The snapshot that recovery starts from; undefined for the initial values. */
  get kept(): Snapshot | undefined {
    return this.#kept;
  }

  get isDisposed(): boolean {
    return this.#isDisposed;
  }

  /** The maximum number of steps in one submit now. */
  get stepsAllowed(): number {
    return this.#placement.feed.stepsAllowed(this.plan.places.dataStep(this.#step));
  }

  /** Waits until the examples of the next step have arrived; undefined if they have. */
  ready(): Promise<void> | undefined {
    return this.#placement.feed.ready(this.plan.places.dataStep(this.#step));
  }

  /** The learning rate of a step, counted from 1, including the halvings by skipped steps. */
  learningRateOf(step: number): number {
    return rateOf(this.plan, step - 1) * this.#rateFactor;
  }

  /** Submits the next steps. They are queued before the call returns. */
  async submit(steps: number): Promise<StepMetrics> {
    this.#keepSnapshot();
    const running = this.#placement.runner.run(this.#step, steps);
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

  /**
   * Runs the next step with a function that receives its number, counted from 0. If it fails, the step does not count.
   */
  async makeStep<Result>(work: (step: number) => Promise<Result>): Promise<Result> {
    const last = ++this.#step;
    try {
      const result = await work(last - 1);
      this.#finished = Math.max(this.#finished, last);
      return result;
    } catch (failure) {
      this.#step = last - 1;
      throw failure;
    }
  }

  /** Waits until everything that was submitted has arrived or failed. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#running);
  }

  /** Adds the metrics of a finished step to the sums for the next event. */
  addUnreported({ loss, correct, gradientNorm, metrics }: FinishedStep): void {
    const before = this.#unreported;
    this.#unreported = {
      steps: before.steps + 1,
      loss: before.loss + loss,
      correct: before.correct + correct,
      gradientNorm: this.plan.step.gradientNorm ? before.gradientNorm + gradientNorm : before.gradientNorm,
      ...(metrics && { metrics: mapped(metrics, (value, name) => (before.metrics?.[name] ?? 0) + value) }),
    };
  }

  /** Resets the sums after an event. */
  clearUnreported(): void {
    this.#unreported = nothingUnreported;
  }

  /**
   * Handles a step that was NaN or infinite and changed no parameter.
   * @throws DivergedError if it ends the run, which is then before this step
   */
  leaveOut({ step, fault }: FinishedStep): SkippedStep {
    const {
      model,
      step: { onNonFinite },
    } = this.plan;
    const skipped = { step, place: placeOfFault(fault, model.packed), learningRate: this.learningRateOf(step) };
    if (onNonFinite === "halve") this.#rateFactor /= 2;
    if (onNonFinite === "stop") this.#stopBefore(skipped);
    return skipped;
  }

  #stopBefore({ step, place, learningRate }: SkippedStep): never {
    // Later steps that were already submitted changed nothing either. They are submitted again when the run continues.
    this.#moveTo(step - 1);
    const { session, runner } = this.#placement;
    session.write(runner.states.find(isStopped)!, Float32Array.of(0));
    throw new DivergedError(step, {
      where: `step ${step}`,
      what: `${faultText(place)}, at learning rate ${learningRate}`,
      fix: "Use a smaller learning rate, clip the gradient, or look for values in the data that are far too large",
    });
  }

  /** The state after the steps submitted so far. The reads are queued at once, so later steps do not change it. */
  async takeSnapshot(): Promise<Snapshot> {
    const { session, runner } = this.#placement;
    const step = this.#step;
    const unreported = this.isFitting ? undefined : this.#unreported;
    const reads = [readAll(session, storedLeaves(this.plan.model.model)), readAll(session, runner.states)] as const;
    const { source } = this.plan.data;
    const stream = isReader(source) ? source.positionAt(this.plan.places.dataStep(step)) : undefined;
    const [parameters, optimizer] = await Promise.all(reads);
    return { step, parameters, optimizer, ...(stream !== undefined && { stream }), ...(unreported && { unreported }) };
  }

  /** Moves the run to a snapshot. @throws OptionError for a snapshot of other parameters or states */
  restore(snapshot: Snapshot): void {
    const { source } = this.plan.data;
    if (isReader(source)) {
      source.remember(snapshot.step, snapshot.stream);
      if (snapshot.step !== this.#step) source.requireReturn(snapshot.step);
    }
    writeSnapshot(this.plan, this.#placement, snapshot);
    this.#moveTo(snapshot.step);
    this.#unreported = snapshot.unreported ?? nothingUnreported;
    this.#rateFactor = rateFactorOf(snapshot.optimizer);
    this.keep(snapshot);
  }

  /** Makes a snapshot of the current step the one that recovery starts from. */
  keep(snapshot: Snapshot): void {
    [this.#kept, this.#keptAt] = [snapshot, performance.now()];
  }

  #moveTo(step: number): void {
    this.#step = this.#finished = step;
    this.#rewinds++;
  }

  /** Continues after a step on another device. Steps that had finished still count as finished. */
  replacePlacement(placement: Placement, step: number): void {
    // Not before: if there were no other placement, calls would fail because of the session, and not of its device.
    this.#placement.session.dispose();
    this.#placement = placement;
    this.#generation++;
    this.#step = step;
  }

  /** Takes a snapshot every `snapshotSeconds`, without waiting for it. */
  #keepSnapshot(): void {
    const now = performance.now();
    if (now - this.#keptAt < 1000 * this.plan.recovery.snapshotSeconds) return;
    this.#keptAt = now;
    const rewinds = this.#rewinds;
    void this.takeSnapshot().then(
      (snapshot) => {
        const isLater = snapshot.step >= (this.#kept?.step ?? 0) && snapshot.step <= this.#finished;
        if (rewinds === this.#rewinds && isLater && !holdsStop(snapshot.optimizer)) this.#kept = snapshot;
      },
      // If the device is lost, the steps fail as well, and the loop handles that.
      () => {},
    );
  }

  dispose(): void {
    this.#isDisposed = true;
    this.#placement.feed.dispose();
    this.#placement.session.dispose();
  }

  /** @throws OptionError after `dispose` */
  requireLive(where: string): void {
    if (!this.#isDisposed) return;
    throw new OptionError({
      where,
      what: "this trainer was disposed of",
      fix: "Create another trainer; resumeFrom continues from a snapshot",
    });
  }

  /** @throws OptionError while a loop submits steps */
  requireIdle(where: string): void {
    if (!this.isFitting) return;
    throw new OptionError({
      where,
      what: "this trainer is already training",
      fix: "Finish or leave the other loop first",
    });
  }
}
