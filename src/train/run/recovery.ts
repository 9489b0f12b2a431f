/*
 * Replaces a lost device: opens another one, goes back to the last snapshot in memory, and repeats the steps since
 * then. The repeated steps give bit-identical results and are not reported again.
 */
import { DeviceLostError } from "../../errors.ts";
import { isReader } from "../feed/feed.ts";
import type { Snapshot } from "../snapshot.ts";
import { placeOnDevice, type Placement } from "./placement.ts";
import type { Run } from "./run.ts";

/** If the device is lost again within this time, recovery fails. */
const LOST_AGAIN_MILLISECONDS = 60_000;

/** Steps per submit while finished steps are repeated. These submits are not measured. */
const REPEATED_STEPS = 32;

/** Recovers a run from the loss of its device. */
export class DeviceRecovery {
  readonly #run: Run;
  /** The last loss, unless replacing the device failed for another reason: then the next call tries again. */
  #last: { readonly at: number; readonly what: string } | undefined;
  #pending: Promise<void> | undefined;

  constructor(run: Run) {
    this.#run = run;
  }

  /** Settles when a lost device has been replaced; undefined if none is being replaced. */
  get pending(): Promise<void> | undefined {
    return this.#pending;
  }

  /**
   * Called after work failed: if the device was lost, opens another one, unless that has been done already, and repeats
   * the run up to the last finished step.
   * @param generation the generation of the device when the work was submitted
   * @throws the failure itself if it has another reason
   */
  async recover(failure: unknown, generation: number): Promise<void> {
    // Work of a session that is being replaced, or was replaced, fails in many ways and needs no other device.
    if (generation === this.#run.generation && !this.#pending) {
      if (!(failure instanceof DeviceLostError)) throw failure;
      this.#pending = this.#replaceDevice(failure).finally(() => (this.#pending = undefined));
    }
    await this.#pending;
  }

  /** Runs work on the device, and repeats it once if the device is lost. */
  async onDevice<Result>(where: string, work: (placement: Placement) => Promise<Result>): Promise<Result> {
    const run = this.#run;
    for (;;) {
      run.requireLive(where);
      if (this.#pending) await this.#pending;
      const { generation } = run;
      try {
        const result = await work(run.placement);
        run.requireLive(where);
        return result;
      } catch (failure) {
        run.requireLive(where);
        await this.recover(failure, generation);
      }
    }
  }

  /** The state of the run after the steps submitted so far. */
  takeSnapshot(): Promise<Snapshot> {
    return this.onDevice("snapshot", () => this.#run.takeSnapshot());
  }

  async #replaceDevice(failure: DeviceLostError): Promise<void> {
    const run = this.#run;
    // The number of finished steps is known only when all work submitted to the lost device has arrived or failed.
    await run.settled();
    const now = performance.now();
    if (this.#last && now - this.#last.at < LOST_AGAIN_MILLISECONDS) throw lostTwice(failure, this.#last.what);
    const { backend, data, recovery } = run.plan;
    const { source } = data;
    if (isReader(source) && !source.isRepeatable) throw notRepeatable(failure, source.stream.name);
    await backend.restart();
    this.#last = { at: now, what: failure.what };
    const { kept } = run;
    const [fromStep, toStep] = [kept?.step ?? 0, run.finished];
    try {
      const placement = await placeOnDevice(run.plan, kept);
      if (run.isDisposed) return placement.session.dispose();
      run.replacePlacement(placement, fromStep);
      while (run.step < toStep) {
        await run.ready();
        await run.submit(Math.min(REPEATED_STEPS, run.stepsAllowed, toStep - run.step));
      }
    } catch (again) {
      // The caller that waits for the device reports that the trainer was disposed of.
      if (run.isDisposed) return;
      if (again instanceof DeviceLostError) throw lostTwice(again, failure.what);
      this.#last = undefined;
      throw again;
    }
    recovery.onRecovery({ reason: failure.what, fromStep, toStep });
  }
}

function notRepeatable(failure: DeviceLostError, stream: string): DeviceLostError {
  const what = `${failure.what}, and the steps cannot be repeated: ${stream} can only be read once`;
  const fix =
    "Give the stream's batches as a function (fromStep, batchSize) => batches, or with saveState and restoreState";
  return new DeviceLostError({ where: failure.where, what, fix }, { cause: failure });
}

/** @param before what was wrong the first time */
function lostTwice(failure: DeviceLostError, before: string): DeviceLostError {
  const { where, what } = failure;
  const first = before === what ? "" : `; the first time, ${before}`;
  const fix = "Update the GPU's driver, train a smaller network, or train on the CPU";
  return new DeviceLostError({ where, what: `${what}, twice within a minute${first}`, fix }, { cause: failure });
}
