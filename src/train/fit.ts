import { SubmitPace, type SubmitTimes } from "./pace.ts";
import { CheckpointTaker, type CheckpointOptions } from "./checkpoints.ts";
import { placeOfFault } from "./guard.ts";
import type { TrainingPlan } from "./options.ts";
import type { Snapshot, Unreported } from "./snapshot.ts";
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
  /** The mean norm of the gradients before they are clipped, where the trainer measures it. */
  readonly gradientNorm?: number;
  /** The rate of that step. */
  readonly learningRate: number;
  /** Tells how far an aborted call got; the next call's first event tells of these steps again. */
  readonly interim?: true;
  /** Steps since the event before whose updates were left out, where that was asked for. */
  readonly skipped: readonly SkippedStep[];
  /**
   * Wall time of this call of fit, from its first submit to the last completion. Shuffling and uploads are inside, and
   * so is what the caller does between events if it holds training up.
   */
  readonly seconds: number;
  /** Examples of the finished steps of this call over `seconds`. */
  readonly imagesPerSecond: number;
}

/** A step whose loss or gradient was not finite, and which changed no parameter. */
export interface SkippedStep {
  /** Counted from 1. */
  readonly step: number;
  /** The first parameter whose gradient was not finite, or "loss". */
  readonly place: string;
  /** The rate of that step. */
  readonly learningRate: number;
}

/** How far one call of fit goes, and how often it tells. */
export interface FitOptions {
  /** Steps from one event to the next, at least 1; by default a hundredth of the run, rounded down, at least 1. */
  readonly every?: number;
  /**
   * Has the steps after each multiple of this wait for the caller, at least 1; an event comes there as well. In the loop
   * the trainer then stands at exactly that step, to be evaluated or left. Not at all by default.
   */
  readonly pauseEvery?: number;
  /** Steps to make in this call, at least 1; by default all that are left of the run. */
  readonly maxSteps?: number;
  /** Steps that one submit holds, at least 1; by default as many as take about `submitMilliseconds`, at most 256. */
  readonly stepsPerSubmit?: number;
  /** Work that one submit should hold, above 0; 100 by default. A page that must answer at once wants less. */
  readonly submitMilliseconds?: number;
  /**
   * Once aborted, nothing more is submitted: the loop ends after the events of what was in flight. The last one tells
   * how far it got; the steps since the one before are told of again by the next call's first event.
   */
  readonly signal?: AbortSignal;
  /** Hands the state of the run over now and then, and at the end of this call. */
  readonly checkpoint?: CheckpointOptions;
}

/** Puts steps into the stream of commands. */
export interface StepStream {
  /** Number of steps submitted so far. */
  readonly step: number;
  /** Whether nothing can be asked of it any more. */
  readonly disposed: boolean;
  /** Sums over finished steps that no event has told of. */
  unreported: Unreported;
  /** The most steps that one submit may hold now. */
  readonly stepsAllowed: number;
  /** Submits the next steps and returns at once. */
  submit(steps: number): Promise<StepMetrics>;
  /**
   * Where a submit failed for the loss of its device: acquires another, unless that was done already, and goes back to
   * the last step that finished.
   * @param generation that of the device at the time of the submit
   * @throws the failure itself for any other reason
   */
  recover(failure: unknown, generation: number): Promise<void>;
  /** How often a lost device was replaced. */
  readonly generation: number;
  /** Settles when a lost device is replaced; undefined while none is being replaced. */
  readonly recovery: Promise<void> | undefined;
  /**
   * Hears of a step that was left out.
   * @throws DivergedError where that ends the run; the stream then stands before the step
   */
  leaveOut(step: SkippedStep): void;
  /** The factor of the learning rate after the steps left out so far. */
  readonly rateFactor: number;
  /** The state after the steps submitted so far, asked for in the stream of commands. */
  takeSnapshot(): Promise<Snapshot>;
  /** The same, once more where the device is lost meanwhile. */
  snapshot(): Promise<Snapshot>;
}

