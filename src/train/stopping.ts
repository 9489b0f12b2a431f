/*
 * Training that ends where it is done, and says why: at the end of the run, when the validation set gets no better,
 * when the loss or the gradient stands still, or when time is up.
 */
import type { TrainingData } from "../data/dataset.ts";
import { OptionError } from "../errors.ts";
import { requireCount, requireNumber, requirePositive } from "../nn/checks.ts";
import type { Evaluation } from "./evaluate.ts";
import type { FitOptions, TrainingProgress } from "./fit.ts";
import type { Snapshot } from "./snapshot.ts";
import type { Trainer } from "./trainer.ts";

export interface StoppingOptions
  extends Pick<FitOptions, "every" | "stepsPerSubmit" | "submitMilliseconds" | "signal" | "checkpoint"> {
  /** Evaluated at every check. */
  readonly validation?: TrainingData;
  /**
   * Steps from one check to the next, at least 1. By default an epoch, but not more often than a hundred times a run.
   * Steps wait for a check, so that where training stops depends on the numbers alone and not on the device's speed.
   */
  readonly checkEvery?: number;
  /** Stops after so many checks in a row at which the validation loss is no new lowest one, and goes back to that. */
  readonly patience?: number;
  /** How much lower a validation loss must be to be a new lowest one; at least 0, which is the default. */
  readonly minImprovement?: number;
  /**
   * Stops where the mean training loss between two checks changed by less than this from that of the interval before,
   * `stays` times in a row. Above 0.
   */
  readonly lossTolerance?: number;
  /**
   * Stops where the mean of the steps' gradient norms between two checks is below this, `stays` times in a row. Above
   * 0; the trainer must have been made with `gradientNorm: true`.
   */
  readonly gradientTolerance?: number;
  /** Checks in a row at which a tolerance must be kept, at least 1; 3 by default. */
  readonly stays?: number;
  /** Stops at the first event after so many seconds, above 0; where that is depends on the device's speed. */
  readonly maxSeconds?: number;
}

/** An event of training, at a check with what the validation set gave. */
export interface StoppingProgress extends TrainingProgress {
  readonly validation?: Evaluation;
}

/** Why training stopped. */
export type StopKind = "finished" | "maxSteps" | "patience" | "lossTolerance" | "gradientTolerance" | "maxSeconds" | "aborted";

export interface Stop {
  readonly kind: StopKind;
  /** The last step that was made. */
  readonly step: number;
  /** The step whose parameters the trainer now has: the last one, or the best one where it went back to that. */
  readonly parametersOf: number;
  /** Why, in words: "the validation loss was lowest, 0.0812, at step 1,876, 5 checks ago". */
  readonly reason: string;
}

type Verdict = Pick<Stop, "kind" | "reason">;

/**
 * Trains like `trainer.fit` until a reason to stop is found, and returns it. Without any option it trains to the end of
 * the run. Where `patience` is given the parameters are those of the lowest validation loss in the end, whatever ended
 * the training; leaving the loop early leaves them as they are.
 * @throws OptionError at the first event for an option outside its range, patience without a validation set, or a
 * gradient tolerance where the trainer does not measure the norm; and as `trainer.fit` does
 */
export async function* fitUntil(
  trainer: Trainer,
  options: StoppingOptions = {},
): AsyncGenerator<StoppingProgress, Stop, undefined> {
  requireOptions(options);
  const { every = Math.max(1, Math.floor(trainer.stepsTotal / 100)), maxSeconds = Infinity, signal } = options;
  const checkEvery = options.checkEvery ?? Math.max(trainer.stepsPerEpoch, Math.ceil(trainer.stepsTotal / 100));
  const checks = isChecked(options) ? new Checks(trainer, options) : undefined;
  let verdict: Verdict | undefined;
  let epochs = 0;
  for await (const event of trainer.fit({ ...fitOptionsOf(options), every, ...(checks && { pauseEvery: checkEvery }) })) {
    checks?.add(event);
    epochs = event.epochs;
    const isCheck = checks && (event.step % checkEvery === 0 || event.step === trainer.stepsTotal);
    const validation = isCheck ? await checks.validate() : undefined;
    yield { ...event, ...(validation && { validation }) };
    verdict = (isCheck ? await checks.verdict(validation) : undefined) ?? timeIsUp(event.seconds, maxSeconds);
    if (verdict) break;
  }
  const step = trainer.step;
  verdict ??= signal?.aborted && step < trainer.stepsTotal ? { kind: "aborted", reason: "it was asked to" } : undefined;
  verdict ??= endOf(trainer, epochs);
  return { ...verdict, step, parametersOf: checks?.goBack() ?? step };
}

/** The end of the run, which a maximum of steps may have brought nearer. */
function endOf({ stepsTotal, stepsPerEpoch }: Trainer, epochs: number): Verdict {
  const isCut = stepsTotal < epochs * stepsPerEpoch;
  const steps = `${written(stepsTotal)} ${stepsTotal === 1 ? "step" : "steps"}`;
  if (isCut) return { kind: "maxSteps", reason: `the maximum of ${steps} was reached` };
  return { kind: "finished", reason: `all ${steps} were made` };
}

type FitThrough = Pick<FitOptions, "stepsPerSubmit" | "submitMilliseconds" | "signal" | "checkpoint">;

function fitOptionsOf({ stepsPerSubmit, submitMilliseconds, signal, checkpoint }: FitThrough): FitThrough {
  return {
    ...(stepsPerSubmit !== undefined && { stepsPerSubmit }),
    ...(submitMilliseconds !== undefined && { submitMilliseconds }),
    ...(signal && { signal }),
    ...(checkpoint && { checkpoint }),
  };
}

