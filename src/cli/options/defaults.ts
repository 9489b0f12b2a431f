/*
 * Defaults that depend on the data. docs/data.md lists them and explains how they were chosen.
 */
import { isRegression, type Dataset } from "../../data/dataset.ts";
import type { TrainingSource } from "../data/data-source.ts";
import type { OptimizerName } from "./options.ts";
import type { TrainFlags } from "./train-options.ts";

/** The flags of a run, with the defaults that depend on the data filled in. */
export interface SettledFlags extends TrainFlags {
  readonly optimizer: OptimizerName;
  readonly validation: number;
}

/** The minimum number of steps of a run without --epochs. */
const LEAST_STEPS = 2000;

/** The minimum number of epochs of a run without --epochs. */
const LEAST_EPOCHS = 3;

/** The fraction of rows held out for regression on a table, and the minimum number of rows for that. */
const HELD_OUT = { fraction: 0.1, leastRows: 50 };

/** The patience of regression on a table, in checks of the validation loss. */
const PATIENCE = 20;

/** The weight decay of adamW on a table. */
const WEIGHT_DECAY = 0.3;

/** The fraction of a table's rows that is held out without --validation. */
export const usualValidation = (rows: Dataset): number =>
  isRegression(rows) && rows.count >= HELD_OUT.leastRows ? HELD_OUT.fraction : 0;

/** Fills in the defaults that depend on the data, for options that were not given. */
export function settledFlags(flags: TrainFlags, { table, train, validation }: TrainingSource): SettledFlags {
  const optimizer = flags.optimizer ?? (table ? "adamW" : "adam");
  const weightDecay = flags.weightDecay ?? (table && optimizer === "adamW" ? WEIGHT_DECAY : undefined);
  const patience = flags.patience ?? (table && isRegression(train) && validation ? PATIENCE : undefined);
  return {
    ...flags,
    optimizer,
    validation: flags.validation ?? (validation ? HELD_OUT.fraction : 0),
    ...(weightDecay !== undefined && { weightDecay }),
    ...(patience !== undefined && { patience }),
  };
}

/** The options that `settledFlags` may fill in, for a run's configuration. */
export function settledOptions({
  optimizer,
  weightDecay,
  validation,
  patience,
}: SettledFlags): Record<string, unknown> {
  return {
    optimizer,
    validation,
    ...(weightDecay !== undefined && { weightDecay }),
    ...(patience !== undefined && { patience }),
  };
}

/** The default number of epochs: enough for `LEAST_STEPS` steps, and at least `LEAST_EPOCHS`. */
export function usualEpochs(examples: number, batch: number | "full"): number {
  const stepsPerEpoch = batch === "full" ? 1 : Math.max(1, Math.floor(examples / batch));
  return Math.max(LEAST_EPOCHS, Math.ceil(LEAST_STEPS / stepsPerEpoch));
}
