/*
 * One training run, from its options to its model, without output: shared by `wgrad train` and `wgrad sweep`.
 */
import type { Backend } from "../../backends/backend.ts";
import { isRegression, type Dataset } from "../../data/dataset.ts";
import { OptionError } from "../../errors.ts";
import { sizeOf } from "../../graph/tensor.ts";
import type { LossName } from "../../nn/losses.ts";
import { warmup as warmedUp, type Schedule } from "../../nn/schedules.ts";
import type { Model } from "../../nn/sequential.ts";
import {
  createTrainer,
  fitUntil,
  type Evaluation,
  type Snapshot,
  type RegressionMetrics,
  type Stop,
  type StoppingOptions,
  type StoppingProgress,
  type Trainer,
} from "../../train/index.ts";
import { requireThreshold } from "../../train/two-classes.ts";
import { saveModelFile, type TrainedModel } from "../../node/index.ts";
import type { TrainingSource } from "../data/data-source.ts";
import { usualEpochs, type SettledFlags } from "../options/defaults.ts";
import { augmentationsFor } from "./augmentation.ts";
import { batchOf, buildNetwork, stepOptions } from "./network.ts";
import { schedules } from "../options/options.ts";
import { hasSameOutputs, startedFrom, type StartingModel } from "./starting-model.ts";
import { measureClasses } from "../text/class-metrics.ts";
import { measureRegression, type TargetMetrics } from "../text/target-metrics.ts";

/** The settings of a training run. */
export interface Run {
  readonly flags: SettledFlags;
  /** Every option with a value, in the form of a configuration file. */
  readonly configuration: Readonly<Record<string, unknown>>;
  readonly data: TrainingSource;
  readonly backend: Backend;
  /** The model of --init. */
  readonly start: StartingModel | undefined;
}

/** The model of a run, and its trainer. */
export interface Subject {
  readonly model: Model;
  readonly trainer: Trainer;
}

/** What one example is called, in the plural. */
export const unitOf = ({ data }: Run): string => (data.table ? "rows" : "images");

/**
 * The number of epochs: by default `usualEpochs`. For images the default assumes the default batch size, so that a
 * larger batch does not make the run longer.
 */
export function epochsOf({ flags, data }: Pick<Run, "flags" | "data">): number {
  const { count } = data.train;
  return flags.epochs ?? usualEpochs(count, batchOf(data.table ? flags : {}, count));
}

/** The loss: by default softmaxCrossEntropy for classification and meanSquaredError for regression. */
export const lossOf = ({ flags, data }: Pick<Run, "flags" | "data">): LossName =>
  flags.loss ?? (isRegression(data.train) ? "meanSquaredError" : "softmaxCrossEntropy");

/** The learning-rate schedule after the warmup. @throws OptionError for --rise with a schedule that does not rise */
function decayOf({ schedule, rise }: Pick<SettledFlags, "schedule" | "rise">): Schedule {
  if (rise === undefined) return schedules[schedule]();
  if (schedule === "oneCycle") return schedules.oneCycle({ rise });
  throw new OptionError({
    where: "--rise",
    what: `the schedule ${schedule} does not raise the learning rate`,
    fix: "Use --schedule oneCycle",
  });
}

/** Builds the model and the trainer of a run, at a snapshot if one is given. */
export async function prepare(run: Run, resumeFrom?: Snapshot): Promise<Subject> {
  const { flags, data, backend, start } = run;
  const { maxSteps, lr, warmup, gradientTolerance, onNan, augment, classWeights } = flags;
  const network = buildNetwork(flags, data.train, {
    isTable: data.table !== undefined,
    replacesHead: start !== undefined && !hasSameOutputs(start.trained, data.train),
  });
  const model = start ? startedFrom(network, flags, start, data.train) : network;
  if (flags.threshold !== undefined) requireThresholdFor(flags.threshold, run, model);
  const decay = decayOf(flags);
  const trainer = await createTrainer({
    ...stepOptions(flags, data.train.count),
    model,
    dataset: data.train,
    backend,
    normalization: data.normalization,
    epochs: epochsOf(run),
    learningRate: lr,
    schedule: warmup > 0 ? warmedUp(warmup, decay) : decay,
    ...(augment !== undefined && { augment: augmentationsFor(augment, data.train, data.normalization) }),
    ...(classWeights !== undefined && { classWeights }),
    gradientNorm: gradientTolerance !== undefined,
    maxSteps,
    onNonFinite: onNan,
    resumeFrom,
  });
  return { model, trainer };
}

