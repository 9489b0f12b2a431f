/*
 * The options of a trainer with all defaults filled in, and the numbers derived from them. They are grouped, so that
 * each file takes only the groups that it needs.
 */
import type { Backend } from "../backends/backend.ts";
import type { AnyDataset } from "../data/dataset.ts";
import type { DataStream } from "../data/stream.ts";
import { isText } from "../data/text/windows.ts";
import { excerpt, OptionError, optionName } from "../errors.ts";
import { refuseMisspelledOptions } from "../option-names.ts";
import type { Tensor } from "../graph/tensor.ts";
import type { Augmentation } from "../nn/augmentation.ts";
import { requireCount, requirePositiveFloat32 } from "../nn/checks.ts";
import { adam, type Optimizer, type ParameterFactors } from "../nn/optimizers.ts";
import { packGradients } from "../nn/packed.ts";
import { constant } from "../nn/schedules.ts";
import type { ActivationStorage, Precision } from "../precisions.ts";
import { planAverage, type AveragePlan } from "./average.ts";
import type { BatchLayout, Normalizations } from "./batches.ts";
import { classWeightsOf } from "./class-weights.ts";
import { fitsDevice } from "./feed/feed.ts";
import type { StreamReader } from "./feed/reader.ts";
import { trainerOptionNames } from "./trainer-option-names.ts";
import { requireBackend, requireModel, requireSnapshot, requireSource } from "./given.ts";
import type { NonFiniteChoice } from "./guard.ts";
import type { AnyModel } from "../nn/functional.ts";
import { networkOf, type Network } from "./network.ts";
import type { Objective } from "./objective.ts";
import type { AnyTrainerOptions, Recovery } from "./options.ts";
import { factorsOf, trainedOf } from "./parameters.ts";
import { requireFunctions, requireSettings } from "./settings.ts";
import { StepPlaces } from "./share.ts";
import type { Snapshot } from "./snapshot.ts";
import {
  describeSource,
  matched,
  normalizableWidth,
  normalizationsOf,
  requireNormalizations,
  rowsThatFit,
} from "./subject.ts";

/** The model, the normalization of its inputs, its loss and its metrics. */
export interface ModelPlan {
  readonly model: AnyModel;
  readonly network: Network;
  readonly objective: Objective;
  readonly normalizations: Normalizations;
  /** The parameters that are not frozen. */
  readonly trained: readonly Tensor[];
  /** The trained parameters as one vector, in the layout of the packed gradient. */
  readonly packed: Tensor;
  /** The moving averages of the trained parameters, if they are kept. */
  readonly average: AveragePlan | undefined;
}

/** The examples of each step. */
export interface DataPlan {
  /** The data set, or what reads the batches of a stream. */
  readonly source: AnyDataset | StreamReader;
  readonly layout: BatchLayout;
  /** The seed of the order of the examples and of dropout. */
  readonly seed: number;
  /** Whether each epoch has its own order. False for full batches. */
  readonly shuffled: boolean;
  /** Examples per step. */
  readonly batchSize: number;
  /** Examples whose gradient is computed at a time; equal to `batchSize` unless a step is divided into parts. */
  readonly microBatchSize: number;
  /** ⌊examples / batchSize⌋, or that of a stream. Each epoch leaves out the examples at the end of its order that do not fill a batch. */
  readonly stepsPerEpoch: number;
}

/** What a step computes from its examples. */
export interface StepPlan {
  readonly optimizer: Optimizer;
  /** One entry per trained parameter; undefined if all are 1. */
  readonly factors: readonly ParameterFactors[] | undefined;
  readonly clipNorm: number | undefined;
  /** Whether the norm of the gradient is measured. */
  readonly gradientNorm: boolean;
  /** Only the outputs of every n-th layer are kept for the backward pass; undefined if all values are kept. */
  readonly recompute: number | undefined;
  readonly activationStorage: ActivationStorage;
  readonly onNonFinite: NonFiniteChoice;
  readonly precision: Precision;
  /** 1 if the loss is not scaled. */
  readonly lossScale: number;
  readonly augment: readonly Augmentation[];
  readonly stepInputs: Readonly<Record<string, (step: number) => number>>;
}

/** How long the run is, and the learning rate of each step. */
export interface SchedulePlan {
  readonly epochs: number;
  readonly totalSteps: number;
  /** The learning rate of a step of the run, counted from 0. */
  learningRateAt(step: number): number;
  /** The factor of the learning rate in a step of the trainer, counted from 0; the last call of `fit` gave it. */
  rateFactor: (step: number) => number;
}

