import type { Backend } from "../backends/backend.ts";
import type { Dataset, Normalization } from "../data/dataset.ts";
import { OptionError } from "../errors.ts";
import { sizeOf } from "../graph/tensor.ts";
import { entryOf, requireCount, requireNumber, requirePositive, requireSeed, written } from "../nn/checks.ts";
import { losses, requireOutputs, type ClassificationLoss, type LossName } from "../nn/losses.ts";
import { adam, type Optimizer } from "../nn/optimizers.ts";
import { constant, type Schedule } from "../nn/schedules.ts";
import type { Model } from "../nn/sequential.ts";

export interface TrainerOptions {
  readonly model: Model;
  /** What to learn from; evaluation takes its own. */
  readonly dataset: Dataset;
  readonly backend: Backend;
  /** "softmaxCrossEntropy" by default. */
  readonly loss?: LossName | ClassificationLoss;
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
  /**
   * Examples whose gradient is computed at a time. By default the whole batch, or as much of it as the backend's
   * largest tensor allows. Dropout draws anew for each part, so with dropout the parts change the result.
   */
  readonly microBatchSize?: number;
}

/** The options with every default filled in, and the numbers that follow from them. */
export interface TrainingPlan {
  readonly model: Model;
  readonly dataset: Dataset;
  readonly backend: Backend;
  readonly loss: ClassificationLoss;
  readonly optimizer: Optimizer;
  readonly seed: number;
  readonly normalization: Normalization;
  readonly clipNorm: number | undefined;
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
}

/** The features as the model reads them by default: value · 1 + 0. */
export const unchanged: Normalization = { scale: 1, offset: 0 };

/**
 * Checks a trainer's options and derives the run's numbers.
 * @throws OptionError naming the option at fault
 */
export function planTraining(options: TrainerOptions): TrainingPlan {
  const { model, dataset, backend, learningRate, epochs, maxSteps, seed = 1, clipNorm } = options;
  const { optimizer = adam(), schedule = constant(), normalization = unchanged } = options;
  const loss = lossOf(options.loss ?? "softmaxCrossEntropy");
  requireDataset(model, dataset, loss);
  if (model.parameters.length === 0) {
    throw new OptionError({ where: "model", what: "there are no parameters to train", fix: "Add a dense layer" });
  }
  requirePositive("learningRate", learningRate);
  requireCount("epochs", epochs);
  if (maxSteps !== undefined) requireCount("maxSteps", maxSteps);
  if (clipNorm !== undefined) requirePositive("clipNorm", clipNorm);
  requireSeed("seed", seed);
  requireNormalization(normalization);
  const batch = batchOf(options.batchSize, dataset);
  const stepsPerEpoch = Math.floor(dataset.count / batch);
  const stepsTotal = Math.min(epochs * stepsPerEpoch, maxSteps ?? Infinity);
  return {
    model,
    dataset,
    backend,
    loss,
    optimizer,
    seed,
    normalization,
    clipNorm,
    batch,
    microBatch: microBatchOf(options.microBatchSize, batch, rowsThatFit(model, backend)),
    shuffled: options.batchSize !== "full",
    stepsPerEpoch,
    epochs,
    stepsTotal,
    learningRateAt: (step) => learningRate * schedule(step, stepsTotal),
  };
}

/** @throws OptionError for an unknown name */
export function lossOf(loss: LossName | ClassificationLoss): ClassificationLoss {
  return typeof loss === "object" ? loss : entryOf<ClassificationLoss>("loss", "loss", losses, loss);
}

/** @throws OptionError where scale or offset is not finite */
export function requireNormalization({ scale, offset }: Normalization): void {
  requireNumber("normalization scale", scale, Number.isFinite(scale), "a finite number");
  requireNumber("normalization offset", offset, Number.isFinite(offset), "a finite number");
}

/**
 * Checks that a model takes a data set's examples, as they are or flattened, and that its outputs fit the classes.
 * @throws OptionError
 */
export function requireDataset(model: Model, dataset: Dataset, loss: ClassificationLoss): void {
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
  requireOutputs(loss, model.outputShape, dataset.classes.length);
}

function batchOf(batchSize: number | "full", dataset: Dataset): number {
  if (batchSize === "full") return dataset.count;
  if (typeof batchSize !== "number") {
    const what = `${written(batchSize)} is no size`;
    throw new OptionError({ where: "batchSize", what, fix: 'Give a number or "full"' });
  }
  requireCount("batchSize", batchSize);
  if (batchSize > dataset.count) {
    throw new OptionError({
      where: "batchSize",
      what: `batch ${batchSize} is larger than the data set's ${dataset.count} examples`,
      fix: `Give at most ${dataset.count}, or "full"`,
    });
  }
  return batchSize;
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
