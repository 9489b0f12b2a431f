/*
 * Training that ends where it is done, and says why: at the end of the run, when the validation set gets no better,
 * when the loss or the gradient stands still, or when time is up.
 */
import type { TrainingData } from "../data/dataset.ts";
import { optionName, OptionError } from "../errors.ts";
import { requireCount, requireNumber, requirePositive } from "../nn/checks.ts";
import type { Evaluation } from "./evaluate.ts";
import type { FitOptions } from "./fit-options.ts";
import { requireData, requireOptionsObject, requireTrainer } from "./given.ts";
import type { TrainingProgress } from "./progress.ts";
import type { Snapshot } from "./snapshot.ts";
import type { Trainer } from "./trainer.ts";

/** What ends a training before its last step. */
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
  /** Is filled while training; a filled one is gone on from, by a trainer that goes on from the same step. */
  readonly memory?: StoppingMemory;
}

/** Where the search for a reason to stop stands, for a run that is to go on after an interruption. */
export interface StoppingMemory {
  state?: StoppingState;
}

/** Where a search for a reason to stop stands: plain data but for the best snapshot. */
export interface StoppingState {
  /** The last event's step, and what the events since the last check told: number of steps, and sums over them. */
  readonly lastStep: number;
  readonly steps: number;
  readonly loss: number;
  readonly gradientNorm: number;
  /** The mean loss between the two checks before; none before the second check. */
  readonly lossBefore?: number;
  /** Checks in a row at which each tolerance was kept. */
  readonly lossStays: number;
  readonly gradientStays: number;
  /** The lowest validation loss, the run as it was then, and the checks since. */
  readonly best?: { readonly loss: number; readonly snapshot: Snapshot };
  readonly sinceBest: number;
}

/** An event of training, at a check with what the validation set gave. */
export interface StoppingProgress extends TrainingProgress {
  readonly validation?: Evaluation;
}

/** Why training stopped. */
export type StopKind = "finished" | "maxSteps" | "patience" | "lossTolerance" | "gradientTolerance" | "maxSeconds" | "aborted";

