import type { SkippedStep, TrainingProgress } from "../progress.ts";
import type { FinishedStep, Run } from "./run.ts";

/** Makes the events of one call of fit: from the sums of the run, and from the speed of this call. */
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

  /** Takes note of when the steps up to `lastStep` were finished. */
  timed(lastStep: number, finished: number): void {
    this.#lastStep = lastStep;
    this.#seconds = (finished - this.#started) / 1000;
  }

  /**
   * Takes note of the metrics of a finished step.
   * @throws DivergedError where the step was not finite and that ends the run
   */
  add(finished: FinishedStep): void {
    if (finished.fault > 0) this.#skipped.push(this.#run.leaveOut(finished));
    this.#run.addUnreported(finished);
  }

  /** Describes the steps since the event before. The next event begins after them. */
  event(step: number): TrainingProgress {
    const event = this.#describe(step);
    this.#run.clearUnreported();
    this.#skipped = [];
    return event;
  }

  /** Describes the steps since the event before. The next event describes them again. */
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
      epoch: Math.ceil(step / stepsPerEpoch),
      epochs,
      loss: unreported.loss / unreported.steps,
      accuracy: unreported.correct / (unreported.steps * batchSize),
      ...(plan.step.gradientNorm && { gradientNorm: unreported.gradientNorm / unreported.steps }),
      learningRate: this.#run.learningRateOf(step),
      skipped: this.#skipped,
      seconds: this.#seconds,
      examplesPerSecond: ((this.#lastStep - this.#firstStep) * batchSize) / this.#seconds,
    };
  }
}
