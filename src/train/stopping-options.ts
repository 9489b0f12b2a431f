import type { Dataset } from "../data/dataset.ts";
import { optionName, OptionError } from "../errors.ts";
import { requireCount, requireNumber, requirePositive } from "../nn/checks.ts";
import type { Evaluation } from "./evaluate.ts";
import type { FitOptions } from "./fit-options.ts";
import { requireData } from "./given.ts";
import type { TrainingProgress } from "./progress.ts";
import type { Snapshot } from "./snapshot.ts";

/** What ends a training before its last step. */
export interface StoppingOptions extends Pick<
  FitOptions,
  "every" | "stepsPerSubmit" | "submitMilliseconds" | "signal" | "checkpoint"
> {
  /** Evaluated at every check. */
  readonly validation?: Dataset;
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
export type StopKind =
  | "finished"
  | "maxSteps"
  | "patience"
  | "lossTolerance"
  | "gradientTolerance"
  | "maxSeconds"
  | "aborted";

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

/** @throws OptionError */
export function requireStoppingOptions(options: StoppingOptions): void {
  const {
    validation,
    checkEvery,
    patience,
    minImprovement = 0,
    lossTolerance,
    gradientTolerance,
    stays = 1,
    maxSeconds,
  } = options;
  if (checkEvery !== undefined) requireCount("fitUntil checkEvery", checkEvery);
  if (patience !== undefined) requireCount("fitUntil patience", patience);
  if (validation !== undefined) requireData("fitUntil validation", validation);
  if (patience !== undefined && !validation) {
    throw new OptionError({
      where: optionName("fitUntil patience"),
      what: "there is no validation set to be patient with",
      fix: `Give one with ${optionName("validation")}`,
    });
  }
  requireNumber(
    "fitUntil minImprovement",
    minImprovement,
    minImprovement >= 0 && minImprovement < Infinity,
    "a finite number of at least 0",
  );
  if (lossTolerance !== undefined) requirePositive("fitUntil lossTolerance", lossTolerance);
  if (gradientTolerance !== undefined) requirePositive("fitUntil gradientTolerance", gradientTolerance);
  requireCount("fitUntil stays", stays);
  if (maxSeconds !== undefined) requirePositive("fitUntil maxSeconds", maxSeconds);
}
