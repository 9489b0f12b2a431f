/*
 * The share of a run that a trainer makes when several trainers make the run together: the examples and the point of
 * the schedule of each of its steps.
 */
import { OptionError } from "../errors.ts";
import { requireNumber } from "../nn/checks.ts";

/**
 * The steps of a whole run that one call of `fit` trains on, for a run that several trainers share. The trainer still
 * counts its own steps, on which the bias corrections of its optimizer depend. All else depends on the steps of the
 * whole run: the examples, the masks of dropout, augmentations, the learning rate and the step inputs.
 */
export interface RunShare {
  /** The step of the whole run, counted from 0, whose examples the first step of the call has. The next steps follow. */
  readonly firstStep: number;
  /** The point of the schedule of the first step, as a step of the whole run; `firstStep` by default. */
  readonly scheduleStep?: number;
  /** How many steps of the whole run the schedule advances with each step of the call, at least 1; 1 by default. */
  readonly scheduleStride?: number;
}

const isStep = (value: number) => Number.isSafeInteger(value) && value >= 0;

/** @throws OptionError */
export function requireShare({ firstStep, scheduleStep = 0, scheduleStride = 1 }: RunShare): void {
  const wanted = "a whole number of at least 0";
  requireNumber("fit share firstStep", firstStep, isStep(firstStep), wanted);
  requireNumber("fit share scheduleStep", scheduleStep, isStep(scheduleStep), wanted);
  const isStride = isStep(scheduleStride) && scheduleStride > 0;
  requireNumber("fit share scheduleStride", scheduleStride, isStride, "a whole number of at least 1");
}

const wholeRun: Required<RunShare> = { firstStep: 0, scheduleStep: 0, scheduleStride: 1 };

/** Where the steps of a trainer are in the whole run: by default at their own numbers. */
export class StepPlaces {
  #own = 0;
  #share: Required<RunShare> = wholeRun;

  get isShared(): boolean {
    return this.#share !== wholeRun;
  }

  /** The share that begins at the trainer's step `own`; undefined for the whole run. */
  assign(own: number, share: RunShare | undefined): void {
    this.#own = share ? own : 0;
    this.#share = share ? { scheduleStep: share.firstStep, scheduleStride: 1, ...share } : wholeRun;
  }

  /** The step of the whole run that has the examples of a step of the trainer. */
  dataStep(step: number): number {
    return this.#share.firstStep + step - this.#own;
  }

  /** The step of the whole run that has the learning rate of a step of the trainer. */
  scheduleStep(step: number): number {
    return this.#share.scheduleStep + (step - this.#own) * this.#share.scheduleStride;
  }

  /** @throws OptionError if the last step of a call is beyond the run */
  requireWithin(end: number, totalSteps: number): void {
    const last = this.dataStep(end);
    if (last <= totalSteps) return;
    const what = `its last step is ${last}, and the run has ${totalSteps}`;
    throw new OptionError({ where: "fit share", what, fix: "Give maxSteps, or a smaller firstStep" });
  }
}