/** The `rateFactor` of a call of `fit` without one. */
export const unchangedRate = (): number => 1;

/** The learning rate of a step of the trainer, counted from 0. */
export const rateOf = ({ places, schedule }: Pick<TrainingPlan, "places" | "schedule">, step: number): number =>
  schedule.learningRateAt(places.scheduleStep(step)) * schedule.rateFactor(step);

/** How to recover from the loss of the device. */
export interface RecoveryPlan {
  readonly snapshotSeconds: number;
  readonly onRecovery: (recovery: Recovery) => void;
}

/** The complete plan of a run. */
export interface TrainingPlan {
  readonly backend: Backend;
  readonly model: ModelPlan;
  readonly data: DataPlan;
  readonly step: StepPlan;
  readonly schedule: SchedulePlan;
  /** Where the trainer's steps are in the run; it changes when the trainer is given another share. */
  readonly places: StepPlaces;
  readonly recovery: RecoveryPlan;
  readonly resumeFrom: Snapshot | undefined;
}

/**
 * Checks a trainer's options and fills in the defaults.
 * @throws OptionError that names the option
 */
export async function planTraining(options: AnyTrainerOptions): Promise<TrainingPlan> {
  refuseMisspelledOptions("createTrainer", options, trainerOptionNames);
  const { backend, resumeFrom, snapshotSeconds = 5, onRecovery = () => {} } = options;
  requireModel("model", options.model);
  requireBackend("backend", backend);
  requireSource("dataset", options.dataset);
  const description = describeSource(options.dataset);
  const network = networkOf(options.model);
  const normalizations = normalizationsOf(options.normalization);
  const { layout, loss } = matched(network, description, { loss: options.loss, normalizations });
  requireNormalizations(normalizations, normalizableWidth(description));
  const model = planModel(options, { network, normalizations, loss });
  requireSettings(options);
  const sizes = planSizes(options, network, layout);
  const schedule = planSchedule(options, sizes.stepsPerEpoch);
  if (resumeFrom !== undefined) requireSnapshot("resumeFrom", resumeFrom, schedule.totalSteps);
  const data = { ...sizes, layout, source: await sourceOf(options, { ...sizes, layout }, schedule.totalSteps) };
  return {
    backend,
    model,
    data,
    step: planStep(options, { model, data, schedule }),
    schedule,
    places: new StepPlaces(),
    recovery: { snapshotSeconds, onRecovery },
    resumeFrom,
  };
}

function planModel(
  options: AnyTrainerOptions,
  { network, normalizations, loss }: Pick<ModelPlan, "network" | "normalizations"> & Pick<Objective, "loss">,
): ModelPlan {
  const { model, dataset, frozen, averageDecay, metrics = {}, classWeights } = options;
  if (model.parameters.length === 0) {
    throw new OptionError({ where: "model", what: "there are no parameters to train", fix: "Add a dense layer" });
  }
  requireFunctions("metrics", metrics, "(outputs, batch) => mean(outputs)");
  const objective = { loss, metrics, classWeights: classWeightsOf(dataset, classWeights) };
  const trained = trainedOf(model.parameters, frozen);
  const average = averageDecay === undefined ? undefined : planAverage(averageDecay, trained);
  return { model, network, objective, normalizations, trained, packed: packGradients(trained), average };
}

function planSizes(
  options: AnyTrainerOptions,
  network: Network,
  layout: BatchLayout,
): Omit<DataPlan, "source" | "layout"> {
  const { backend, dataset, batchSize: wanted, maxSteps, microBatchSize, seed = 1 } = options;
  const batchSize = batchOf(wanted, dataset);
  return {
    seed,
    shuffled: wanted !== "full" && !isText(dataset),
    batchSize,
    microBatchSize: microBatchOf(microBatchSize, batchSize, rowsThatFit(network, backend, layout)),
    // The windows of a text may overlap, so there is a step in any case.
    stepsPerEpoch:
      "batches" in dataset ? stepsOfStream(dataset, maxSteps) : Math.max(1, Math.floor(dataset.count / batchSize)),
  };
}

function stepsOfStream({ name: where, stepsPerEpoch }: DataStream, maxSteps: number | undefined): number {
  const steps = stepsPerEpoch ?? maxSteps;
  if (steps !== undefined) return steps;
  const what = "this stream does not say how many batches an epoch has";
  throw new OptionError({ where, what, fix: "Give it stepsPerEpoch, or the trainer maxSteps" });
}

