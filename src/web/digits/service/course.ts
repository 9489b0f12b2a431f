/*
 * The position in a run, counted in epochs: the batch size may change during a run, and with it the steps per epoch.
 */
import type { Schedule } from "../../../index.ts";

/** A step of a run, and the epochs finished at its end. After it, the batch size does not change. */
export interface Course {
  readonly step: number;
  readonly epochs: number;
}

export const fromTheStart: Course = { step: 0, epochs: 0 };

/** The epochs finished at the end of step `now`, such as 2.5. */
export const epochsAt = ({ step, epochs }: Course, stepsPerEpoch: number, now: number): number =>
  epochs + (now - step) / stepsPerEpoch;

/** The last step of a run of `wanted` epochs, at least the step of the course. */
export const totalStepsOf = ({ step, epochs }: Course, stepsPerEpoch: number, wanted: number): number =>
  step + Math.max(0, Math.ceil((wanted - epochs) * stepsPerEpoch - 1e-9));

/** A schedule over epochs: it gives the rates of a run that had the current batch size from its start. */
export function scheduleOnCourse(
  schedule: Schedule,
  { step, epochs }: Course,
  stepsPerEpoch: number,
  wanted: number,
): Schedule {
  const passed = epochs * stepsPerEpoch;
  return (current) => schedule(passed + current - step, wanted * stepsPerEpoch);
}
