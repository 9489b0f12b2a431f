import { requireCount, requirePositive } from "../nn/checks.ts";
import { requireCheckpointOptions, type CheckpointOptions } from "./run/checkpoints.ts";

/** How far one call of fit goes, and how often it yields. */
export interface FitOptions {
  /** Steps from one event to the next, at least 1; by default a hundredth of the run, rounded down, at least 1. */
  readonly every?: number;
  /**
   * The steps after each multiple of this wait for the caller; at least 1. There is an event at each multiple as well.
   * In the loop the trainer then stands at exactly that step, to be evaluated or left. Not at all by default.
   */
  readonly pauseEvery?: number;
  /** Steps to make in this call, at least 1; by default all that are left of the run. */
  readonly maxSteps?: number;
  /** Steps that one submit holds, at least 1; by default as many as take about `submitMilliseconds`, at most 256. */
  readonly stepsPerSubmit?: number;
  /** Work that one submit should hold, above 0; 100 by default. A page that must answer at once wants less. */
  readonly submitMilliseconds?: number;
  /**
   * Once aborted, nothing more is submitted: the loop ends after the events of what was in flight. The last event tells
   * how far it got; the next call's first event tells of the steps since the event before that one again.
   */
  readonly signal?: AbortSignal;
  /** Hands over the state of the run now and then, and at the end of this call. */
  readonly checkpoint?: CheckpointOptions;
}

/** @throws OptionError */
export function requireFitOptions({
  every,
  pauseEvery,
  maxSteps,
  stepsPerSubmit,
  submitMilliseconds,
  checkpoint,
}: FitOptions): void {
  if (pauseEvery !== undefined) requireCount("fit pauseEvery", pauseEvery);
  if (every !== undefined) requireCount("fit every", every);
  if (maxSteps !== undefined) requireCount("fit maxSteps", maxSteps);
  if (stepsPerSubmit !== undefined) requireCount("fit stepsPerSubmit", stepsPerSubmit);
  if (submitMilliseconds !== undefined) requirePositive("fit submitMilliseconds", submitMilliseconds);
  if (checkpoint) requireCheckpointOptions(checkpoint);
}