function requireThresholdFor(threshold: number, run: Run, { outputShape }: Model): void {
  if (!isRegression(run.data.train)) return requireThreshold(threshold, sizeOf(outputShape), lossOf(run));
  throw new OptionError({ where: "--threshold", what: "a regression has no classes", fix: "Omit this option" });
}

/** The most steps between two events, so that Ctrl-C takes effect soon. */
const MOST_STEPS_BETWEEN_EVENTS = 100;

/** Trains with `fitUntil` and the stopping criteria of the options. */
export function fitRun(
  { flags, data }: Run,
  trainer: Trainer,
  more: Pick<StoppingOptions, "signal" | "checkpoint" | "memory"> = {},
): AsyncGenerator<StoppingProgress, Stop, undefined> {
  const { maxSeconds, patience, minImprovement, lossTolerance, gradientTolerance, checkEvery } = flags;
  const options: StoppingOptions = {
    every: Math.min(MOST_STEPS_BETWEEN_EVENTS, Math.ceil(trainer.totalSteps / 100)),
    minImprovement,
    validation: data.validation,
    maxSeconds,
    patience,
    lossTolerance,
    gradientTolerance,
    checkEvery,
    ...more,
  };
  return fitUntil(trainer, options);
}

/** The metrics of a trained network on a part of the data. */
export interface Outcome {
  /** The part of the data; see `measure`. */
  readonly part: "test" | "validation" | "training";
  readonly name: string;
  readonly evaluation: Evaluation;
  /** For regression, in the units of the targets; means if there are several. */
  readonly regression: RegressionMetrics | undefined;
  /** For regression with several targets, the metrics of each in its own units; otherwise empty. */
  readonly targets: readonly TargetMetrics[];
}

/** Evaluates on the test set; without one, on the validation set; without either, on the training set. */
export async function measure(run: Run, trainer: Trainer): Promise<Outcome> {
  const { data, flags } = run;
  const part = data.test ? "test" : data.validation ? "validation" : "training";
  const examples: Dataset = data.test ?? data.validation ?? data.train;
  const evaluation = await trainer.evaluate(examples);
  const outcome = { part, name: examples.name, evaluation } as const;
  if (!isRegression(examples)) {
    const { threshold } = flags;
    if (threshold === undefined) return { ...outcome, regression: undefined, targets: [] };
    const outputs = await trainer.predict(examples.features);
    const { accuracy } = measureClasses(examples, outputs, { loss: lossOf(run), threshold }).classification;
    return { ...outcome, evaluation: { ...evaluation, accuracy }, regression: undefined, targets: [] };
  }
  return { ...outcome, ...measureRegression(examples, await trainer.predict(examples.features), data.table) };
}

/** The model after `step` steps, with everything that its file stores. */
export function trainedModel(run: Run, { model, trainer }: Subject, step: number): TrainedModel {
  const { data, flags, configuration } = run;
  const { train, normalization, table, images } = data;
  return {
    model,
    loss: lossOf(run),
    normalization,
    ...(isRegression(train) ? { classes: [], outputs: train.outputs } : { classes: train.classes }),
    step,
    training: trainingFacts(run, trainer),
    configuration,
    ...(table && { table }),
    ...(images && { images }),
    ...(flags.threshold !== undefined && { threshold: flags.threshold }),
  };
}

/** How a model was trained, as stored in its file. */
function trainingFacts(run: Run, { batchSize }: Trainer): TrainedModel["training"] {
  const { optimizer, lr: learningRate, schedule, warmup, seed } = run.flags;
  const facts = {
    data: run.data.train.name,
    optimizer,
    learningRate,
    schedule,
    warmup,
    batch: batchSize,
    epochs: epochsOf(run),
    seed,
  };
  return run.start ? { ...facts, startedFrom: run.start.path } : facts;
}

/** Saves the model with its results. */
export async function saveRun(path: string, run: Run, subject: Subject, outcome: Outcome): Promise<void> {
  const { step, parameters } = await subject.trainer.snapshot();
  const ofTargets = outcome.targets.flatMap(({ name, r2, rmse, mae }) => [
    [`r2.${name}`, r2],
    [`rmse.${name}`, rmse],
    [`mae.${name}`, mae],
  ]);
  const results = {
    data: outcome.name,
    ...outcome.evaluation,
    ...outcome.regression,
    ...Object.fromEntries(ofTargets),
  };
  await saveModelFile(path, { ...trainedModel(run, subject, step), results }, parameters);
}
