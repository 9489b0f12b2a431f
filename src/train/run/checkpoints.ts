/*
 * Snapshots of a run for keeping, taken in the stream of commands while training goes on. What is kept at a step belongs
 * to exactly that step: the values as it left them, and the sums that the next event will go on from.
 */
import { DeviceLostError, OptionError } from "../../errors.ts";
import { requireCount, requirePositive } from "../../nn/checks.ts";
import type { Snapshot } from "../snapshot.ts";
import type { DeviceRecovery } from "./recovery.ts";
import type { Run } from "./run.ts";

/** All that a run goes on from, as if it had never stopped. */
export type Checkpoint = Required<Snapshot>;

/** When checkpoints are taken, besides the one at the end, and what becomes of them. */
export interface CheckpointOptions {
  /** After every so many steps, at their multiples; either this or `everySeconds`. */
  readonly everySteps?: number;
  /** After so many seconds, at the end of the submit that then ends; above 0. */
  readonly everySeconds?: number;
  /**
   * Keeps a checkpoint, after the event of its step was looked at. Training goes on meanwhile; it waits only where the
   * next checkpoint comes before this one is kept. What it throws ends `fit`.
   */
  save(checkpoint: Checkpoint): Promise<void>;
}

/** @throws OptionError */
export function requireCheckpointOptions({ everySteps, everySeconds }: CheckpointOptions): void {
  if ((everySteps === undefined) === (everySeconds === undefined)) {
    const what = "there must be one of everySteps and everySeconds";
    throw new OptionError({ where: "fit checkpoint", what, fix: "Give either a number of steps or of seconds" });
  }
  if (everySteps !== undefined) requireCount("fit checkpoint everySteps", everySteps);
  if (everySeconds !== undefined) requirePositive("fit checkpoint everySeconds", everySeconds);
}

/** Takes the checkpoints of one call of fit. */
export class CheckpointTaker {
  readonly #run: Run;
  readonly #recovery: DeviceRecovery;
  readonly #options: CheckpointOptions | undefined;
  /** Snapshots that were asked for, by their steps. The metrics of these steps have not arrived. */
  readonly #asked = new Map<number, Promise<Snapshot>>();
  #saving: Promise<void> = Promise.resolve();
  #lastStep: number;
  #lastTime = performance.now();

  constructor(run: Run, recovery: DeviceRecovery, options: CheckpointOptions | undefined) {
    this.#run = run;
    this.#recovery = recovery;
    this.#options = options;
    this.#lastStep = run.step;
  }

  /** The most steps that the next submit may hold, so that it ends where a checkpoint is due. */
  get stepsAllowed(): number {
    const { everySteps = Infinity } = this.#options ?? {};
    return everySteps - (this.#run.step % everySteps);
  }

  /** After each submit: asks for a snapshot where one is due. */
  submitted(): void {
    if (!this.#isDue()) return;
    const { step } = this.#run;
    const asked = this.#run.takeSnapshot();
    // Where the device is lost the steps fail as well, and the loop handles that.
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

  /** Whether a snapshot was asked for at a step. */
  isAskedAt(step: number): boolean {
    return this.#asked.has(step);
  }

  /** After the event of a step, if it had one: keeps the snapshot that was asked for there. */
  async reached(step: number): Promise<void> {
    const { unreported } = this.#run;
    const asked = this.#asked.get(step)!;
    this.#asked.delete(step);
    await this.#saving;
    this.#saving = asked.then(
      (snapshot) => this.#options!.save({ ...snapshot, unreported }),
      (failure: unknown) => this.#leaveOut(step, failure),
    );
    // A failure is thrown where the result is awaited.
    this.#saving.catch(() => {});
  }

  /** The step is finished and is not repeated by the loop, so a snapshot that was lost with its device is left out. */
  #leaveOut(step: number, failure: unknown): void {
    if (!(failure instanceof DeviceLostError)) throw failure;
    this.#lastStep = Math.min(this.#lastStep, step - 1);
  }

  /** Forgets what was asked of a device that is gone. The loop submits the later steps again. */
  forget(): void {
    this.#asked.clear();
    this.#lastStep = Math.min(this.#lastStep, this.#run.step);
  }

  /** Keeps the state at the end of the call, and waits until it is kept. */
  async finish(): Promise<void> {
    const { step, unreported } = this.#run;
    await this.#saving;
    if (!this.#options || step === this.#lastStep) return;
    await this.#options.save({ ...(await this.#recovery.takeSnapshot()), unreported });
  }

  /** Waits for what is being kept, whether that fails or not. */
  async settled(): Promise<void> {
    await Promise.allSettled([this.#saving]);
  }
}
