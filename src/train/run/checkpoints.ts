/*
 * Checkpoints: snapshots of a run that are saved while training continues. A checkpoint belongs to exactly one step: it
 * has the values after that step and the metrics that no event has reported yet.
 */
import { DeviceLostError, OptionError } from "../../errors.ts";
import { requireCount, requirePositive } from "../../nn/checks.ts";
import type { Snapshot } from "../snapshot.ts";
import type { DeviceRecovery } from "./recovery.ts";
import type { Run } from "./run.ts";

/** Everything needed to continue a run as if it had never stopped. */
export type Checkpoint = Snapshot & Required<Pick<Snapshot, "unreported">>;

/** When checkpoints are taken, besides the one at the end, and how they are saved. */
export interface CheckpointOptions {
  /** Takes a checkpoint at every multiple of this number of steps. Give either this or `everySeconds`. */
  readonly everySteps?: number;
  /** Takes a checkpoint after this number of seconds, above 0, at the end of the current submit. */
  readonly everySeconds?: number;
  /**
   * Saves a checkpoint. It is called after the event of the checkpoint's step was handled. If it returns a promise,
   * training continues meanwhile, and waits only if the next checkpoint is due before the promise is settled; `fit` ends
   * after it. An error that `save` throws, or with which its promise rejects, ends `fit`.
   */
  save(checkpoint: Checkpoint): unknown;
}

/** @throws OptionError */
export function requireCheckpointOptions({ everySteps, everySeconds }: CheckpointOptions): void {
  if ((everySteps === undefined) === (everySeconds === undefined)) {
    const what = "either everySteps or everySeconds must be given";
    throw new OptionError({ where: "fit checkpoint", what, fix: "Give one of them" });
  }
  if (everySteps !== undefined) requireCount("fit checkpoint everySteps", everySteps);
  if (everySeconds !== undefined) requirePositive("fit checkpoint everySeconds", everySeconds);
}

/** Takes the checkpoints of one call of `fit`. */
export class CheckpointTaker {
  readonly #run: Run;
  readonly #recovery: DeviceRecovery;
  readonly #options: CheckpointOptions | undefined;
  /** Requested snapshots by step, for steps whose metrics have not arrived yet. */
  readonly #asked = new Map<number, Promise<Snapshot>>();
  #saving: Promise<unknown> = Promise.resolve();
  #lastStep: number;
  #lastTime = performance.now();

  constructor(run: Run, recovery: DeviceRecovery, options: CheckpointOptions | undefined) {
    this.#run = run;
    this.#recovery = recovery;
    this.#options = options;
    this.#lastStep = run.step;
  }

  /** The maximum number of steps in the next submit, so that it ends where a checkpoint is due. */
  get stepsAllowed(): number {
    const { everySteps = Infinity } = this.#options ?? {};
    return everySteps - (this.#run.step % everySteps);
  }

  /** Called after each submit: requests a snapshot if one is due. */
  submitted(): void {
    if (!this.#isDue()) return;
    const { step } = this.#run;
    const asked = this.#run.takeSnapshot();
    // If the device is lost, the steps fail as well, and the loop handles that.
    asked.catch(() => {});
    this.#asked.set(step, asked);
    [this.#lastStep, this.#lastTime] = [step, performance.now()];
  }

  #isDue(): boolean {
    if (!this.#options) return false;
    const { everySteps, everySeconds } = this.#options;
    if (everySteps !== undefined) return this.#run.step % everySteps === 0;
    return performance.now() - this.#lastTime >= 1000 * everySeconds!;
  }

  /** Whether a snapshot was requested at a step. */
  isAskedAt(step: number): boolean {
    return this.#asked.has(step);
  }

  /** Called after the event of a step, if it had one: saves the snapshot that was requested there. */
  async reached(step: number): Promise<void> {
    const { unreported } = this.#run;
    const asked = this.#asked.get(step)!;
    this.#asked.delete(step);
    await this.#saving;
    this.#saving = asked.then(
      (snapshot) => this.#options!.save({ ...snapshot, unreported }),
      (failure: unknown) => this.#leaveOut(step, failure),
    );
    // The error is thrown where the result is awaited.
    this.#saving.catch(() => {});
  }

  /**
   * The step is finished and will not be repeated by the loop, so a snapshot that was lost with its device is dropped.
   */
  #leaveOut(step: number, failure: unknown): void {
    if (!(failure instanceof DeviceLostError)) throw failure;
    this.#lastStep = Math.min(this.#lastStep, step - 1);
  }

  /** Drops the requests to a lost device. The loop submits the later steps again. */
  forget(): void {
    this.#asked.clear();
    this.#lastStep = Math.min(this.#lastStep, this.#run.step);
  }

  /** Saves the state at the end of the call, and waits until it is saved. */
  async finish(): Promise<void> {
    const { step, unreported } = this.#run;
    await this.#saving;
    if (!this.#options || step === this.#lastStep) return;
    await this.#options.save({ ...(await this.#recovery.takeSnapshot()), unreported });
  }

  /** Waits until pending saves have finished or failed. */
  async settled(): Promise<void> {
    await Promise.allSettled([this.#saving]);
  }
}