/** At most this many submits wait or work on the device: one works while the next is prepared. */
const MOST_IN_FLIGHT = 2;

interface Submit {
  /** The number of the first step, counted from 0. */
  readonly first: number;
  readonly steps: number;
  /** That of the device it was submitted to. */
  readonly generation: number;
  readonly times: Omit<SubmitTimes, "finished">;
  readonly metrics: Promise<StepMetrics>;
}

/** A call's options, checked and with the end of its steps. */
interface StepRun extends Pick<FitOptions, "pauseEvery" | "stepsPerSubmit" | "submitMilliseconds" | "signal" | "checkpoint"> {
  readonly every: number;
  readonly end: number;
}

/**
 * Submits steps until `end` and yields an event after each step whose number is a multiple of `every`, and after the
 * last, also where that is earlier because of a signal. When the caller leaves early, it waits for what is in flight.
 */
export async function* runSteps(
  plan: TrainingPlan,
  stream: StepStream,
  { every, end, pauseEvery = Infinity, stepsPerSubmit, submitMilliseconds, signal, checkpoint }: StepRun,
): AsyncGenerator<TrainingProgress, void, undefined> {
  const pace = new SubmitPace(submitMilliseconds);
  const report = new Report(plan, stream);
  const checkpoints = new CheckpointTaker(checkpoint, stream.step);
  const isPause = (step: number) => step % pauseEvery === 0;
  const goesOn = () => stream.step < end && !signal?.aborted && !stream.disposed;
  const inFlight: Submit[] = [];
  /** Finished steps whose turn to be reported comes. */
  const arrived: FinishedStep[] = [];
  try {
    while (inFlight.length > 0 || goesOn()) {
      // A call of the caller's may have had a lost device replaced; what was in flight then is settled first.
      await stream.recovery;
      const most = inFlight.every(({ generation }) => generation === stream.generation) ? MOST_IN_FLIGHT : 0;
      while (inFlight.length < most && goesOn() && !(inFlight.length > 0 && isPause(stream.step))) {
        const untilPause = pauseEvery - (stream.step % pauseEvery);
        const allowed = Math.min(end - stream.step, untilPause, checkpoints.stepsAllowed(stream.step));
        const wanted = Math.min(stepsPerSubmit ?? pace.steps, allowed);
        inFlight.push(submitNext(stream, wanted));
        checkpoints.submitted(stream.step, () => stream.takeSnapshot());
      }
      const oldest = inFlight[0];
      if (!oldest) continue;
      const { first, steps, generation, times, metrics } = oldest;
      let finishedSteps: StepMetrics;
      try {
        finishedSteps = await metrics;
      } catch (failure) {
        await Promise.allSettled(inFlight.splice(0).map((submit) => submit.metrics));
        if (stream.disposed) return;
        await stream.recover(failure, generation);
        checkpoints.forget(stream.step);
        continue;
      }
      inFlight.shift();
      arrived.push(...stepsOf(first, finishedSteps));
      const finished = performance.now();
      pace.record(steps, { ...times, finished });
      report.finish(first + steps, finished);
      for (let next = arrived.shift(); next; next = arrived.shift()) {
        const { step } = next;
        if (next.fault > 0) report.leaveOut(next);
        report.add(next);
        if (step % every === 0 || isPause(step) || step === end) yield report.event(step);
        if (stream.disposed) return;
        if (checkpoints.isAskedAt(step)) await checkpoints.reached(step, report.unreported);
      }
    }
    await stream.recovery;
    if (stream.step < end && report.unreported.steps > 0) yield report.event(stream.step, { begin: false });
    await checkpoints.finish(stream.step, report.unreported, () => stream.snapshot());
  } finally {
    const left = await Promise.allSettled(inFlight.map(async ({ first, metrics }) => stepsOf(first, await metrics)));
    for (const result of left) if (result.status === "fulfilled") arrived.push(...result.value);
    // After a stop the stream stands before them.
    for (const finished of arrived) if (finished.step <= stream.step) report.add(finished);
    stream.unreported = report.unreported;
    await checkpoints.settled();
  }
}

