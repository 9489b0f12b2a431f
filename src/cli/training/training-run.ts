/*
 * One training run, from its options to its model, without output: shared by `wgrad train` and `wgrad sweep`.
 */
import type { Backend } from "../../backends/backend.ts";
import { isRegression } from "../../data/dataset.ts";
import { OptionError } from "../../errors.ts";
import { sizeOf } from "../../graph/tensor.ts";
import type { LossName } from "../../nn/losses.ts";
import type { Model } from "../../nn/sequential.ts";
import {
  createTrainer,
  fitUntil,
  type Snapshot,
  type Stop,
  type StoppingOptions,
  type StoppingProgress,
  type Trainer,
} from "../../train/index.ts";
import { measureTrained, resultFacts, type Measurement } from "../../train/measurement.ts";
import { stepsBetweenEvents } from "../../train/stopping.ts";
import { requireThreshold } from "../../train/two-classes.ts";
import { saveModel } from "../../formats/model.ts";
import { writeFileAtomically, type TrainedModel } from "../../node/index.ts";
import type { ExampleSource, TrainingSource } from "../data/data-source.ts";
import { textEpochs, usualEpochs, type SettledFlags } from "../options/defaults.ts";
import { augmentationsFor } from "./augmentation.ts";
import { batchOf, buildNetwork, buildTextNetwork, stepOptions } from "./network.ts";
import { scheduleOf } from "./schedule.ts";
import { hasSameOutputs, startedFrom, type StartingModel } from "./starting-model.ts";

/** The settings of a training run. */
export interface Run<Data extends TrainingSource = TrainingSource> {
  readonly flags: SettledFlags;
  /** Every option with a value, in the form of a configuration file. */
  readonly configuration: Readonly<Record<string, unknown>>;
  readonly data: Data;
  readonly backend: Backend;
  /** The model of --init. */
  readonly start: StartingModel | undefined;
}

/** The model of a run, and its trainer. */
export interface Subject {
  readonly model: Model;
  readonly trainer: Trainer;
}

/** What speeds count. */
export interface SpeedUnit {
  /** In the plural. */
  readonly name: string;
  /** How many of them an example is. */
  readonly perExample: number;
}

export function unitOf({ data }: Run): SpeedUnit {
  if (data.kind === "text") return { name: "tokens", perExample: data.train.context };
  return { name: data.table ? "rows" : "images", perExample: 1 };
}

/**
 * The number of epochs: by default `usualEpochs`, or `textEpochs`. For images the default assumes the default batch size,
 * so that a larger batch does not make the run longer.
 */
export function epochsOf({ flags, data }: Pick<Run, "flags" | "data">): number {
  const { count } = data.train;
  if (data.kind === "text") return textEpochs(flags, count);
  return flags.epochs ?? usualEpochs(count, batchOf(data.table ? flags : {}, count));
}

/** The loss: by default softmaxCrossEntropy for classification and meanSquaredError for regression. */
export const lossOf = ({ flags, data }: Pick<Run, "flags" | "data">): LossName =>
  flags.loss ?? (isRegression(data.train) ? "meanSquaredError" : "softmaxCrossEntropy");

/** Builds the model and the trainer of a run, at a snapshot if one is given. */
export async function prepare(run: Run, resumeFrom?: Snapshot): Promise<Subject> {
  const { flags, data, backend } = run;
  const { maxSteps, lr, gradientTolerance, onNan } = flags;
  const model = modelOf(run);
  const trainer = await createTrainer({
    ...stepOptions(flags, data.train.count),
    model,
    dataset: data.train,
    backend,
    ...(data.kind === "examples" && exampleOptions(flags, data)),
    epochs: epochsOf(run),
    learningRate: lr,
    schedule: scheduleOf(flags),
    gradientNorm: gradientTolerance !== undefined,
    maxSteps,
    onNonFinite: onNan,
    resumeFrom,
  });
  return { model, trainer };
}

/** Builds the model of a run, with its initial values. */
export function modelOf(run: Omit<Run, "backend">): Model {
  const { flags, data } = run;
  return data.kind === "text" ? buildTextNetwork(flags, data.train) : exampleModel(run, data);
}

