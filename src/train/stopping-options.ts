import type { AnyDataset } from "../data/dataset.ts";
import type { DataStream } from "../data/stream.ts";
import { optionName, OptionError } from "../errors.ts";
import { requireCount, requireNumber, requirePositive } from "../nn/checks.ts";
import { refuseOtherOptions, type OptionNames } from "../option-names.ts";
import type { Evaluation } from "./evaluate.ts";
import type { FitOptions } from "./fit-options.ts";
import { requireSource } from "./given.ts";
import type { TrainingProgress } from "./progress.ts";
import type { Snapshot } from "./snapshot.ts";

/** When `fitUntil` reduces the learning rate, as PyTorch's ReduceLROnPlateau does. */
export interface RateReduction {
  /**
   * The number of checks in a row without a new lowest validation loss after which the learning rate is reduced, at least
   * 1. The count then begins again.
   */
  readonly patience: number;
  /** The factor by which the learning rate is multiplied, in (0, 1); 0.1 by default. */
  readonly factor?: number;
  /** The smallest product of such factors, in [0, 1); 0 by default. */
  readonly smallest?: number;
}

/** The options of `fitUntil`. */
export interface StoppingOptions extends Pick<
  FitOptions,
  "every" | "pauseEvery" | "stepsPerSubmit" | "submitMilliseconds" | "signal" | "checkpoint"
> {
  /** The validation set, or a stream that `trainer.evaluate` takes, which is evaluated at every check. */
  readonly validation?: AnyDataset | DataStream;
  /**
   * Steps between checks, at least 1. By default an epoch, but at least a hundredth of the run. Training waits for each
   * check, so the step at which it stops does not depend on the device's speed.
   */
  readonly checkEvery?: number;
  /**
   * Stops after this number of checks in a row without a new lowest validation loss, and restores the parameters of the
   * lowest.
   */
  readonly patience?: number;
  /** Reduces the learning rate when the validation loss stops improving. */
  readonly reduceRate?: RateReduction;
  /** How much lower a validation loss must be to count as a new lowest one; at least 0, which is the default. */
  readonly minImprovement?: number;
  /**
   * Stops when the mean training loss between two checks differs by less than this from that of the previous interval,
   * `stays` times in a row. Above 0.
   */
  readonly lossTolerance?: number;
  /**
   * Stops when the mean gradient norm of the steps between two checks is below this, `stays` times in a row. Above 0;
   * the trainer must be created with `gradientNorm: true`.
   */
  readonly gradientTolerance?: number;
  /** The number of checks in a row for which a tolerance must hold, at least 1; 3 by default. */
  readonly stays?: number;
  /**
   * Stops at the first event after this number of seconds, above 0. The step at which this happens depends on the
   * device's speed.
   */
  readonly maxSeconds?: number;
  /** Filled during training. Pass a filled one to continue, with a trainer that continues from the same step. */
  readonly memory?: StoppingMemory;
}

/** The state of early stopping, for runs that continue after an interruption. */
export interface StoppingMemory {
  state?: StoppingState;
}

/** The state of early stopping. All of it except the best snapshot is plain data. */
export interface StoppingState {
  /** The step of the last event, and the number of steps and the sums of metrics since the last check. */
  readonly lastStep: number;
  readonly steps: number;
  readonly loss: number;
  readonly gradientNorm: number;
  /** The mean loss of the previous interval; undefined before the second check. */
  readonly lossBefore?: number;
  /** The number of checks in a row for which each tolerance held. */
  readonly lossStays: number;
  readonly gradientStays: number;
  /** The lowest validation loss with its snapshot, and the number of checks since then. */
  readonly best?: { readonly loss: number; readonly snapshot: Snapshot };
  readonly sinceBest: number;
  /** What the option `reduceRate` has seen and done; undefined before the first check. */
  readonly reduction?: {
    /** The lowest validation loss, and the number of checks since then or since the last reduction. */
    readonly lowest?: number;
    readonly since: number;
    /** The first steps, counted from 0, that had each reduced rate. */
    readonly steps: readonly number[];
  };
}

/** A progress event; at a check, with the evaluation of the validation set. */
export interface StoppingProgress<Metric extends string = string> extends TrainingProgress<Metric> {
  readonly validation?: Evaluation<Metric>;
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

/** Why and at which step training stopped. */
export interface Stop {
  readonly kind: StopKind;
  /** The last step of the training. */
  readonly step: number;
  /** The step of the trainer's current parameters: the last one, or the best one if it was restored. */
  readonly parametersOf: number;
  /** A description, such as "the validation loss was lowest, 0.0812, at step 1,876, 5 checks ago". */
  readonly reason: string;
}

const names: OptionNames<StoppingOptions> = {
  every: true,
  pauseEvery: true,
  stepsPerSubmit: true,
  submitMilliseconds: true,
  signal: true,
  checkpoint: true,
  validation: true,
  checkEvery: true,
  patience: true,
  reduceRate: true,
  minImprovement: true,
  lossTolerance: true,
  gradientTolerance: true,
  stays: true,
  maxSeconds: true,
  memory: true,
};

/** @throws OptionError */
export function requireStoppingOptions(options: StoppingOptions): void {
  refuseOtherOptions("fitUntil", options, names);
  const {
    validation,
    checkEvery,
    patience,
    reduceRate,
    minImprovement = 0,
    lossTolerance,
    gradientTolerance,
    stays = 1,
    maxSeconds,
  } = options;
  if (checkEvery !== undefined) requireCount("fitUntil checkEvery", checkEvery);
  if (patience !== undefined) requireCount("fitUntil patience", patience);
  if (validation !== undefined) requireSource("fitUntil validation", validation);
  if (patience !== undefined && !validation) throw needsValidation("patience");
  if (reduceRate !== undefined) requireReduction(reduceRate);
  if (reduceRate !== undefined && !validation) throw needsValidation("reduceRate");
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

const needsValidation = (option: string) =>
  new OptionError({
    where: optionName(`fitUntil ${option}`),
    what: `${option} needs a validation set`,
    fix: `Give a validation set with ${optionName("validation")}`,
  });

function requireReduction(reduction: RateReduction): void {
  const where = "fitUntil reduceRate";
  refuseOtherOptions(where, reduction, { patience: true, factor: true, smallest: true });
  const { patience, factor = 0.1, smallest = 0 } = reduction;
  requireCount(`${where} patience`, patience);
  requireNumber(`${where} factor`, factor, factor > 0 && factor < 1, "a number above 0 and below 1");
  requireNumber(`${where} smallest`, smallest, smallest >= 0 && smallest < 1, "a number from 0 to below 1");
}
