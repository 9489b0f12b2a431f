import { excerpt, OptionError } from "../errors.ts";
import { requireCount, requirePositive } from "../nn/checks.ts";
import { refuseOtherOptions, type OptionNames } from "../option-names.ts";
import { requireCheckpointOptions, type CheckpointOptions } from "./run/checkpoints.ts";
import { requireShare, type RunShare } from "./share.ts";

/** The options of one call of `fit`. */
export interface FitOptions {
  /** Steps between events, at least 1; by default a hundredth of the run, rounded down, at least 1. */
  readonly every?: number;
  /**
   * Training pauses after each multiple of this number of steps, at least 1, or of any of several numbers. It yields an
   * event there, and continues when the caller asks for the next event. During that event the trainer is at exactly that
   * step, so it can be evaluated. No pauses by default.
   */
  readonly pauseEvery?: number | readonly number[];
  /** The maximum number of steps of this call, at least 1; by default all remaining steps of the run. */
  readonly maxSteps?: number;
  /** Steps per submit, at least 1; by default as many as take about `submitMilliseconds`, at most 256. */
  readonly stepsPerSubmit?: number;
  /**
   * The target duration of one submit in milliseconds, above 0; 100 by default. Use less in a page that must stay
   * responsive.
   */
  readonly submitMilliseconds?: number;
  /**
   * When it is aborted, no more steps are submitted, and the loop ends after the events of the steps that were already
   * submitted. The last event is marked `interim`; its steps are reported again by the first event of the next call.
   */
  readonly signal?: AbortSignal;
  /**
   * The share of the run that this call trains on, for a run that several trainers make together; see `RunShare`. By
   * default each step of the trainer is the step of the run with the same number.
   */
  readonly share?: RunShare;
  /**
   * A factor of the learning rate in each step of the trainer, counted from 0, besides that of the schedule; 1 by default.
   * It may depend on results, such as a validation loss. For a step that was submitted it must stay the same, because the
   * steps since the last snapshot in memory are repeated if the device is lost.
   */
  readonly rateFactor?: (step: number) => number;
  /** Saves the state of the run regularly and at the end of this call. */
  readonly checkpoint?: CheckpointOptions;
}

const names: OptionNames<FitOptions> = {
  every: true,
  pauseEvery: true,
  maxSteps: true,
  stepsPerSubmit: true,
  submitMilliseconds: true,
  signal: true,
  share: true,
  rateFactor: true,
  checkpoint: true,
};

/** @throws OptionError */
export function requireFitOptions(options: FitOptions): void {
  refuseOtherOptions("fit", options, names);
  const { every, pauseEvery, maxSteps, stepsPerSubmit, submitMilliseconds, share, rateFactor, checkpoint } = options;
  for (const steps of pauseEvery === undefined ? [] : [pauseEvery].flat()) requireCount("fit pauseEvery", steps);
  if (every !== undefined) requireCount("fit every", every);
  if (maxSteps !== undefined) requireCount("fit maxSteps", maxSteps);
  if (stepsPerSubmit !== undefined) requireCount("fit stepsPerSubmit", stepsPerSubmit);
  if (submitMilliseconds !== undefined) requirePositive("fit submitMilliseconds", submitMilliseconds);
  if (share) requireShare(share);
  if (rateFactor !== undefined && typeof rateFactor !== "function") {
    const what = `${excerpt(rateFactor)} is not a function of the step`;
    throw new OptionError({ where: "fit rateFactor", what, fix: "Give one such as (step) => (step < 100 ? 1 : 0.1)" });
  }
  if (checkpoint) requireCheckpointOptions(checkpoint);
}
