/*
 * The options of a trainer with all defaults filled in, and the numbers derived from them. They are grouped, so that
 * each file takes only the groups that it needs.
 */
import type { Backend } from "../backends/backend.ts";
import type { Normalization, Dataset } from "../data/dataset.ts";
import { excerpt, OptionError, optionName } from "../errors.ts";
import type { Tensor } from "../graph/tensor.ts";
import { requireCount, requirePositiveFloat32 } from "../nn/checks.ts";
import type { TrainingLoss } from "../nn/losses.ts";
import { adam, type Optimizer } from "../nn/optimizers.ts";
import { packGradients } from "../nn/packed.ts";
import { constant } from "../nn/schedules.ts";
import type { Model } from "../nn/sequential.ts";
import type { Precision } from "../ops/matmul/precision.ts";
import { requireOptionsObject, requireSnapshot } from "./given.ts";
import type { NonFiniteChoice } from "./guard.ts";
import {
  requireSettings,
  requireSubject,
  rowsThatFit,
  unchanged,
  type Recovery,
  type TrainerOptions,
} from "./options.ts";
import type { Snapshot } from "./snapshot.ts";

/** The model, its normalization and its loss. */
export interface ModelPlan {
  readonly model: Model;
  readonly loss: TrainingLoss;
  readonly normalization: Normalization;
  /** The parameters as one vector, in the layout of the packed gradient. */
  readonly packed: Tensor;
}

/** The examples of each step. */
export interface DataPlan {
  readonly dataset: Dataset;
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
  readonly clipNorm: number | undefined;
  /** Whether the norm of the gradient is measured. */
  readonly gradientNorm: boolean;
  readonly onNonFinite: NonFiniteChoice;
  readonly precision: Precision;
  /** 1 if the loss is not scaled. */
  readonly lossScale: number;
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
export function planTraining(options: TrainerOptions): TrainingPlan {
  requireOptionsObject("createTrainer", options);
  const loss = requireSubject(options);
  requireSettings(options);
  const { backend, resumeFrom, snapshotSeconds = 5, onRecovery = () => {} } = options;
  const data = planData(options);
  const schedule = planSchedule(options, data.stepsPerEpoch);
  if (resumeFrom !== undefined) requireSnapshot("resumeFrom", resumeFrom, schedule.totalSteps);
  return {
    backend,
    model: planModel(options, loss),
    data,
    step: planStep(options, data.batchSize),
    schedule,
    recovery: { snapshotSeconds, onRecovery },
    resumeFrom,
  };
}

function planModel({ model, normalization = unchanged }: TrainerOptions, loss: TrainingLoss): ModelPlan {
  return { model, loss, normalization, packed: packGradients(model.parameters) };
}

function planData({ model, backend, dataset, batchSize: wanted, microBatchSize, seed = 1 }: TrainerOptions): DataPlan {
  const batchSize = batchOf(wanted, dataset);
  return {
    dataset,
    seed,
    shuffled: wanted !== "full",
    batchSize,
    microBatchSize: microBatchOf(microBatchSize, batchSize, rowsThatFit(model, backend)),
    stepsPerEpoch: Math.floor(dataset.count / batchSize),
  };
}

function planStep(options: TrainerOptions, batch: number): StepPlan {
  const { optimizer = adam(), clipNorm, gradientNorm = false } = options;
  const { onNonFinite = "stop", precision = "float32" } = options;
  const lossScale = lossScaleOf(options.lossScale, precision, batch);
  return { optimizer, clipNorm, gradientNorm, onNonFinite, precision, lossScale };
}

function planSchedule(options: TrainerOptions, stepsPerEpoch: number): SchedulePlan {
  const { epochs, maxSteps = Infinity, learningRate, schedule = constant() } = options;
  const totalSteps = Math.min(epochs * stepsPerEpoch, maxSteps);
  return { epochs, totalSteps, learningRateAt: (step) => learningRate * schedule(step, totalSteps) };
}

function batchOf(batchSize: number | "full", dataset: Dataset): number {
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