/** Why and where training stopped. */
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
  requireTrainer("fitUntil", trainer);
  requireOptionsObject("fitUntil", options);
  requireOptions(options);
  const { every = Math.max(1, Math.floor(trainer.stepsTotal / 100)), maxSeconds = Infinity, signal } = options;
  const checkEvery = options.checkEvery ?? usualCheckEvery(trainer);
  const checks = isChecked(options) ? new Checks(trainer, options) : undefined;
  let verdict: Verdict | undefined;
  let epochs = 0;
  for await (const event of trainer.fit({ ...fitOptionsOf(options), every, ...(checks && { pauseEvery: checkEvery }) })) {
    if (!event.interim) checks?.add(event);
    epochs = event.epochs;
    const isCheck = checks && !event.interim && (event.step % checkEvery === 0 || event.step === trainer.stepsTotal);
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

/** Steps from one check to the next by default: an epoch, but not more often than a hundred times a run. */
export const usualCheckEvery = ({ stepsPerEpoch, stepsTotal }: Pick<Trainer, "stepsPerEpoch" | "stepsTotal">): number =>
  Math.max(stepsPerEpoch, Math.ceil(stepsTotal / 100));

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

const NOTHING_SEEN: Omit<StoppingState, "lastStep"> = {
  steps: 0,
  loss: 0,
  gradientNorm: 0,
  lossStays: 0,
  gradientStays: 0,
  sinceBest: 0,
};

/** What is looked at between the pieces of a run. */
class Checks {
  readonly #trainer: Trainer;
  readonly #options: StoppingOptions;
  readonly #memory: StoppingMemory;

  constructor(trainer: Trainer, options: StoppingOptions) {
    this.#trainer = trainer;
    this.#options = options;
    this.#memory = options.memory ?? {};
    this.#memory.state ??= { ...NOTHING_SEEN, lastStep: trainer.step };
  }

  get #state(): StoppingState {
    return this.#memory.state!;
  }

  #change(changes: Partial<StoppingState>): void {
    this.#memory.state = { ...this.#state, ...changes };
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
    const before = this.#state;
    const steps = step - before.lastStep;
    this.#change({
      lastStep: step,
      steps: before.steps + steps,
      loss: before.loss + steps * loss,
      gradientNorm: before.gradientNorm + steps * gradientNorm,
    });
  }

  async validate(): Promise<Evaluation | undefined> {
    const { validation } = this.#options;
    return validation && this.#trainer.evaluate(validation);
  }

  async verdict(validation: Evaluation | undefined): Promise<Verdict | undefined> {
    const { steps, lossBefore = NaN, ...sums } = this.#state;
    const [loss, gradientNorm] = [sums.loss / steps, sums.gradientNorm / steps];
    this.#change({ steps: 0, loss: 0, gradientNorm: 0, lossBefore: loss });
    const change = Math.abs(loss - lossBefore);
    return (await this.#patienceIsOver(validation)) ?? this.#lossStandsStill(change) ?? this.#gradientIsSmall(gradientNorm);
  }

  async #patienceIsOver(validation: Evaluation | undefined): Promise<Verdict | undefined> {
    const { patience, minImprovement = 0 } = this.#options;
    if (!validation || patience === undefined) return undefined;
    const { best } = this.#state;
    if (!best || validation.loss < best.loss - minImprovement) {
      this.#change({ best: { loss: validation.loss, snapshot: await this.#trainer.snapshot() }, sinceBest: 0 });
      return undefined;
    }
    const sinceBest = this.#state.sinceBest + 1;
    this.#change({ sinceBest });
    if (sinceBest < patience) return undefined;
    const { loss, snapshot } = best;
    const ago = `${sinceBest} ${sinceBest === 1 ? "check" : "checks"} ago`;
    return { kind: "patience", reason: `the validation loss was lowest, ${written(loss)}, at step ${written(snapshot.step)}, ${ago}` };
  }

  #lossStandsStill(change: number): Verdict | undefined {
    const { lossTolerance, stays = 3 } = this.#options;
    if (lossTolerance === undefined) return undefined;
    const lossStays = change < lossTolerance ? this.#state.lossStays + 1 : 0;
    this.#change({ lossStays });
    if (lossStays < stays) return undefined;
    return { kind: "lossTolerance", reason: `the loss changed by less than ${lossTolerance} at ${stays} checks in a row` };
  }

  #gradientIsSmall(norm: number): Verdict | undefined {
    const { gradientTolerance, stays = 3 } = this.#options;
    if (gradientTolerance === undefined) return undefined;
    const gradientStays = norm < gradientTolerance ? this.#state.gradientStays + 1 : 0;
    this.#change({ gradientStays });
    if (gradientStays < stays) return undefined;
    return {
      kind: "gradientTolerance",
      reason: `the gradient's norm was below ${gradientTolerance} at ${stays} checks in a row`,
    };
  }

  /** Gives the trainer the parameters of the lowest validation loss. @returns their step, where there is patience */
  goBack(): number | undefined {
    const { best } = this.#state;
    if (!best) return undefined;
    if (best.snapshot.step !== this.#trainer.step) this.#trainer.restore(best.snapshot);
    return best.snapshot.step;
  }
}

function requireOptions(options: StoppingOptions): void {
  const { validation, checkEvery, patience, minImprovement = 0, lossTolerance, gradientTolerance, stays = 1, maxSeconds } = options;
  if (checkEvery !== undefined) requireCount("fitUntil checkEvery", checkEvery);
  if (patience !== undefined) requireCount("fitUntil patience", patience);
  if (validation !== undefined) requireData("fitUntil validation", validation);
  if (patience !== undefined && !validation) {
    throw new OptionError({ where: optionName("fitUntil patience"), what: "there is no validation set to be patient with", fix: `Give one with ${optionName("validation")}` });
  }
  requireNumber("fitUntil minImprovement", minImprovement, minImprovement >= 0 && minImprovement < Infinity, "a finite number of at least 0");
  if (lossTolerance !== undefined) requirePositive("fitUntil lossTolerance", lossTolerance);
  if (gradientTolerance !== undefined) requirePositive("fitUntil gradientTolerance", gradientTolerance);
  requireCount("fitUntil stays", stays);
  if (maxSeconds !== undefined) requirePositive("fitUntil maxSeconds", maxSeconds);
}
