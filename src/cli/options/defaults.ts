/*
 * Defaults that depend on the data. docs/data.md lists them and explains how they were chosen.
 */
import { isRegression, type Dataset } from "../../data/dataset.ts";
import type { ExampleSource, TrainingSource } from "../data/data-source.ts";
import type { TextSource } from "../data/text-source.ts";
import { adams, type OptimizerName } from "./options.ts";
import type { TrainFlags } from "./train-options.ts";

/** The flags of a run, with the defaults that depend on the data filled in. */
export interface SettledFlags extends TrainFlags {
  readonly optimizer: OptimizerName;
  readonly validation: number;
  readonly warmup: number;
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

/** The defaults for text that depend on other options: nanoGPT's for characters on a CPU. */
const TEXT = { steps: 2000, weightDecay: 0.1, beta2: 0.99, finalRate: 0.1, warmup: { steps: 100, fraction: 0.05 } };

/** The fraction of a table's rows that is held out without --validation. */
export const usualValidation = (rows: Dataset): number =>
  isRegression(rows) && rows.count >= HELD_OUT.leastRows ? HELD_OUT.fraction : 0;

/** The fraction of a text that is held out without --validation. */
export const TEXT_VALIDATION = 0.1;

/** Fills in the defaults that depend on the data, for options that were not given. */
export function settledFlags(flags: TrainFlags, data: TrainingSource): SettledFlags {
  return data.kind === "text" ? settledTextFlags(flags, data) : settledExampleFlags(flags, data);
}

function settledTextFlags(flags: TrainFlags, { train, validation }: TextSource): SettledFlags {
  const { optimizer = "adamW", schedule, epochs } = flags;
  const maxSteps = flags.maxSteps ?? (epochs === undefined ? TEXT.steps : undefined);
  const steps = Math.min(maxSteps ?? Infinity, (epochs ?? Infinity) * textStepsPerEpoch(flags, train.count));
  return {
    ...flags,
    optimizer,
    validation: flags.validation ?? (validation ? TEXT_VALIDATION : 0),
    warmup: flags.warmup ?? Math.min(TEXT.warmup.steps, Math.floor(TEXT.warmup.fraction * steps)),
    ...(maxSteps !== undefined && { maxSteps }),
    ...(optimizer === "adamW" && { weightDecay: flags.weightDecay ?? TEXT.weightDecay }),
    ...(optimizer in adams && { beta2: flags.beta2 ?? TEXT.beta2 }),
    ...(schedule === "cosine" && { finalRate: flags.finalRate ?? TEXT.finalRate }),
  };
}

/** The steps that fill the windows of a text. */
const textStepsPerEpoch = ({ batch = 1 }: Pick<TrainFlags, "batch">, windows: number): number =>
  batch === "full" ? 1 : Math.max(1, Math.floor(windows / batch));

/** The epochs of a run on text: by default as many as the maximum number of steps takes. */
export const textEpochs = (
  { epochs, maxSteps = TEXT.steps, batch }: Pick<TrainFlags, "epochs" | "maxSteps" | "batch">,
  windows: number,
): number => epochs ?? Math.ceil(maxSteps / textStepsPerEpoch({ batch }, windows));

function settledExampleFlags(flags: TrainFlags, { table, train, validation }: ExampleSource): SettledFlags {
  const optimizer = flags.optimizer ?? (table ? "adamW" : "adam");
  const weightDecay = flags.weightDecay ?? (table && optimizer === "adamW" ? WEIGHT_DECAY : undefined);
  const patience = flags.patience ?? (table && isRegression(train) && validation ? PATIENCE : undefined);
  return {
    ...flags,
    optimizer,
    validation: flags.validation ?? (validation ? HELD_OUT.fraction : 0),
    warmup: flags.warmup ?? 0,
    ...(weightDecay !== undefined && { weightDecay }),
    ...(patience !== undefined && { patience }),
  };
}

/** The options that `settledFlags` may fill in, for a run's configuration. */
export function settledOptions(flags: SettledFlags): Record<string, unknown> {
  const { optimizer, validation, warmup, weightDecay, beta2, finalRate, maxSteps, patience } = flags;
  const optional = Object.entries({ weightDecay, beta2, finalRate, maxSteps, patience });
  return {
    optimizer,
    validation,
    warmup,
    ...Object.fromEntries(optional.filter(([, value]) => value !== undefined)),
  };
}

/** The default number of epochs: enough for `LEAST_STEPS` steps, and at least `LEAST_EPOCHS`. */
export function usualEpochs(examples: number, batch: number | "full"): number {
  const stepsPerEpoch = batch === "full" ? 1 : Math.max(1, Math.floor(examples / batch));
  return Math.max(LEAST_EPOCHS, Math.ceil(LEAST_STEPS / stepsPerEpoch));
}
