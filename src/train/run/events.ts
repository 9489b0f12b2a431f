import type { SkippedStep, TrainingProgress } from "../progress.ts";
import { mapped } from "../snapshot.ts";
import type { FinishedStep, Run } from "./run.ts";

/** Makes the events of one call of `fit` from the sums of the run and the speed of this call. */
export class EventReporter {
  readonly #run: Run;
  readonly #firstStep: number;
  readonly #started = performance.now();
  #lastStep: number;
  #seconds = 0;
  #skipped: SkippedStep[] = [];

  constructor(run: Run) {
    this.#run = run;
    this.#firstStep = this.#lastStep = run.step;
  }

  /** Records when the steps up to `lastStep` were finished. */
  timed(lastStep: number, finished: number): void {
    this.#lastStep = lastStep;
    this.#seconds = (finished - this.#started) / 1000;
  }

  /**
   * Adds the metrics of a finished step.
   * @throws DivergedError if the step's loss or gradient was NaN or infinite and `onNonFinite` is "stop"
   */
  add(finished: FinishedStep): void {
    if (finished.fault > 0) this.#skipped.push(this.#run.leaveOut(finished));
    this.#run.addUnreported(finished);
  }

  /** The event for the steps since the previous event. It resets the sums. */
  event(step: number): TrainingProgress {
    const event = this.#describe(step);
    this.#run.clearUnreported();
    this.#skipped = [];
    return event;
  }

  /** The event for the steps since the previous event. The next event covers them again. */
  interimEvent(step: number): TrainingProgress {
    return { ...this.#describe(step), interim: true };
  }

  #describe(step: number): TrainingProgress {
    const { unreported, plan } = this.#run;
    const { batchSize, stepsPerEpoch } = plan.data;
    const { totalSteps, epochs } = plan.schedule;
    return {
      step,
      totalSteps,
      epoch: Math.ceil((plan.places.dataStep(step - 1) + 1) / stepsPerEpoch),
      epochs,
      loss: unreported.loss / unreported.steps,
      accuracy: unreported.correct / (unreported.steps * batchSize),
      ...(plan.step.gradientNorm && { gradientNorm: unreported.gradientNorm / unreported.steps }),
      ...(unreported.metrics && { metrics: mapped(unreported.metrics, (sum) => sum / unreported.steps) }),
      learningRate: this.#run.learningRateOf(step),
      skipped: this.#skipped,
      seconds: this.#seconds,
      examplesPerSecond: ((this.#lastStep - this.#firstStep) * batchSize) / this.#seconds,
    };
  }
}