function exampleModel(run: Omit<Run, "backend">, data: ExampleSource): Model {
  const { flags, start } = run;
  const network = buildNetwork(flags, data.train, {
    isTable: data.table !== undefined,
    replacesHead: start !== undefined && !hasSameOutputs(start.trained, data.train),
  });
  const model = start ? startedFrom(network, flags, start, data.train) : network;
  if (flags.threshold !== undefined) requireThresholdFor(flags.threshold, run, model);
  return model;
}

/** The options of a trainer for images and tables. */
function exampleOptions({ augment, classWeights }: SettledFlags, { train, normalization }: ExampleSource) {
  return {
    normalization,
    augment: augment === undefined || augment === "none" ? undefined : augmentationsFor(augment, train, normalization),
    classWeights: classWeights === "none" ? undefined : classWeights,
  };
}

function requireThresholdFor(threshold: number, run: Pick<Run, "flags" | "data">, { outputShape }: Model): void {
  if (!isRegression(run.data.train)) return requireThreshold(threshold, sizeOf(outputShape), lossOf(run));
  throw new OptionError({ where: "--threshold", what: "a regression has no classes", fix: "Omit this option" });
}

/** Trains with `fitUntil` and the stopping criteria of the options. */
export function fitRun(
  { flags, data }: Run,
  trainer: Trainer,
  more: Pick<StoppingOptions, "signal" | "checkpoint" | "memory" | "pauseEvery"> = {},
): AsyncGenerator<StoppingProgress, Stop, undefined> {
  const { maxSeconds, patience, minImprovement, lossTolerance, gradientTolerance, checkEvery } = flags;
  const options: StoppingOptions = {
    every: stepsBetweenEvents(trainer.totalSteps),
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

/** What was measured on a part of the data. */
export interface Outcome extends Measurement {
  /** The part of the data; see `measure`. */
  readonly part: "test" | "validation" | "training";
  readonly name: string;
}

/** Evaluates on the test set; without one, on the validation set; without either, on the training set. */
export async function measure(run: Run, trainer: Trainer): Promise<Outcome> {
  const { data, flags } = run;
  const part = data.test ? "test" : data.validation ? "validation" : "training";
  const examples = data.test ?? data.validation ?? data.train;
  const table = data.kind === "examples" ? data.table : undefined;
  const measured = await measureTrained(trainer, examples, { loss: lossOf(run), threshold: flags.threshold, table });
  return { part, name: examples.name, ...measured };
}

/** The model after `step` steps, with everything that its file stores. */
export function trainedModel(
  run: Omit<Run, "backend">,
  { model, trainer }: Pick<Subject, "model"> & { readonly trainer: Pick<Trainer, "batchSize"> },
  step: number,
): TrainedModel {
  const { data, configuration } = run;
  return {
    model,
    loss: lossOf(run),
    ...(data.kind === "text"
      ? { normalization: unchanged, classes: [], tokenizer: data.train.tokenizer.config }
      : exampleFacts(run.flags, data)),
    step,
    training: trainingFacts(run, trainer),
    configuration,
  };
}

const unchanged = { scale: 1, offset: 0 };

/** What the file of a model of images or a table stores about its inputs and outputs. */
function exampleFacts({ threshold }: SettledFlags, { train, normalization, table, images }: ExampleSource) {
  return {
    normalization,
    ...(isRegression(train) ? { classes: [], outputs: train.outputs } : { classes: train.classes }),
    ...(table && { table }),
    ...(images && { images }),
    threshold,
  };
}

/** How a model was trained, as stored in its file. */
function trainingFacts(run: Omit<Run, "backend">, { batchSize }: Pick<Trainer, "batchSize">): TrainedModel["training"] {
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
  await writeFileAtomically(path, await savedRun(run, subject, outcome));
}

/** The bytes of the model's file, with its results. */
export async function savedRun(run: Run, subject: Subject, outcome: Outcome): Promise<Uint8Array> {
  const { step, parameters } = await subject.trainer.snapshot();
  const results = resultFacts(outcome.name, outcome);
  return saveModel({ ...trainedModel(run, subject, step), results }, parameters);
}
