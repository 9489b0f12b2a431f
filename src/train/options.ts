import type { Backend } from "../backends/backend.ts";
import { isRegression, type Normalization, type Dataset } from "../data/dataset.ts";
import { requireNormalization } from "../data/normalization.ts";
import { excerpt, OptionError, optionName } from "../errors.ts";
import { sizeOf } from "../graph/tensor.ts";
import { entryOf, requireCount, requireNumber, requirePositiveFloat32, requireSeed } from "../nn/checks.ts";
import { losses, requireOutputs, requireTargets, type LossName, type TrainingLoss } from "../nn/losses.ts";
import type { Optimizer } from "../nn/optimizers.ts";
import type { Schedule } from "../nn/schedules.ts";
import type { Model } from "../nn/sequential.ts";
import { precisions, type Precision } from "../ops/matmul/precision.ts";
import { requireBackend, requireData, requireModel } from "./given.ts";
import { nonFiniteChoices, type NonFiniteChoice } from "./guard.ts";
import type { Snapshot } from "./snapshot.ts";

/** The options of `createTrainer`. */
export interface TrainerOptions {
  readonly model: Model;
  /** The training set. */
  readonly dataset: Dataset;
  readonly backend: Backend;
  /** "softmaxCrossEntropy" for classification and "meanSquaredError" for regression by default. */
  readonly loss?: LossName | TrainingLoss;
  /** `adam()` by default. */
  readonly optimizer?: Optimizer;
  /** The base learning rate, finite and above 0. The schedule multiplies it by a factor. */
  readonly learningRate: number;
  /** `constant()` by default. */
  readonly schedule?: Schedule;
  /** Examples per step, at most the size of the data set. "full" uses all examples in every step. */
  readonly batchSize: number | "full";
  /** Passes over the data set, at least 1. */
  readonly epochs: number;
  /** The maximum number of steps. The schedule then ends there too. */
  readonly maxSteps?: number;
  /** The seed of the order of the examples and of dropout; 1 by default. The model has its own seed. */
  readonly seed?: number;
  /** How features are normalized before the model sees them; unchanged by default. */
  readonly normalization?: Normalization;
  /** Clips the gradients to this global norm; no clipping by default. */
  readonly clipNorm?: number;
  /**
   * Whether to measure the norm of each step's gradient, before clipping; false by default. It is read back with the
   * loss.
   */
  readonly gradientNorm?: boolean;
  /**
   * Examples whose gradient is computed at a time. By default the whole batch, or as many examples as fit the backend's
   * largest tensor. Dropout draws new masks for each part, so with dropout the division changes the result.
   */
  readonly microBatchSize?: number;
  /**
   * What to do if the loss or gradient of a step is NaN or infinite: see `nonFiniteChoices`; "stop" by default. The kernels
   * that compute the gradient check it, so the check adds no dispatch to a step, and one to a step whose batch is divided.
   * For a divided step, only the gradient is checked.
   */
  readonly onNonFinite?: NonFiniteChoice;
  /**
   * The precision of the matrix products of a training step; "float32" by default. With "float16" (mixed precision;
   * Micikevicius et al. 2018, arXiv 1710.03740) the operands of every product are rounded to float16, forward and
   * backward. Sums, parameters, the optimizer's state and everything else stay float32, as do evaluation and
   * prediction. Operands beyond ±65,504, the range of float16, are clipped to it; no step is skipped. A GPU needs the
   * feature shader-f16. The CPU backend rounds in the same way, which is slower there than float32.
   */
  readonly precision?: Precision;
  /**
   * With "float16", the factor by which the loss is multiplied before its gradient is computed, so that small gradients
   * do not underflow. The gradient is divided by it before it is used. Finite and above 0, preferably a power of two,
   * which does not change the digits; by default 1024 times the batch size, rounded up to a power of two.
   */
  readonly lossScale?: number;
  /**
   * A snapshot of another trainer with the same options, to continue from; by default training starts from the initial
   * values.
   */
  readonly resumeFrom?: Snapshot;
  /**
   * Seconds between the snapshots in memory that training goes back to if the device is lost, above 0; 5 by default.
   * With Infinity only the start is kept.
   */
  readonly snapshotSeconds?: number;
  /** Called after a lost device was replaced. */
  readonly onRecovery?: (recovery: Recovery) => void;
}

/** A device was lost and replaced, and training continued. */
export interface Recovery {
  /** Why the device was lost. */
  readonly reason: string;
  /**
   * The step that training went back to, and the last step that had been reported. The steps between them are repeated
   * without new events.
   */
  readonly fromStep: number;
  readonly toStep: number;
}

/** The default: features are not changed. */
export const unchanged: Normalization = { scale: 1, offset: 0 };

/**
 * The loss with that name, or the default for the task.
 * @throws OptionError for an unknown name
 */
