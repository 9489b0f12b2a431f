import type { Trainer, TrainingProgress } from "../../index.ts";

/** More epochs than any run reaches, for a run that has no end. */
export const ENDLESS_EPOCHS = 1e9;

/** The most steps of one submit, so that a pause takes effect quickly on a slow adapter. */
const MOST_STEPS_PER_SUBMIT = 64;

/**
 * Runs steps of a trainer and waits for them.
 * @returns their mean loss and accuracy; undefined if there was no step
 */
export async function advance(trainer: Trainer, steps: number): Promise<TrainingProgress | undefined> {
  const options = { maxSteps: steps, every: steps, stepsPerSubmit: Math.min(steps, MOST_STEPS_PER_SUBMIT) };
  let last: TrainingProgress | undefined;
  for await (const event of trainer.fit(options)) last = event;
  return last;
}
