/*
 * Measures a training step with a trainer of its own, apart from the training that the page shows.
 */
import { DeviceError } from "../../../index.ts";
import type { StepProfile } from "../contract.ts";
import { Run, type RunOptions } from "./run.ts";

/** The number of profiled steps. One more runs before them, unmeasured. */
const PROFILED_STEPS = 9;

/** The dispatches of a step and, if the device can measure it, the median time of each over a few steps. */
export async function profileStep({ settings, data, loaded, backend }: RunOptions): Promise<StepProfile> {
  const { trainer } = await Run.create({ settings, data, loaded, backend });
  try {
    const { dispatches } = trainer;
    try {
      await trainer.profile();
      const rows: number[][] = [];
      for (let step = 0; step < PROFILED_STEPS; step++) rows.push(await trainer.profile());
      const medianOf = (column: number) =>
        rows.map((row) => row[column]!).sort((a, b) => a - b)[(PROFILED_STEPS - 1) / 2]!;
      return { dispatches, nanoseconds: dispatches.map((_, column) => medianOf(column)), reason: undefined };
    } catch (error) {
      if (!(error instanceof DeviceError)) throw error;
      return { dispatches, nanoseconds: undefined, reason: error.what };
    }
  } finally {
    trainer.dispose();
  }
}