interface FinishedStep {
  /** Counted from 1. */
  readonly step: number;
  readonly loss: number;
  readonly correct: number;
  readonly gradientNorm: number;
  /** Above 0 where the step was left out, see `placeOfFault`. */
  readonly fault: number;
}

function stepsOf(first: number, { losses, correct, faults, gradientNorms }: StepMetrics): FinishedStep[] {
  return Array.from(losses, (loss, position) => ({
    step: first + position + 1,
    loss,
    // Of quantities nothing is simply right.
    correct: correct?.[position] ?? NaN,
    gradientNorm: gradientNorms?.[position] ?? NaN,
    fault: faults?.[position] ?? 0,
  }));
}

function submitNext(stream: StepStream, wanted: number): Submit {
  const first = stream.step;
  const steps = Math.min(wanted, stream.stepsAllowed);
  const { generation } = stream;
  const submitted = performance.now();
  const metrics = stream.submit(steps);
  // A failure is thrown where the result is awaited, which may be after the caller's own work; until then it is no
  // unhandled rejection.
  metrics.catch(() => {});
  return { first, steps, generation, times: { submitted, returned: performance.now() }, metrics };
}

/** Sums metrics between events and measures speed. */
class Report {
  readonly #plan: TrainingPlan;
  readonly #stream: StepStream;
  readonly #firstStep: number;
  readonly #started = performance.now();
  #finishedSteps: number;
  #seconds = 0;
  #steps: number;
  #loss: number;
  #correct: number;
  #gradientNorm: number;
  #skipped: SkippedStep[] = [];

  constructor(plan: TrainingPlan, stream: StepStream) {
    const { step, unreported } = stream;
    this.#plan = plan;
    this.#stream = stream;
    this.#firstStep = step;
    this.#finishedSteps = step;
    this.#steps = unreported.steps;
    this.#loss = unreported.loss;
    this.#correct = unreported.correct;
    this.#gradientNorm = unreported.gradientNorm;
  }

  get unreported(): Unreported {
    return { steps: this.#steps, loss: this.#loss, correct: this.#correct, gradientNorm: this.#gradientNorm };
  }

  finish(steps: number, now: number): void {
    this.#finishedSteps = steps;
    this.#seconds = (now - this.#started) / 1000;
  }

  add({ loss, correct, gradientNorm }: FinishedStep): void {
    this.#steps++;
    this.#loss += loss;
    this.#correct += correct;
    if (this.#plan.gradientNorm) this.#gradientNorm += gradientNorm;
  }

  leaveOut({ step, fault }: FinishedStep): void {
    const { packed, learningRateAt } = this.#plan;
    const learningRate = learningRateAt(step - 1) * this.#stream.rateFactor;
    const skipped = { step, place: placeOfFault(fault, packed), learningRate };
    this.#skipped.push(skipped);
    this.#stream.leaveOut(skipped);
  }

  /** Describes the steps since the event before, and begins anew if asked to. */
  event(step: number, { begin = true } = {}): TrainingProgress {
    const { batch, stepsPerEpoch, stepsTotal, epochs, gradientNorm, learningRateAt } = this.#plan;
    const event = {
      step,
      stepsTotal,
      epoch: Math.ceil(step / stepsPerEpoch),
      epochs,
      loss: this.#loss / this.#steps,
      accuracy: this.#correct / (this.#steps * batch),
      ...(gradientNorm && { gradientNorm: this.#gradientNorm / this.#steps }),
      learningRate: learningRateAt(step - 1) * this.#stream.rateFactor,
      skipped: this.#skipped,
      ...(!begin && { interim: true as const }),
      seconds: this.#seconds,
      imagesPerSecond: ((this.#finishedSteps - this.#firstStep) * batch) / this.#seconds,
    };
    if (begin) {
      this.#steps = this.#loss = this.#correct = this.#gradientNorm = 0;
      this.#skipped = [];
    }
    return event;
  }
}
