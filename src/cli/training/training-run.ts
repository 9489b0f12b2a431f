/*
 * One training from its options to its model, without a word on the screen: what `wgrad train` and `wgrad sweep` share.
 */
import type { Backend } from "../../backends/backend.ts";
import { isRegression, type Dataset } from "../../data/dataset.ts";
import type { LossName } from "../../nn/losses.ts";
import { warmup as warmedUp } from "../../nn/schedules.ts";
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
import { saveModelFile, type TrainedModel } from "../../node/index.ts";
import type { TrainingSource } from "../data/data-source.ts";
import { usualEpochs, type SettledFlags } from "../options/defaults.ts";
import { batchOf, buildNetwork, stepOptions } from "./network.ts";
import { schedules } from "../options/options.ts";
import { startedFrom, type StartingModel } from "./starting-model.ts";
import { measureRegression, type TargetMetrics } from "../text/target-metrics.ts";

export interface Run {
  readonly flags: SettledFlags;
  /** Every option, as a configuration file would say it. */
  readonly configuration: Readonly<Record<string, unknown>>;
  readonly data: TrainingSource;
  readonly backend: Backend;
  /** What --init names. */
  readonly start: StartingModel | undefined;
}

/** What is trained. */
export interface Subject {
  readonly model: Model;
  readonly trainer: Trainer;
}

/** What the command line counts. */
export const unitOf = ({ data }: Run): string => (data.table ? "rows" : "images");

/** Those of --epochs; of pictures else as many as the usual batch size makes, so that a larger one takes no longer. */
export function epochsOf({ flags, data }: Pick<Run, "flags" | "data">): number {
  const { count } = data.train;
  return flags.epochs ?? usualEpochs(count, batchOf(data.table ? flags : {}, count));
}

/** What training lowers: the usual one of the data where none is named. */
export const lossOf = ({ flags, data }: Pick<Run, "flags" | "data">): LossName =>
  flags.loss ?? (isRegression(data.train) ? "meanSquaredError" : "softmaxCrossEntropy");

export async function prepare(run: Run, resumeFrom?: Snapshot): Promise<Subject> {
  const { flags, data, backend, start } = run;
  const { maxSteps, lr, warmup, gradientTolerance, onNan } = flags;
  const network = buildNetwork(flags, data.train, data.table !== undefined);
  const model = start ? startedFrom(network, flags, start, data.train) : network;
  const decay = schedules[flags.schedule]();
  const trainer = await createTrainer({
    ...stepOptions(flags, data.train.count),
    model,
    dataset: data.train,
    backend,
    normalization: data.normalization,
    epochs: epochsOf(run),
    learningRate: lr,
    schedule: warmup > 0 ? warmedUp(warmup, decay) : decay,
    gradientNorm: gradientTolerance !== undefined,
    maxSteps,
    onNonFinite: onNan === "ignore" ? undefined : onNan,
    resumeFrom,
  });
  return { model, trainer };
}

/** The most steps from one event to the next, so that Ctrl-C is heard soon. */
const MOST_STEPS_BETWEEN_EVENTS = 100;

/** Trains until a reason to stop is found; see `fitUntil`. */
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

/** What a trained network gave on a part of the data. */
export interface Outcome {
  /** Which part: the examples that are farthest from training. */
  readonly part: "test" | "validation" | "training";
  readonly name: string;
  readonly evaluation: Evaluation;
  /** Of a quantity, in its own units. */
  readonly regression: RegressionMetrics | undefined;
  /** Of each of several quantities, in its own units; none of one, and of classes. */
  readonly targets: readonly TargetMetrics[];
}

/** Measures on the test set, else on what was held back, else on the training set. */
export async function measure({ data }: Run, trainer: Trainer): Promise<Outcome> {
  const part = data.test ? "test" : data.validation ? "validation" : "training";
  const examples: Dataset = data.test ?? data.validation ?? data.train;
  const evaluation = await trainer.evaluate(examples);
  const outcome = { part, name: examples.name, evaluation } as const;
  if (!isRegression(examples)) return { ...outcome, regression: undefined, targets: [] };
  return { ...outcome, ...measureRegression(examples, await trainer.predict(examples.features), data.table) };
}

/** The model after so many steps, with all that is needed to use it again. */
export function trainedModel(run: Run, { model, trainer }: Subject, step: number): TrainedModel {
  const { data, configuration } = run;
  const { train, normalization, table } = data;
  return {
    model,
    loss: lossOf(run),
    normalization,
    ...(isRegression(train) ? { classes: [], outputs: train.outputs } : { classes: train.classes }),
    step,
    training: trainingFacts(run, trainer),
    configuration,
    ...(table && { table }),
  };
}

/** How a model was trained, as its file says it. */
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

/** Writes the model with what it gave. */
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