async function sourceOf(
  { dataset, backend, resumeFrom }: AnyTrainerOptions,
  data: Omit<DataPlan, "source">,
  totalSteps: number,
): Promise<DataPlan["source"]> {
  if (!("batches" in dataset) && (!isText(dataset) || fitsDevice(dataset, backend))) return dataset;
  const { openReader } = await import("./feed/stream.ts");
  const { maxTensorBytes } = backend;
  const resumedStep = resumeFrom?.stream === undefined ? resumeFrom?.step : undefined;
  return openReader(dataset, data, { maxTensorBytes, totalSteps, resumedStep });
}

function planStep(
  options: AnyTrainerOptions,
  {
    model: { trained },
    data: { batchSize, layout },
    schedule: { totalSteps },
  }: Pick<TrainingPlan, "model" | "data" | "schedule">,
): StepPlan {
  const { optimizer = adam(), clipNorm, gradientNorm = false, augment = [], stepInputs = {} } = options;
  const { onNonFinite = "stop", precision = "float32", recompute, activationStorage = "float32" } = options;
  const taken = Object.keys(stepInputs).find((name) => Object.hasOwn(layout.columns, name));
  if (taken !== undefined) {
    const what = "the data set has a tensor of this name";
    throw new OptionError({ where: `stepInputs ${taken}`, what, fix: "Choose another name" });
  }
  const lossScale = lossScaleOf(options.lossScale, precision, batchSize);
  const factors = factorsOf(options.model.parameters, trained, options.parameterGroups, optimizer);
  const own = ofRun(stepInputs, totalSteps);
  const numbers = { clipNorm, gradientNorm, recompute, activationStorage, onNonFinite, precision, lossScale };
  return { optimizer, factors, ...numbers, augment, stepInputs: own };
}

/** Step inputs as functions of the step alone. */
function ofRun(stepInputs: NonNullable<AnyTrainerOptions["stepInputs"]>, totalSteps: number): StepPlan["stepInputs"] {
  const entries = Object.entries(stepInputs).map(
    ([name, valueAt]) => [name, (step: number) => valueAt(step, totalSteps)] as const,
  );
  return Object.fromEntries(entries);
}

function planSchedule(options: AnyTrainerOptions, stepsPerEpoch: number): SchedulePlan {
  const { epochs, maxSteps = Infinity, learningRate, schedule = constant() } = options;
  const totalSteps = Math.min(epochs * stepsPerEpoch, maxSteps);
  const learningRateAt = (step: number) => learningRate * schedule(step, totalSteps);
  return { epochs, totalSteps, learningRateAt, rateFactor: unchangedRate };
}

function batchOf(batchSize: number | "full", dataset: AnyDataset | DataStream): number {
  const isDrawn = "batches" in dataset || isText(dataset);
  if (batchSize === "full" && !isDrawn) return dataset.count;
  if (typeof batchSize !== "number") {
    const what = `${excerpt(batchSize)} is not a batch size${isDrawn ? " of a stream or a text" : ""}`;
    throw new OptionError({
      where: optionName("batchSize"),
      what,
      fix: isDrawn ? "Give a number" : 'Give a number or "full"',
    });
  }
  requireCount("batchSize", batchSize);
  if (!isDrawn && batchSize > dataset.count) {
    throw new OptionError({
      where: optionName("batchSize"),
      what: `the batch size ${batchSize} is larger than the data set, which has ${dataset.count} examples`,
      fix: `Give at most ${dataset.count}, or "full"`,
    });
  }
  return batchSize;
}

/** The given size, or the size of the smallest number of equal parts that fit. */
function microBatchOf(wanted: number | undefined, batch: number, fitting: number): number {
  if (wanted === undefined) return Math.ceil(batch / Math.ceil(batch / fitting));
  requireCount("microBatchSize", wanted);
  return Math.min(wanted, batch);
}

/** The minimum of the default factor for the loss of one example. */
const EXAMPLE_SCALE = 1024;

function lossScaleOf(wanted: number | undefined, precision: Precision, batch: number): number {
  if (wanted === undefined) return precision === "float16" ? 2 ** Math.ceil(Math.log2(EXAMPLE_SCALE * batch)) : 1;
  requirePositiveFloat32("lossScale", wanted);
  if (precision === "float16") return wanted;
  throw new OptionError({
    where: "lossScale",
    what: 'the loss is scaled only with precision "float16"',
    fix: "Remove this option",
  });
}