const isChecked = ({ validation, lossTolerance, gradientTolerance }: StoppingOptions) =>
  validation !== undefined || lossTolerance !== undefined || gradientTolerance !== undefined;

const written = (value: number) => value.toLocaleString("en-US", { maximumSignificantDigits: 6 });

function timeIsUp(seconds: number, most: number): Verdict | undefined {
  return seconds >= most ? { kind: "maxSeconds", reason: `${written(most)} seconds were up` } : undefined;
}

/** What is looked at between the pieces of a run. */
class Checks {
  readonly #trainer: Trainer;
  readonly #options: StoppingOptions;
  /** Since the last check. */
  #steps = 0;
  #loss = 0;
  #gradientNorm = 0;
  #lastStep: number;
  #lossBefore = NaN;
  #lossStays = 0;
  #gradientStays = 0;
  #best: { readonly loss: number; readonly snapshot: Snapshot } | undefined;
  #sinceBest = 0;

  constructor(trainer: Trainer, options: StoppingOptions) {
    this.#trainer = trainer;
    this.#options = options;
    this.#lastStep = trainer.step;
  }

  /** Takes an event, whose means are over the steps since the one before. */
  add({ step, loss, gradientNorm = NaN }: TrainingProgress): void {
    if (this.#options.gradientTolerance !== undefined && Number.isNaN(gradientNorm) && Number.isFinite(loss)) {
      throw new OptionError({
        where: "fitUntil gradientTolerance",
        what: "this trainer does not measure the gradient's norm",
        fix: "Make it with gradientNorm: true",
      });
    }
    const steps = step - this.#lastStep;
    this.#lastStep = step;
    this.#steps += steps;
    this.#loss += steps * loss;
    this.#gradientNorm += steps * gradientNorm;
  }

  async validate(): Promise<Evaluation | undefined> {
    const { validation } = this.#options;
    return validation && this.#trainer.evaluate(validation);
  }

  async verdict(validation: Evaluation | undefined): Promise<Verdict | undefined> {
    const [loss, gradientNorm] = [this.#loss / this.#steps, this.#gradientNorm / this.#steps];
    this.#steps = this.#loss = this.#gradientNorm = 0;
    const change = Math.abs(loss - this.#lossBefore);
    this.#lossBefore = loss;
    return (await this.#patienceIsOver(validation)) ?? this.#lossStandsStill(change) ?? this.#gradientIsSmall(gradientNorm);
  }

  async #patienceIsOver(validation: Evaluation | undefined): Promise<Verdict | undefined> {
    const { patience, minImprovement = 0 } = this.#options;
    if (!validation || patience === undefined) return undefined;
    if (!this.#best || validation.loss < this.#best.loss - minImprovement) {
      this.#best = { loss: validation.loss, snapshot: await this.#trainer.snapshot() };
      this.#sinceBest = 0;
      return undefined;
    }
    this.#sinceBest++;
    if (this.#sinceBest < patience) return undefined;
    const { loss, snapshot } = this.#best;
    const ago = `${this.#sinceBest} ${this.#sinceBest === 1 ? "check" : "checks"} ago`;
    return { kind: "patience", reason: `the validation loss was lowest, ${written(loss)}, at step ${written(snapshot.step)}, ${ago}` };
  }

  #lossStandsStill(change: number): Verdict | undefined {
    const { lossTolerance, stays = 3 } = this.#options;
    if (lossTolerance === undefined) return undefined;
    this.#lossStays = change < lossTolerance ? this.#lossStays + 1 : 0;
    if (this.#lossStays < stays) return undefined;
    return { kind: "lossTolerance", reason: `the loss changed by less than ${lossTolerance} at ${stays} checks in a row` };
  }

  #gradientIsSmall(norm: number): Verdict | undefined {
    const { gradientTolerance, stays = 3 } = this.#options;
    if (gradientTolerance === undefined) return undefined;
    this.#gradientStays = norm < gradientTolerance ? this.#gradientStays + 1 : 0;
    if (this.#gradientStays < stays) return undefined;
    return {
      kind: "gradientTolerance",
      reason: `the gradient's norm was below ${gradientTolerance} at ${stays} checks in a row`,
    };
  }

  /** Gives the trainer the parameters of the lowest validation loss. @returns their step, where there is patience */
  goBack(): number | undefined {
    if (!this.#best) return undefined;
    if (this.#best.snapshot.step !== this.#trainer.step) this.#trainer.restore(this.#best.snapshot);
    return this.#best.snapshot.step;
  }
}

function requireOptions(options: StoppingOptions): void {
  const { validation, checkEvery, patience, minImprovement = 0, lossTolerance, gradientTolerance, stays = 1, maxSeconds } = options;
  if (checkEvery !== undefined) requireCount("fitUntil checkEvery", checkEvery);
  if (patience !== undefined) requireCount("fitUntil patience", patience);
  if (patience !== undefined && !validation) {
    throw new OptionError({ where: "fitUntil patience", what: "there is no validation set to be patient with", fix: "Give one as validation" });
  }
  requireNumber("fitUntil minImprovement", minImprovement, minImprovement >= 0 && minImprovement < Infinity, "a finite number of at least 0");
  if (lossTolerance !== undefined) requirePositive("fitUntil lossTolerance", lossTolerance);
  if (gradientTolerance !== undefined) requirePositive("fitUntil gradientTolerance", gradientTolerance);
  requireCount("fitUntil stays", stays);
  if (maxSeconds !== undefined) requirePositive("fitUntil maxSeconds", maxSeconds);
}
