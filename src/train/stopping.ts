/*
 * Training that stops where it is done, and says why: at the end of the run, when the validation set gets no better,
 * when the loss or the gradient stands still, or when time is up.
 */
import { requireOptionsObject, requireTrainer } from "./given.ts";
import { numberText, StoppingChecks, type Verdict } from "./stopping-checks.ts";
import { requireStoppingOptions, type Stop, type StoppingOptions, type StoppingProgress } from "./stopping-options.ts";
import type { Trainer } from "./trainer.ts";

/**
 * Trains like `trainer.fit` until there is a reason to stop, and returns the reason. Without any option it trains to the
 * end of the run. With `patience` the parameters are those of the lowest validation loss in the end, whatever ended the
 * training; leaving the loop early leaves them as they are.
 * @throws OptionError at the first event for an option outside its range, patience without a validation set, or a
 * gradient tolerance where the trainer does not measure the norm; and as `trainer.fit` does
 */
export async function* fitUntil(
  trainer: Trainer,
  options: StoppingOptions = {},
): AsyncGenerator<StoppingProgress, Stop, undefined> {
  requireTrainer("fitUntil", trainer);
  requireOptionsObject("fitUntil", options);
  requireStoppingOptions(options);
  const {
    every = Math.max(1, Math.floor(trainer.totalSteps / 100)),
    checkEvery = usualCheckEvery(trainer),
    maxSeconds = Infinity,
  } = options;
  const { stepsPerSubmit, submitMilliseconds, signal, checkpoint } = options;
  const checks = isChecked(options) ? new StoppingChecks(trainer, options) : undefined;
  const pauseEvery = checks && checkEvery;
  let verdict: Verdict | undefined;
  let epochs = 0;
  for await (const event of trainer.fit({
    every,
    pauseEvery,
    stepsPerSubmit,
    submitMilliseconds,
    signal,
    checkpoint,
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

/** Steps from one check to the next by default: an epoch, but not more often than a hundred times a run. */
export const usualCheckEvery = ({ stepsPerEpoch, totalSteps }: Pick<Trainer, "stepsPerEpoch" | "totalSteps">): number =>
  Math.max(stepsPerEpoch, Math.ceil(totalSteps / 100));

const isChecked = ({ validation, lossTolerance, gradientTolerance }: StoppingOptions) =>
  validation !== undefined || lossTolerance !== undefined || gradientTolerance !== undefined;

function timeIsUp(seconds: number, most: number): Verdict | undefined {
  return seconds >= most ? { kind: "maxSeconds", reason: `${numberText(most)} seconds were up` } : undefined;
}

/** Why the loop ended without a verdict: by the signal, or at the end of the run, which may come before the last epoch's. */
function endOf({ step, totalSteps, stepsPerEpoch }: Trainer, epochs: number, signal: AbortSignal | undefined): Verdict {
  if (signal?.aborted && step < totalSteps) return { kind: "aborted", reason: "it was asked to" };
  const steps = `${numberText(totalSteps)} ${totalSteps === 1 ? "step" : "steps"}`;
  const isCut = totalSteps < epochs * stepsPerEpoch;
  if (isCut) return { kind: "maxSteps", reason: `the maximum of ${steps} was reached` };
  return { kind: "finished", reason: `all ${steps} were made` };
}
