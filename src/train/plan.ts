/*
 * The options of a trainer with every default filled in, and the numbers that follow from them, in parts: each file of
 * the training takes the parts that it needs.
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

/** What is trained, and what its loss is. */
export interface ModelPlan {
  readonly model: Model;
  readonly loss: TrainingLoss;
  readonly normalization: Normalization;
  /** The parameters as one vector. The elements of a gradient lie in its slices. */
  readonly packed: Tensor;
}

/** Which examples each step takes. */
export interface DataPlan {
  readonly dataset: Dataset;
  /** Names the random streams of the order of the examples and of dropout. */
  readonly seed: number;
  /** Whether each epoch has an order of its own. The full batch needs none. */
  readonly shuffled: boolean;
  /** Examples per step. */
  readonly batchSize: number;
  /** Examples computed at a time; `batch` where a step is not divided. */
  readonly microBatchSize: number;
  /** ⌊examples / batch⌋. An epoch leaves out the examples at the end of its order that fill no batch. */
  readonly stepsPerEpoch: number;
}

/** What a step computes from its examples. */
export interface StepPlan {
  readonly optimizer: Optimizer;
  readonly clipNorm: number | undefined;
  /** Whether the norm of the gradient is measured. */
  readonly gradientNorm: boolean;
  readonly onNonFinite: NonFiniteChoice | undefined;
  readonly precision: Precision;
  /** 1 where the loss is not scaled. */
  readonly lossScale: number;
}

/** How long the run is, and the learning rate of each step. */
export interface SchedulePlan {
  readonly epochs: number;
  readonly totalSteps: number;
  /** The learning rate of a step, counted from 0. */
  learningRateAt(step: number): number;
}

/** What prepares for the loss of the device. */
export interface RecoveryPlan {
  readonly snapshotSeconds: number;
  readonly onRecovery: (recovery: Recovery) => void;
}

/** A whole training. */
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
 * Checks a trainer's options and derives the numbers of the run.
 * @throws OptionError naming the option at fault
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
  const { optimizer = adam(), clipNorm, gradientNorm = false, onNonFinite, precision = "float32" } = options;
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
    const what = `${excerpt(batchSize)} is no size`;
    throw new OptionError({ where: optionName("batchSize"), what, fix: 'Give a number or "full"' });
  }
  requireCount("batchSize", batchSize);
  if (batchSize > dataset.count) {
    throw new OptionError({
      where: optionName("batchSize"),
      what: `batch ${batchSize} is larger than the data set's ${dataset.count} examples`,
      fix: `Give at most ${dataset.count}, or "full"`,
    });
  }
  return batchSize;
}

/** The wanted size, or that of the fewest equal parts that fit. */
function microBatchOf(wanted: number | undefined, batch: number, fitting: number): number {
  if (wanted === undefined) return Math.ceil(batch / Math.ceil(batch / fitting));
  requireCount("microBatchSize", wanted);
  return Math.min(wanted, batch);
}

/** The default factor of one example's loss, at least. */
const EXAMPLE_SCALE = 1024;

function lossScaleOf(wanted: number | undefined, precision: Precision, batch: number): number {
  if (wanted === undefined) return precision === "float16" ? 2 ** Math.ceil(Math.log2(EXAMPLE_SCALE * batch)) : 1;
  requirePositiveFloat32("lossScale", wanted);
  if (precision === "float16") return wanted;
  throw new OptionError({
    where: "lossScale",
    what: "the loss is scaled with precision float16 only",
    fix: "Leave it out",
  });
}
