/*
 * How far a run is, counted in examples: the batch size may change on the way, and with it the steps of an epoch.
 */
import type { Schedule } from "../../../index.ts";

/** A step of a run, and the epochs that were made before and with it. The batch size is one and the same from there on. */
export interface Course {
  readonly step: number;
  readonly epochs: number;
}

export const fromTheStart: Course = { step: 0, epochs: 0 };

/** Epochs made when a step is finished, such as 2.5. */
export const epochsAt = ({ step, epochs }: Course, stepsPerEpoch: number, now: number): number =>
  epochs + (now - step) / stepsPerEpoch;

/** The number of the last step of a run of so many epochs; no less than where it stands. */
export const totalStepsOf = ({ step, epochs }: Course, stepsPerEpoch: number, wanted: number): number =>
  step + Math.max(0, Math.ceil((wanted - epochs) * stepsPerEpoch - 1e-9));

/** A schedule by the examples seen: what it would give had the batch size been the present one from the start. */
export function scheduleOnCourse(
  schedule: Schedule,
  { step, epochs }: Course,
  stepsPerEpoch: number,
  wanted: number,
): Schedule {
  const passed = epochs * stepsPerEpoch;
  return (current) => schedule(passed + current - step, wanted * stepsPerEpoch);
}
