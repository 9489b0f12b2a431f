import type { Backend } from "../backends/backend.ts";
import { isRegression, type Normalization, type TrainingData } from "../data/dataset.ts";
import { requireNormalization } from "../data/normalization.ts";
import { excerpt, OptionError, optionName } from "../errors.ts";
import { sizeOf, type Tensor } from "../graph/tensor.ts";
import { entryOf, requireCount, requireNumber, requirePositiveFloat32, requireSeed } from "../nn/checks.ts";
import { losses, requireOutputs, requireTargets, type LossName, type TrainingLoss } from "../nn/losses.ts";
import { adam, type Optimizer } from "../nn/optimizers.ts";
import { packGradients } from "../nn/packed.ts";
import { constant, type Schedule } from "../nn/schedules.ts";
import type { Model } from "../nn/sequential.ts";
import { precisions, type Precision } from "../ops/matmul/precision.ts";
import { requireBackend, requireData, requireModel, requireOptionsObject, requireSnapshot } from "./given.ts";
import { nonFiniteChoices, type NonFiniteChoice } from "./guard.ts";
import type { Snapshot } from "./snapshot.ts";

/** What is trained, on which data, by what and how long. */
export interface TrainerOptions {
  readonly model: Model;
  /** What to learn from; evaluation takes its own. */
  readonly dataset: TrainingData;
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

/** The options with every default filled in, and the numbers that follow from them. */
export interface TrainingPlan {
  readonly model: Model;
  readonly dataset: TrainingData;
  readonly backend: Backend;
  readonly loss: TrainingLoss;
  readonly optimizer: Optimizer;
  readonly seed: number;
  readonly normalization: Normalization;
  readonly clipNorm: number | undefined;
  readonly precision: Precision;
  /** 1 where the loss is not scaled. */
  readonly lossScale: number;
  readonly gradientNorm: boolean;
  /** Examples per step. */
  readonly batch: number;
  /** Examples at a time; `batch` where a step is not divided. */
  readonly microBatch: number;
  /** Whether each epoch has an order of its own; the full batch needs none. */
  readonly shuffled: boolean;
  /** ⌊examples / batch⌋: what is left of an epoch's order is not visited in that epoch. */
  readonly stepsPerEpoch: number;
  readonly epochs: number;
  readonly stepsTotal: number;
  /** The learning rate at a step, counted from 0. */
  learningRateAt(step: number): number;
  readonly onNonFinite: NonFiniteChoice | undefined;
  /** The parameters as one vector, in whose slices a gradient's elements lie. */
  readonly packed: Tensor;
  readonly resumeFrom: Snapshot | undefined;
  readonly snapshotSeconds: number;
  readonly onRecovery: (recovery: Recovery) => void;
}

/** The features as the model reads them by default: value · 1 + 0. */
export const unchanged: Normalization = { scale: 1, offset: 0 };

/**
 * Checks a trainer's options and derives the run's numbers.
 * @throws OptionError naming the option at fault
 */
export function planTraining(options: TrainerOptions): TrainingPlan {
  requireOptionsObject("createTrainer", options);
  const { model, dataset, backend, learningRate, epochs, maxSteps, seed = 1, clipNorm, resumeFrom, onNonFinite } = options;
  const { optimizer = adam(), schedule = constant(), normalization = unchanged } = options;
  const { gradientNorm = false, snapshotSeconds = 5, onRecovery = () => {}, precision = "float32" } = options;
  requireModel("model", model);
  requireBackend("backend", backend);
  requireData("dataset", dataset);
  const loss = lossFor(dataset, options.loss);
  requireDataset(model, dataset, loss);
  if (model.parameters.length === 0) {
    throw new OptionError({ where: "model", what: "there are no parameters to train", fix: "Add a dense layer" });
  }
  requireRules(optimizer, schedule);
  requirePositiveFloat32("learningRate", learningRate);
  requireCount("epochs", epochs);
  if (maxSteps !== undefined) requireCount("maxSteps", maxSteps);
  if (clipNorm !== undefined) requirePositiveFloat32("clipNorm", clipNorm);
  requireSeed("seed", seed);
  if (onNonFinite !== undefined && !nonFiniteChoices.includes(onNonFinite)) {
    const what = `there is no choice ${excerpt(onNonFinite)}`;
    throw new OptionError({ where: "onNonFinite", what, fix: `Choose one of ${nonFiniteChoices.join(", ")}` });
  }
  requireNumber("snapshotSeconds", snapshotSeconds, snapshotSeconds > 0, "a number above 0, or Infinity");
  requireNormalization(normalization, sizeOf(dataset.shape));
  requirePrecision(precision);
  const batch = batchOf(options.batchSize, dataset);
  const stepsPerEpoch = Math.floor(dataset.count / batch);
  const stepsTotal = Math.min(epochs * stepsPerEpoch, maxSteps ?? Infinity);
  if (resumeFrom !== undefined) requireSnapshot("resumeFrom", resumeFrom, stepsTotal);
  return {
    model,
    dataset,
    backend,
    loss,
    optimizer,
    seed,
    normalization,
    clipNorm,
    precision,
    lossScale: lossScaleOf(options.lossScale, precision, batch),
    gradientNorm,
    batch,
    microBatch: microBatchOf(options.microBatchSize, batch, rowsThatFit(model, backend)),
    shuffled: options.batchSize !== "full",
    stepsPerEpoch,
    epochs,
    stepsTotal,
    learningRateAt: (step) => learningRate * schedule(step, stepsTotal),
    onNonFinite,
    packed: packGradients(model.parameters),
    resumeFrom,
    snapshotSeconds,
    onRecovery,
  };
}

/**
 * The loss of that name, or the usual one for such data.
 * @throws OptionError for an unknown name
 */
export function lossFor(dataset: TrainingData, loss: LossName | TrainingLoss | undefined): TrainingLoss {
  if (loss !== undefined) return lossOf(loss);
  return isRegression(dataset) ? losses.meanSquaredError : losses.softmaxCrossEntropy;
}

/** @throws OptionError for an unknown name */
export function lossOf(loss: LossName | TrainingLoss): TrainingLoss {
  const isOwn = typeof loss === "object" && loss !== null && ("perExample" in loss || "perTarget" in loss);
  return isOwn ? loss : entryOf<TrainingLoss>("loss", "loss", losses, loss);
}

/** @throws OptionError for what is no optimizer or no schedule */
function requireRules(optimizer: Optimizer, schedule: Schedule): void {
  if (typeof (optimizer as Partial<Optimizer> | null)?.update !== "function") {
    throw new OptionError({ where: "optimizer", what: `${excerpt(optimizer)} is no optimizer`, fix: "Give one such as optimizers.adam()" });
  }
  if (typeof schedule !== "function") {
    throw new OptionError({ where: "schedule", what: `${excerpt(schedule)} is no schedule`, fix: "Give one such as schedules.cosine()" });
  }
}

/**
 * Checks that a model takes a data set's examples, as they are or flattened, and that its outputs fit the answers.
 * @throws OptionError
 */
export function requireDataset(model: Model, dataset: TrainingData, loss: TrainingLoss): void {
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

function batchOf(batchSize: number | "full", dataset: TrainingData): number {
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

/** What one example's gradient is multiplied by at least, by default. */
const EXAMPLE_SCALE = 1024;

function requirePrecision(precision: Precision): void {
  if (precisions.includes(precision)) return;
  const what = `there is no precision ${excerpt(precision)}`;
  throw new OptionError({ where: optionName("precision"), what, fix: `Choose one of ${precisions.join(", ")}` });
}

function lossScaleOf(wanted: number | undefined, precision: Precision, batch: number): number {
  if (wanted === undefined) return precision === "float16" ? 2 ** Math.ceil(Math.log2(EXAMPLE_SCALE * batch)) : 1;
  requirePositiveFloat32("lossScale", wanted);
  if (precision === "float16") return wanted;
  throw new OptionError({ where: "lossScale", what: "the loss is scaled with precision float16 only", fix: "Leave it out" });
}

/** How many examples' widest float32 tensor (input or a layer's output) a backend takes at once; at least 1. */
export function rowsThatFit(model: Model, backend: Backend): number {
  const widest = Math.max(...model.shapes.map(sizeOf));
  return Math.max(1, Math.floor(backend.maxTensorBytes / (Float32Array.BYTES_PER_ELEMENT * widest)));
}

/** The wanted size, or that of the fewest equal parts that fit. */
function microBatchOf(wanted: number | undefined, batch: number, fitting: number): number {
  if (wanted === undefined) return Math.ceil(batch / Math.ceil(batch / fitting));
  requireCount("microBatchSize", wanted);
  return Math.min(wanted, batch);
}
