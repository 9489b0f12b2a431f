import { SubmitPace, type SubmitTimes } from "./pace.ts";
import type { TrainingPlan } from "./options.ts";
import type { StepMetrics } from "./step.ts";

/** Where a run stands. Loss and accuracy are means over the steps since the event before. */
export interface TrainingProgress {
  /** The last finished step that the event describes, counted from 1. */
  readonly step: number;
  readonly stepsTotal: number;
  /** The epoch of that step, counted from 1. */
  readonly epoch: number;
  readonly epochs: number;
  /** The mean loss, as it is, also where it is not finite. */
  readonly loss: number;
  /** The share of right predictions before each step's update, in [0, 1]; NaN of quantities. */
  readonly accuracy: number;
  /** The rate of that step. */
  readonly learningRate: number;
  /**
   * Wall time of this call of fit, from its first submit to the last completion. Shuffling and uploads are inside, and
   * so is what the caller does between events if it holds training up.
   */
  readonly seconds: number;
  /** Examples of the finished steps of this call over `seconds`. */
  readonly imagesPerSecond: number;
}

/** How far one call of fit goes, and how often it tells. */
export interface FitOptions {
  /** Steps from one event to the next, at least 1; by default a hundredth of the run, rounded down, at least 1. */
  readonly every?: number;
  /** Steps to make in this call, at least 1; by default all that are left of the run. */
  readonly maxSteps?: number;
  /** Steps that one submit holds, at least 1; by default as many as take about a tenth of a second, at most 256. */
  readonly stepsPerSubmit?: number;
}

/** Puts steps into the stream of commands. */
export interface StepStream {
  /** Number of steps submitted so far. */
  readonly step: number;
  /** The most steps that one submit may hold now. */
  readonly stepsAllowed: number;
  /** Submits the next steps and returns at once. */
  submit(steps: number): Promise<StepMetrics>;
  /**
   * Where a submit failed for the loss of its device: acquires another and goes back to the last step that finished.
   * @throws the failure itself for any other reason
   */
  recover(failure: unknown): Promise<void>;
}

/** At most this many submits wait or work on the device: one works while the next is prepared. */
const MOST_IN_FLIGHT = 2;

interface Submit {
  /** The number of the first step, counted from 0. */
  readonly first: number;
  readonly steps: number;
  readonly times: Omit<SubmitTimes, "finished">;
  readonly metrics: Promise<StepMetrics>;
}

/**
 * Submits steps until `end` and yields an event after each step whose number is a multiple of `every`, and after the
 * last. When the caller leaves early, it waits for what is in flight.
 */
export async function* runSteps(
  plan: TrainingPlan,
  stream: StepStream,
  { every, end, stepsPerSubmit }: { every: number; end: number; stepsPerSubmit: number | undefined },
): AsyncGenerator<TrainingProgress, void, undefined> {
  const pace = new SubmitPace();
  const report = new Report(plan, stream.step);
  const inFlight: Submit[] = [];
  try {
    while (inFlight.length > 0 || stream.step < end) {
      while (inFlight.length < MOST_IN_FLIGHT && stream.step < end) {
        inFlight.push(submitNext(stream, Math.min(stepsPerSubmit ?? pace.steps, end - stream.step)));
      }
      const { first, steps, times, metrics } = inFlight[0]!;
      let finishedSteps: StepMetrics;
      try {
        finishedSteps = await metrics;
      } catch (failure) {
        await Promise.allSettled(inFlight.splice(0).map((submit) => submit.metrics));
        await stream.recover(failure);
        continue;
      }
      const { losses, correct } = finishedSteps;
      inFlight.shift();
      const finished = performance.now();
      pace.record(steps, { ...times, finished });
      report.finish(first + steps, finished);
      for (let position = 0; position < steps; position++) {
        const step = first + position + 1;
        report.add(losses[position]!, correct?.[position] ?? NaN);
        if (step % every === 0 || step === end) yield report.event(step);
      }
    }
  } finally {
    await Promise.allSettled(inFlight.map(({ metrics }) => metrics));
  }
}

function submitNext(stream: StepStream, wanted: number): Submit {
  const first = stream.step;
  const steps = Math.min(wanted, stream.stepsAllowed);
  const submitted = performance.now();
  const metrics = stream.submit(steps);
  // A failure is thrown where the result is awaited, which may be after the caller's own work; until then it is no
  // unhandled rejection.
  metrics.catch(() => {});
  return { first, steps, times: { submitted, returned: performance.now() }, metrics };
}

/** Sums metrics between events and measures speed. */
class Report {
  readonly #plan: TrainingPlan;
  readonly #firstStep: number;
  readonly #started = performance.now();
  #finishedSteps: number;
  #seconds = 0;
  #steps = 0;
  #loss = 0;
  #correct = 0;

  constructor(plan: TrainingPlan, firstStep: number) {
    this.#plan = plan;
    this.#firstStep = firstStep;
    this.#finishedSteps = firstStep;
  }

  finish(steps: number, now: number): void {
    this.#finishedSteps = steps;
    this.#seconds = (now - this.#started) / 1000;
  }

  add(loss: number, correct: number): void {
    this.#steps++;
    this.#loss += loss;
    this.#correct += correct;
  }

  /** Describes the steps since the event before, and begins anew. */
  event(step: number): TrainingProgress {
    const { batch, stepsPerEpoch, stepsTotal, epochs, learningRateAt } = this.#plan;
    const event = {
      step,
      stepsTotal,
      epoch: Math.ceil(step / stepsPerEpoch),
      epochs,
      loss: this.#loss / this.#steps,
      accuracy: this.#correct / (this.#steps * batch),
      learningRate: learningRateAt(step - 1),
      seconds: this.#seconds,
      imagesPerSecond: ((this.#finishedSteps - this.#firstStep) * batch) / this.#seconds,
    };
    this.#steps = this.#loss = this.#correct = 0;
    return event;
  }
}
