import type { FitOptions } from "../fit-options.ts";
import { SubmitPace, type SubmitTimes } from "../pace.ts";
import { mapped } from "../snapshot.ts";
import type { StepMetrics } from "../step/runner.ts";
import type { CheckpointTaker } from "./checkpoints.ts";
import type { DeviceRecovery } from "./recovery.ts";
import type { FinishedStep, Run } from "./run.ts";

/** The maximum number of submits in flight: one runs while the next is prepared. */
const MOST_IN_FLIGHT = 2;

interface Submit {
  /** The number of the first step, counted from 0. */
  readonly first: number;
  readonly steps: number;
  /** The generation of the device that it was submitted to. */
  readonly generation: number;
  readonly times: Omit<SubmitTimes, "finished">;
  readonly metrics: Promise<StepMetrics>;
}

/** When submits end. */
export interface SubmitOptions extends Pick<
  FitOptions,
  "pauseEvery" | "stepsPerSubmit" | "submitMilliseconds" | "signal"
> {
  /** The last step to submit. */
  readonly end: number;
}

/** The submits that are in flight. */
export class SubmitQueue {
  readonly #run: Run;
  readonly #recovery: DeviceRecovery;
  readonly #checkpoints: CheckpointTaker;
  readonly #options: SubmitOptions;
  readonly #pauseEvery: readonly number[];
  readonly #pace: SubmitPace;
  readonly #inFlight: Submit[] = [];

  constructor(run: Run, recovery: DeviceRecovery, checkpoints: CheckpointTaker, options: SubmitOptions) {
    this.#run = run;
    this.#recovery = recovery;
    this.#checkpoints = checkpoints;
    this.#options = options;
    this.#pauseEvery = [options.pauseEvery ?? Infinity].flat();
    this.#pace = new SubmitPace(options.submitMilliseconds);
  }

  /** Whether a submit is in flight, or another one may be made. */
  get hasWork(): boolean {
    return this.#inFlight.length > 0 || this.#goesOn;
  }

  /** Whether training waits for the caller after this step. */
  isPause(step: number): boolean {
    return this.#pauseEvery.some((steps) => step % steps === 0);
  }

  get #goesOn(): boolean {
    const { end, signal } = this.#options;
    return this.#run.step < end && !signal?.aborted && !this.#run.isDisposed;
  }

  /** Waits for the examples of the next step, if nothing is in flight; undefined if there is nothing to wait for. */
  waitForExamples(): Promise<void> | undefined {
    if (this.#inFlight.length > 0 || !this.#goesOn) return undefined;
    const { signal } = this.#options;
    const arrival = this.#run.ready();
    return arrival && signal ? untilAborted(arrival, signal) : arrival;
  }

  /** Submits until the maximum is in flight, or until examples are missing. */
  fill(): void {
    const { generation } = this.#run;
    // Submits to a lost device are settled first.
    if (this.#inFlight.some((submit) => submit.generation !== generation)) return;
    while (this.#inFlight.length < MOST_IN_FLIGHT && this.#goesOn && this.#run.stepsAllowed > 0) {
      if (this.#inFlight.length > 0 && this.isPause(this.#run.step)) return;
      this.#inFlight.push(this.#submitNext());
      this.#checkpoints.submitted();
    }
  }

  #submitNext(): Submit {
    const { step: first, generation } = this.#run;
    const steps = this.#nextSteps(first);
    const submitted = performance.now();
    const metrics = this.#run.submit(steps);
    // The error is thrown where the result is awaited, which may be after the caller's own work. Until then it must not
    // count as an unhandled rejection.
    metrics.catch(() => {});
    return { first, steps, generation, times: { submitted, returned: performance.now() }, metrics };
  }

  #nextSteps(first: number): number {
    const untilPause = Math.min(...this.#pauseEvery.map((steps) => steps - (first % steps)));
    const wanted = this.#options.stepsPerSubmit ?? this.#pace.steps;
    return Math.min(
      wanted,
      this.#options.end - first,
      untilPause,
      this.#checkpoints.stepsAllowed,
      this.#run.stepsAllowed,
    );
  }

  /**
   * Waits for the oldest submit.
   * @returns its steps and when they were finished; undefined if nothing is in flight: nothing was, the device was lost
   * and replaced, or the trainer was disposed of
   */
  async takeOldest(): Promise<{ steps: FinishedStep[]; finished: number } | undefined> {
    const oldest = this.#inFlight[0];
    if (!oldest) return undefined;
    const { first, steps, generation, times } = oldest;
    let metrics: StepMetrics;
    try {
      metrics = await oldest.metrics;
    } catch (failure) {
      await this.#recover(failure, generation);
      return undefined;
    }
    this.#inFlight.shift();
    const finished = performance.now();
    this.#pace.record(steps, { ...times, finished });
    return { steps: stepsOf(first, metrics), finished };
  }

  async #recover(failure: unknown, generation: number): Promise<void> {
    await Promise.allSettled(this.#inFlight.splice(0).map(({ metrics }) => metrics));
    if (this.#run.isDisposed) return;
    await this.#recovery.recover(failure, generation);
    this.#checkpoints.forget();
  }

  /** Waits for everything in flight. @returns the steps that finished */
  async drain(): Promise<FinishedStep[]> {
    const left = await Promise.allSettled(
      this.#inFlight.map(async ({ first, metrics }) => stepsOf(first, await metrics)),
    );
    return left.flatMap((result) => (result.status === "fulfilled" ? result.value : []));
  }
}

async function untilAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  let stop = () => {};
  const aborted = new Promise<void>((resolve) => (stop = resolve));
  signal.addEventListener("abort", stop);
  try {
    await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

function stepsOf(first: number, { losses, correct, faults, gradientNorms, metrics }: StepMetrics): FinishedStep[] {
  return Array.from(losses, (loss, position) => ({
    step: first + position + 1,
    loss,
    correct: correct?.[position] ?? NaN,
    gradientNorm: gradientNorms?.[position] ?? NaN,
    fault: faults?.[position] ?? 0,
    metrics: metrics && mapped(metrics, (values) => values[position]!),
  }));
}
