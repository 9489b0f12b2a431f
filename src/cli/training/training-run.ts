/*
 * One training run, from its options to its model, without output: shared by `wgrad train` and `wgrad sweep`.
 */
import type { Backend } from "../../backends/backend.ts";
import { isRegression } from "../../data/dataset.ts";
import { isText } from "../../data/text/windows.ts";
import { OptionError } from "../../errors.ts";
import { sizeOf } from "../../graph/tensor.ts";
import type { LossName } from "../../nn/losses.ts";
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
import { saveModel } from "../../formats/model.ts";
import { writeFileAtomically, type TrainedModel } from "../../node/index.ts";
import type { ExampleSource, TrainingSource } from "../data/data-source.ts";
import { textEpochs, usualEpochs, type SettledFlags } from "../options/defaults.ts";
import { augmentationsFor } from "./augmentation.ts";
import { batchOf, buildNetwork, buildTextNetwork, stepOptions } from "./network.ts";
import { scheduleOf } from "./schedule.ts";
import { hasSameOutputs, startedFrom, type StartingModel } from "./starting-model.ts";
import { measureClasses } from "../text/class-metrics.ts";
import { measureLanguage, type LanguageMetrics } from "../text/language-metrics.ts";
import { measureRegression, type TargetMetrics } from "../text/target-metrics.ts";

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
  const model = data.kind === "text" ? buildTextNetwork(flags, data.train) : exampleModel(run, data);
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

function exampleModel(run: Run, data: ExampleSource): Model {
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
  more: Pick<StoppingOptions, "signal" | "checkpoint" | "memory" | "pauseEvery"> = {},
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
  /** For text. */
  readonly language: LanguageMetrics | undefined;
}

/** Evaluates on the test set; without one, on the validation set; without either, on the training set. */
export async function measure(run: Run, trainer: Trainer): Promise<Outcome> {
  const { data, flags } = run;
  const part = data.test ? "test" : data.validation ? "validation" : "training";
  const examples = data.test ?? data.validation ?? data.train;
  const evaluation = await trainer.evaluate(examples);
  const outcome: Outcome = {
    part,
    name: examples.name,
    evaluation,
    regression: undefined,
    targets: [],
    language: undefined,
  };
  if (isText(examples)) return { ...outcome, language: measureLanguage(evaluation.loss, examples) };
  if (!isRegression(examples)) {
    const { threshold } = flags;
    if (threshold === undefined) return outcome;
    const outputs = await trainer.predict(examples.features);
    const { accuracy } = measureClasses(examples, outputs, { loss: lossOf(run), threshold }).classification;
    return { ...outcome, evaluation: { ...evaluation, accuracy } };
  }
  return { ...outcome, ...measureRegression(examples, await trainer.predict(examples.features), data.table) };
}

/** The model after `step` steps, with everything that its file stores. */
export function trainedModel(run: Run, { model, trainer }: Subject, step: number): TrainedModel {
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
  await writeFileAtomically(path, await savedRun(run, subject, outcome));
}

/** The bytes of the model's file, with its results. */
export async function savedRun(run: Run, subject: Subject, outcome: Outcome): Promise<Uint8Array> {
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
    ...outcome.language,
    ...Object.fromEntries(ofTargets),
  };
  return saveModel({ ...trainedModel(run, subject, step), results }, parameters);
}
