/*
 * Defaults that depend on the data. docs/data.md says what they are and how they were chosen.
 */
import { isRegression, type Dataset } from "../../data/dataset.ts";
import type { TrainingSource } from "../data/data-source.ts";
import type { OptimizerName } from "./options.ts";
import type { TrainFlags } from "./train-options.ts";

/** The flags of a run, where defaults that depend on the data are filled in. */
export interface SettledFlags extends TrainFlags {
  readonly optimizer: OptimizerName;
  readonly validation: number;
}

/** A run makes at least so many steps where no epochs are named. */
const LEAST_STEPS = 2000;

/** And sees each example at least so often. */
const LEAST_EPOCHS = 3;

/** Of a table of quantities, and from how many rows on. */
const HELD_BACK = { share: 0.1, leastRows: 50 };

/** Checks without a lower validation loss that end a run on a table of quantities. */
const PATIENCE = 20;

/** Of the weights of a run on a table. */
const WEIGHT_DECAY = 0.3;

/** The share of a table's rows that is held back where none is named. */
export const usualValidation = (rows: Dataset): number =>
  isRegression(rows) && rows.count >= HELD_BACK.leastRows ? HELD_BACK.share : 0;

/** The options that depend on the data, each as it was given or else as it is by default. */
export function settledFlags(flags: TrainFlags, { table, train, validation }: TrainingSource): SettledFlags {
  const optimizer = flags.optimizer ?? (table ? "adamW" : "adam");
  const weightDecay = flags.weightDecay ?? (table && optimizer === "adamW" ? WEIGHT_DECAY : undefined);
  const patience = flags.patience ?? (table && isRegression(train) && validation ? PATIENCE : undefined);
  return {
    ...flags,
    optimizer,
    validation: flags.validation ?? (validation ? HELD_BACK.share : 0),
    ...(weightDecay !== undefined && { weightDecay }),
    ...(patience !== undefined && { patience }),
  };
}

/** What `settledFlags` filled in, for a run's configuration. */
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

/** As many epochs as make `LEAST_STEPS`, and at least `LEAST_EPOCHS`. */
export function usualEpochs(examples: number, batch: number | "full"): number {
  const stepsPerEpoch = batch === "full" ? 1 : Math.max(1, Math.floor(examples / batch));
  return Math.max(LEAST_EPOCHS, Math.ceil(LEAST_STEPS / stepsPerEpoch));
}
