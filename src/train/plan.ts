/*
 * The options of a trainer with all defaults filled in, and the numbers derived from them. They are grouped, so that
 * each file takes only the groups that it needs.
 */
import type { Backend } from "../backends/backend.ts";
import { describeDataset } from "../data/columns.ts";
import type { AnyDataset } from "../data/dataset.ts";
import { excerpt, OptionError, optionName } from "../errors.ts";
import type { Tensor } from "../graph/tensor.ts";
import type { Augmentation } from "../nn/augmentation.ts";
import { requireCount, requirePositiveFloat32 } from "../nn/checks.ts";
import { adam, type Optimizer, type ParameterFactors } from "../nn/optimizers.ts";
import { packGradients } from "../nn/packed.ts";
import { constant } from "../nn/schedules.ts";
import type { Precision } from "../ops/matmul/precision.ts";
import { planAverage, type AveragePlan } from "./average.ts";
import type { BatchLayout, Normalizations } from "./batches.ts";
import { classWeightsOf } from "./class-weights.ts";
import { requireBackend, requireData, requireModel, requireOptionsObject, requireSnapshot } from "./given.ts";
import type { NonFiniteChoice } from "./guard.ts";
import type { AnyModel } from "../nn/functional.ts";
import { networkOf, type Network } from "./network.ts";
import type { Objective } from "./objective.ts";
import type { AnyTrainerOptions, Recovery } from "./options.ts";
import { factorsOf, trainedOf } from "./parameters.ts";
import { requireFunctions, requireSettings } from "./settings.ts";
import type { Snapshot } from "./snapshot.ts";
import {
  matched,
  normalizableWidth,
  normalizationsOf,
  requireExamples,
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
  readonly dataset: AnyDataset;
  readonly layout: BatchLayout;
  /** The seed of the order of the examples and of dropout. */
  readonly seed: number;
  /** Whether each epoch has its own order. False for full batches. */
  readonly shuffled: boolean;
  /** Examples per step. */
  readonly batchSize: number;
  /** Examples whose gradient is computed at a time; equal to `batchSize` unless a step is divided into parts. */
  readonly microBatchSize: number;
  /** ⌊examples / batchSize⌋. Each epoch leaves out the examples at the end of its order that do not fill a batch. */
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
  /** The learning rate of a step, counted from 0. */
  learningRateAt(step: number): number;
}

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
  readonly recovery: RecoveryPlan;
  readonly resumeFrom: Snapshot | undefined;
}

/**
 * Checks a trainer's options and fills in the defaults.
 * @throws OptionError that names the option
 */
export function planTraining(options: AnyTrainerOptions): TrainingPlan {
  requireOptionsObject("createTrainer", options);
  const { backend, resumeFrom, snapshotSeconds = 5, onRecovery = () => {} } = options;
  requireModel("model", options.model);
  requireBackend("backend", backend);
  requireData("dataset", options.dataset);
  requireExamples(options.dataset);
  const description = describeDataset(options.dataset);
  const network = networkOf(options.model);
  const normalizations = normalizationsOf(options.normalization);
  const { layout, loss } = matched(network, description, { loss: options.loss, normalizations });
  requireNormalizations(normalizations, normalizableWidth(description));
  const model = planModel(options, { network, normalizations, loss });
  requireSettings(options);
  const data = planData(options, network, layout);
  const schedule = planSchedule(options, data.stepsPerEpoch);
  if (resumeFrom !== undefined) requireSnapshot("resumeFrom", resumeFrom, schedule.totalSteps);
  return {
    backend,
    model,
    data,
    step: planStep(options, model, data),
    schedule,
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

function planData(options: AnyTrainerOptions, network: Network, layout: BatchLayout): DataPlan {
  const { backend, dataset, batchSize: wanted, microBatchSize, seed = 1 } = options;
  const batchSize = batchOf(wanted, dataset);
  return {
    dataset,
    layout,
    seed,
    shuffled: wanted !== "full",
    batchSize,
    microBatchSize: microBatchOf(microBatchSize, batchSize, rowsThatFit(network, backend, layout)),
    stepsPerEpoch: Math.floor(dataset.count / batchSize),
  };
}

function planStep(options: AnyTrainerOptions, { trained }: ModelPlan, { batchSize, layout }: DataPlan): StepPlan {
  const { optimizer = adam(), clipNorm, gradientNorm = false, augment = [], stepInputs = {} } = options;
  const { onNonFinite = "stop", precision = "float32" } = options;
  const taken = Object.keys(stepInputs).find((name) => Object.hasOwn(layout.columns, name));
  if (taken !== undefined) {
    const what = "the data set has a tensor of this name";
    throw new OptionError({ where: `stepInputs ${taken}`, what, fix: "Choose another name" });
  }
  const lossScale = lossScaleOf(options.lossScale, precision, batchSize);
  const factors = factorsOf(options.model.parameters, trained, options.parameterGroups, optimizer);
  return { optimizer, factors, clipNorm, gradientNorm, onNonFinite, precision, lossScale, augment, stepInputs };
}

function planSchedule(options: AnyTrainerOptions, stepsPerEpoch: number): SchedulePlan {
  const { epochs, maxSteps = Infinity, learningRate, schedule = constant() } = options;
  const totalSteps = Math.min(epochs * stepsPerEpoch, maxSteps);
  return { epochs, totalSteps, learningRateAt: (step) => learningRate * schedule(step, totalSteps) };
}

function batchOf(batchSize: number | "full", dataset: AnyDataset): number {
  if (batchSize === "full") return dataset.count;
  if (typeof batchSize !== "number") {
    const what = `${excerpt(batchSize)} is not a batch size`;
    throw new OptionError({ where: optionName("batchSize"), what, fix: 'Give a number or "full"' });
  }
  requireCount("batchSize", batchSize);
  if (batchSize > dataset.count) {
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
