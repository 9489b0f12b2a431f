import type { Trainer } from "../../index.ts";

/** More epochs than any run reaches, for a run that has no end. */
export const ENDLESS_EPOCHS = 1e9;

/** The most steps of one submit, so that a pause takes effect quickly on a slow adapter. */
const MOST_STEPS_PER_SUBMIT = 64;

/**
 * Runs steps of a trainer and waits for them.
 * @returns the mean loss of the steps
 */
export async function advance(trainer: Pick<Trainer, "fit">, steps: number): Promise<number> {
  const options = { maxSteps: steps, every: steps, stepsPerSubmit: Math.min(steps, MOST_STEPS_PER_SUBMIT) };
  let mean = NaN;
  for await (const { loss } of trainer.fit(options)) mean = loss;
  return mean;
}
