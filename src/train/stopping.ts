/*
 * Early stopping: training ends when the validation loss, the training loss or the gradient stops improving, or when
 * the time is up.
 */
import type { AnyModel } from "../nn/functional.ts";
import { requireTrainer } from "./given.ts";
import { numberText, StoppingChecks, type Verdict } from "./stopping-checks.ts";
import { requireStoppingOptions, type Stop, type StoppingOptions, type StoppingProgress } from "./stopping-options.ts";
import type { Trainer } from "./trainer.ts";
import { trainingOf, type Training } from "./training.ts";

/** The most steps between two events, so that a run ends soon after it is interrupted. */
const MOST_STEPS_BETWEEN_EVENTS = 100;

/** The steps between two events of a run of the command line, or of a trial in a browser. */
export const stepsBetweenEvents = (totalSteps: number): number =>
  Math.min(MOST_STEPS_BETWEEN_EVENTS, Math.ceil(totalSteps / 100));

/**
 * Trains like `trainer.fit` until a reason to stop is met, and returns the reason. Without options it trains to the end
 * of the run. With `patience` the trainer ends with the parameters of the lowest validation loss, whatever ended the
 * training; if you leave the loop early, the parameters stay as they are. Nothing is trained before the result is iterated,
 * awaited or passed to `runToEnd`; see `Training`.
 *
 * @example
 * ```ts
 * const { train, validation } = splitDataset(dataset, { validation: 0.1 });
 * const trainer = await createTrainer({ model, backend, dataset: train, learningRate: 1e-3, batchSize: 50, epochs: 100 });
 * const training = fitUntil(trainer, { validation, patience: 5 });
 * const { reason } = await runToEnd(training, ({ step, validation }) => console.log(step, validation?.loss));
 * console.log(reason);
 * ```
 *
 * @throws OptionError, at the first event, for an option outside its range, for `patience` without a validation set, or
 * for `gradientTolerance` if the trainer does not measure the norm; and all errors of `trainer.fit`
 */
export function fitUntil<Metric extends string = string>(
  trainer: Trainer<AnyModel, Metric>,
  options: StoppingOptions = {},
): Training<StoppingProgress<Metric>, Stop> {
  return trainingOf(eventsUntilStop(trainer, options));
}

async function* eventsUntilStop<Metric extends string>(
  trainer: Trainer<AnyModel, Metric>,
  options: StoppingOptions,
): AsyncGenerator<StoppingProgress<Metric>, Stop, undefined> {
  requireTrainer("fitUntil", trainer);
  requireStoppingOptions(options);
  const {
    every = Math.max(1, Math.floor(trainer.totalSteps / 100)),
    checkEvery = usualCheckEvery(trainer),
    maxSeconds = Infinity,
  } = options;
  const { pauseEvery: ownPauses = [], stepsPerSubmit, submitMilliseconds, signal, checkpoint } = options;
  const checks = isChecked(options) ? new StoppingChecks(trainer, options) : undefined;
  const pauseEvery = [ownPauses, checks ? checkEvery : []].flat();
  let verdict: Verdict | undefined;
  let epochs = 0;
  for await (const event of trainer.fit({
    every,
    pauseEvery,
    stepsPerSubmit,
    submitMilliseconds,
    signal,
    checkpoint,
    rateFactor: options.reduceRate && checks?.rateFactor,
  })) {
    if (!event.interim) checks?.add(event);
    epochs = event.epochs;
    const isCheck = checks && !event.interim && (event.step % checkEvery === 0 || event.step === trainer.totalSteps);
    const validation = isCheck ? await checks.validate() : undefined;
    yield { ...event, ...(validation && { validation }) };
    verdict = (isCheck ? await checks.verdict(validation) : undefined) ?? timeIsUp(event.seconds, maxSeconds);
    if (verdict) break;
  }
  const { step } = trainer;
  verdict ??= endOf(trainer, epochs, signal);
  return { ...verdict, step, parametersOf: checks?.goBack() ?? step };
}

/** The default number of steps between checks: an epoch, but at least a hundredth of the run. */
export const usualCheckEvery = ({ stepsPerEpoch, totalSteps }: Pick<Trainer, "stepsPerEpoch" | "totalSteps">): number =>
  Math.max(stepsPerEpoch, Math.ceil(totalSteps / 100));

const isChecked = ({ validation, lossTolerance, gradientTolerance }: StoppingOptions) =>
  validation !== undefined || lossTolerance !== undefined || gradientTolerance !== undefined;

function timeIsUp(seconds: number, most: number): Verdict | undefined {
  return seconds >= most ? { kind: "maxSeconds", reason: `${numberText(most)} seconds have passed` } : undefined;
}

/**
 * Why the loop ended without a verdict: it was aborted, or it reached the end of the run or the maximum number of
 * steps.
 */
function endOf(
  { step, totalSteps, stepsPerEpoch }: Pick<Trainer, "step" | "totalSteps" | "stepsPerEpoch">,
  epochs: number,
  signal: AbortSignal | undefined,
): Verdict {
  if (signal?.aborted && step < totalSteps) return { kind: "aborted", reason: "it was aborted" };
  const steps = `${numberText(totalSteps)} ${totalSteps === 1 ? "step" : "steps"}`;
  const isCut = totalSteps < epochs * stepsPerEpoch;
  if (isCut) return { kind: "maxSteps", reason: `the maximum of ${steps} was reached` };
  return { kind: "finished", reason: `all ${steps} were made` };
}
