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

/** What is trained, on which data, by what and how long. */
export interface TrainerOptions {
  readonly model: Model;
  /** What to learn from; evaluation takes its own. */
  readonly dataset: Dataset;
  readonly backend: Backend;
  /** By default "softmaxCrossEntropy" of classes and "meanSquaredError" of quantities. */
  readonly loss?: LossName | TrainingLoss;
  /** `adam()` by default. */
  readonly optimizer?: Optimizer;
  /** The base rate, finite and above 0; the schedule multiplies it. */
  readonly learningRate: number;
  /** `constant()` by default. */
  readonly schedule?: Schedule;
  /** Examples per step, at most those of the data set; "full" for all of them at every step. */
  readonly batchSize: number | "full";
  /** Passes over the data set, at least 1. */
  readonly epochs: number;
  /** Ends the run earlier, and its schedule with it. */
  readonly maxSteps?: number;
  /** Names the random streams of the order and of dropout; 1 by default. The model has a seed of its own. */
  readonly seed?: number;
  /** How the model sees the features; as they are by default. */
  readonly normalization?: Normalization;
  /** Clips the gradients to this global norm; not at all by default. */
  readonly clipNorm?: number;
  /** Measures the norm of each step's gradient, before it is clipped; not by default. One more value is read back. */
  readonly gradientNorm?: boolean;
  /**
   * Examples whose gradient is computed at a time. By default the whole batch, or as much of it as the backend's
   * largest tensor allows. Dropout draws anew for each part, so with dropout the parts change the result.
   */
  readonly microBatchSize?: number;
  /**
   * What becomes of a step whose loss or gradient is NaN or infinite. Without it nothing is looked for, and such a step
   * spoils the parameters. It costs a dispatch more in a step, and but for "skip" another one of a single element.
   */
  readonly onNonFinite?: NonFiniteChoice;
  /**
   * Of the matrix products of a training step; "float32" by default. With "float16" (mixed precision; Micikevicius et al.
   * 2018, arXiv 1710.03740) the operands of every product are rounded to float16, forward and backward; sums, parameters,
   * the optimizer's state and all else stay float32, and so do evaluation and prediction. An operand beyond float16's
   * ±65,504 is taken as that: an overflow clips one number, and no step is skipped. Needs a device with shader-f16; the
   * CPU rounds likewise, which takes longer than float32 there.
   */
  readonly precision?: Precision;
  /**
   * With "float16", the loss is multiplied by it before its gradient is taken, so that small gradients are not lost, and
   * the gradient divided by it before anything uses it. Finite and above 0, best a power of two, which changes no digit;
   * by default 1024 times the batch size, rounded up to a power of two.
   */
  readonly lossScale?: number;
  /** Goes on from where another trainer of the same options was; from the initial values by default. */
  readonly resumeFrom?: Snapshot;
  /**
   * Seconds between the snapshots in memory from which training goes on where the device is lost, above 0; 5 by
   * default, Infinity for none but the start.
   */
  readonly snapshotSeconds?: number;
  /** Is told when a lost device was replaced. */
  readonly onRecovery?: (recovery: Recovery) => void;
}

/** A device was lost, another one opened, and training went on. */
export interface Recovery {
  /** Why the device was lost. */
  readonly reason: string;
  /** The step that training went back to, and the last one that had been reported: those between are repeated unseen. */
  readonly fromStep: number;
  readonly toStep: number;
}

/** The features as the model reads them by default: value · 1 + 0. */
export const unchanged: Normalization = { scale: 1, offset: 0 };

/**
 * The loss of that name, or the usual one for such data.
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
 * Checks what is trained, on which data and backend.
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
 * Checks the options that do not depend on each other, apart from the sizes of batches.
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
    what: `${excerpt(optimizer)} is no optimizer`,
    fix: "Give one such as optimizers.adam()",
  });
}

function requireSchedule(schedule: Schedule): void {
  if (typeof schedule === "function") return;
  throw new OptionError({
    where: "schedule",
    what: `${excerpt(schedule)} is no schedule`,
    fix: "Give one such as schedules.cosine()",
  });
}

function requireNonFiniteChoice(choice: NonFiniteChoice): void {
  if (nonFiniteChoices.includes(choice)) return;
  const what = `there is no choice ${excerpt(choice)}`;
  throw new OptionError({ where: "onNonFinite", what, fix: `Choose one of ${nonFiniteChoices.join(", ")}` });
}

function requirePrecision(precision: Precision): void {
  if (precisions.includes(precision)) return;
  const what = `there is no precision ${excerpt(precision)}`;
  throw new OptionError({ where: optionName("precision"), what, fix: `Choose one of ${precisions.join(", ")}` });
}

/**
 * Checks that a model takes a data set's examples, as they are or flattened, and that its outputs fit the answers.
 * @throws OptionError
 */
export function requireDataset(model: Model, dataset: Dataset, loss: TrainingLoss): void {
  const { inputShape } = model;
  if (dataset.count === 0) {
    throw new OptionError({ where: dataset.name, what: "there are no examples", fix: "Give at least one" });
  }
  const flat = inputShape.length === 1 && inputShape[0] === sizeOf(dataset.shape);
  if (!flat && inputShape.join() !== dataset.shape.join()) {
    throw new OptionError({
      where: dataset.name,
      what: `an example is [${dataset.shape.join(", ")}] but the model takes [${inputShape.join(", ")}]`,
      fix: `Build the model with inputShape [${dataset.shape.join(", ")}]`,
    });
  }
  if (isRegression(dataset)) requireTargets(loss, model.outputShape, dataset.outputs.length);
  else requireOutputs(loss, model.outputShape, dataset.classes.length);
}

/** How many examples' widest float32 tensor (input or a layer's output) a backend takes at once; at least 1. */
export function rowsThatFit(model: Model, backend: Backend): number {
  const widest = Math.max(...model.shapes.map(sizeOf));
  return Math.max(1, Math.floor(backend.maxTensorBytes / (Float32Array.BYTES_PER_ELEMENT * widest)));
}