export function lossFor(dataset: Dataset, loss: LossName | TrainingLoss | undefined): TrainingLoss {
  if (loss !== undefined) return lossOf(loss);
  return isRegression(dataset) ? losses.meanSquaredError : losses.softmaxCrossEntropy;
}

/** @throws OptionError for an unknown name */
export function lossOf(loss: LossName | TrainingLoss): TrainingLoss {
  const isOwn = typeof loss === "object" && loss !== null && ("perExample" in loss || "perTarget" in loss);
  return isOwn ? loss : entryOf<TrainingLoss>("loss", "loss", losses, loss);
}

/**
 * Checks the model, the backend and the data set.
 * @returns the loss
 * @throws OptionError
 */
export function requireSubject({ model, backend, dataset, loss: wanted }: TrainerOptions): TrainingLoss {
  requireModel("model", model);
  requireBackend("backend", backend);
  requireData("dataset", dataset);
  const loss = lossFor(dataset, wanted);
  requireDataset(model, dataset, loss);
  if (model.parameters.length === 0) {
    throw new OptionError({ where: "model", what: "there are no parameters to train", fix: "Add a dense layer" });
  }
  return loss;
}

/**
 * Checks the options that do not depend on each other, except the batch sizes.
 * @throws OptionError
 */
export function requireSettings(options: TrainerOptions): void {
  const { dataset, optimizer, schedule, learningRate, epochs, maxSteps, clipNorm, seed } = options;
  const { onNonFinite, snapshotSeconds, normalization, precision } = options;
  if (optimizer !== undefined) requireOptimizer(optimizer);
  if (schedule !== undefined) requireSchedule(schedule);
  requirePositiveFloat32("learningRate", learningRate);
  requireCount("epochs", epochs);
  if (maxSteps !== undefined) requireCount("maxSteps", maxSteps);
  if (clipNorm !== undefined) requirePositiveFloat32("clipNorm", clipNorm);
  if (seed !== undefined) requireSeed("seed", seed);
  if (onNonFinite !== undefined) requireNonFiniteChoice(onNonFinite);
  if (snapshotSeconds !== undefined)
    requireNumber("snapshotSeconds", snapshotSeconds, snapshotSeconds > 0, "a number above 0, or Infinity");
  if (normalization !== undefined) requireNormalization(normalization, sizeOf(dataset.shape));
  if (precision !== undefined) requirePrecision(precision);
}

function requireOptimizer(optimizer: Optimizer): void {
  if (typeof (optimizer as Partial<Optimizer> | null)?.update === "function") return;
  throw new OptionError({
    where: "optimizer",
    what: `${excerpt(optimizer)} is not an optimizer`,
    fix: "Give an optimizer such as optimizers.adam()",
  });
}

function requireSchedule(schedule: Schedule): void {
  if (typeof schedule === "function") return;
  throw new OptionError({
    where: "schedule",
    what: `${excerpt(schedule)} is not a schedule`,
    fix: "Give a schedule such as schedules.cosine()",
  });
}

function requireNonFiniteChoice(choice: NonFiniteChoice): void {
  if (nonFiniteChoices.includes(choice)) return;
  const what = `unknown value ${excerpt(choice)}`;
  throw new OptionError({ where: "onNonFinite", what, fix: `Choose one of ${nonFiniteChoices.join(", ")}` });
}

function requirePrecision(precision: Precision): void {
  if (precisions.includes(precision)) return;
  const what = `unknown precision ${excerpt(precision)}`;
  throw new OptionError({ where: optionName("precision"), what, fix: `Choose one of ${precisions.join(", ")}` });
}

/**
 * Checks that the examples of a data set fit the model's input, possibly after flattening, and that its outputs fit the
 * labels or targets.
 * @throws OptionError
 */
export function requireDataset(model: Model, dataset: Dataset, loss: TrainingLoss): void {
  const { inputShape } = model;
  if (dataset.count === 0) {
    throw new OptionError({
      where: dataset.name,
      what: "the data set has no examples",
      fix: "Give at least one example",
    });
  }
  const flat = inputShape.length === 1 && inputShape[0] === sizeOf(dataset.shape);
  if (!flat && inputShape.join() !== dataset.shape.join()) {
    throw new OptionError({
      where: dataset.name,
      what: `an example has the shape [${dataset.shape.join(", ")}] but the model's input has [${inputShape.join(", ")}]`,
      fix: `Build the model with inputShape [${dataset.shape.join(", ")}]`,
    });
  }
  if (isRegression(dataset)) requireTargets(loss, model.outputShape, dataset.outputs.length);
  else requireOutputs(loss, model.outputShape, dataset.classes.length);
}

/**
 * The largest number of examples for which every float32 tensor of the model (its input and the layers' outputs) fits
 * the backend's largest tensor; at least 1.
 */
export function rowsThatFit(model: Model, backend: Backend): number {
  const widest = Math.max(...model.shapes.map(sizeOf));
  return Math.max(1, Math.floor(backend.maxTensorBytes / (Float32Array.BYTES_PER_ELEMENT * widest)));
}
