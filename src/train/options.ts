import type { Backend } from "../backends/backend.ts";
import type { AnyDataset, Normalization } from "../data/dataset.ts";
import type { DataStream } from "../data/stream.ts";
import type { Augmentation } from "../nn/augmentation.ts";
import type { LossName, TrainingLoss } from "../nn/losses.ts";
import type { Optimizer } from "../nn/optimizers.ts";
import type { Schedule } from "../nn/schedules.ts";
import type { Model } from "../nn/sequential.ts";
import type { ActivationStorage, Precision } from "../precisions.ts";
import type { Normalizations } from "./batches.ts";
import type { NonFiniteChoice } from "./guard.ts";
import type { AnyModel } from "../nn/functional.ts";
import type { OutputsOf } from "./network.ts";
import type { BatchFunction, Objective } from "./objective.ts";
import type { ParameterChoice, ParameterGroup } from "./parameters.ts";
import type { Snapshot } from "./snapshot.ts";

/** The options of a trainer of any model. */
export type AnyTrainerOptions = Omit<TrainerOptions<AnyModel>, "loss" | "metrics"> & {
  readonly loss?: Objective["loss"] | LossName;
  readonly metrics?: Objective["metrics"];
};

/** The options of `createTrainer`. `StepInput` and `Metric` are the types of the names of step inputs and metrics. */
export interface TrainerOptions<
  Kind extends AnyModel = Model,
  StepInput extends string = string,
  Metric extends string = string,
> {
  /**
   * A `Model` takes the features of a batch. The inputs of a `FunctionalModel` are taken from the batch by name; a single
   * input takes the features if no tensor has its name.
   */
  readonly model: Kind;
  /** The training set, a text, or a stream of batches. */
  readonly dataset: AnyDataset | DataStream;
  readonly backend: Backend;
  /**
   * "softmaxCrossEntropy" for classification and "meanSquaredError" for regression by default. A function computes the
   * loss from the model's outputs and the batch: one per example, [examples], or their mean, a scalar. A `TensorDataset`
   * needs a function, or "softmaxCrossEntropy" and a uint32 tensor `labels` [count, …] for outputs [batch, …, classes]: then
   * the loss is the mean over all labels except those that are `IGNORED_TOKEN`; those of a stream are not checked. For a
   * text, the default and "softmaxCrossEntropy" are `nextTokenLoss`.
   */
  readonly loss?: LossName | TrainingLoss | BatchFunction<OutputsOf<Kind>, NoInfer<StepInput>>;
  /**
   * The weight of each class in the loss, finite and at least 0: training multiplies the loss of each example by the
   * weight of its class. "balanced" gives classes with few examples larger weights: examples / (classes · examples of the
   * class), as scikit-learn does; classes without examples do not count. The sum of the weighted losses is divided by the
   * batch size. Evaluation is not weighted. 1 for all by default.
   */
  readonly classWeights?: readonly number[] | "balanced";
  /**
   * Metrics by name, computed on the device in each step: one number per example, [examples], or their mean, a scalar.
   * Progress events and evaluations have their means in `metrics`. Names are letters, digits and "_".
   */
  readonly metrics?: Readonly<Record<Metric, BatchFunction<OutputsOf<Kind>, NoInfer<StepInput>>>>;
  /** `adam()` by default. */
  readonly optimizer?: Optimizer;
  /** The base learning rate, finite and above 0. The schedule multiplies it by a factor. */
  readonly learningRate: number;
  /** `constant()` by default. */
  readonly schedule?: Schedule;
  /**
   * Examples per step, at most the size of the data set. "full" uses all examples of a data set in every step. Each batch
   * of a stream must have this number of examples.
   */
  readonly batchSize: number | "full";
  /** Passes over the data set, at least 1; 1 for a stream without `stepsPerEpoch`. */
  readonly epochs: number;
  /** The maximum number of steps. The schedule then ends there too. A stream without `stepsPerEpoch` needs it. */
  readonly maxSteps?: number;
  /** The seed of the order of the examples and of dropout; 1 by default. The model has its own seed. */
  readonly seed?: number;
  /**
   * How features are normalized before the model sees them; unchanged by default. For other tensors of a data set, give
   * an object with a normalization by the name of each tensor.
   */
  readonly normalization?: Normalization | Normalizations;
  /**
   * Random changes of the training examples, applied in this order in each step after normalization. Evaluation and
   * prediction do not apply them.
   */
  readonly augment?: readonly Augmentation[];
  /**
   * Scalars that depend on the step, by name: functions of the step, counted from 0, and of the number of steps of the run,
   * as schedules are. The loss, metrics and augmentations find them in the batch, for example an annealed weight of a term
   * of the loss. An evaluation uses the values of the last step.
   */
  readonly stepInputs?: Readonly<Record<StepInput, (step: number, totalSteps: number) => number>>;
  /** Parameters that do not change and whose gradient is not computed; none by default. */
  readonly frozen?: ParameterChoice;
  /**
   * Factors of the learning rate and the weight decay, for groups of parameters; 1 for all by default. They are constants
   * of the step's update and add no dispatch, as long as its kernel may bind as many buffers. A parameter may be in one
   * group only.
   */
  readonly parameterGroups?: readonly ParameterGroup[];
  /**
   * Keeps an exponential moving average of each trained parameter: a ← a + (1 − d) (w − a) after each step t, counted
   * from 0, with d = min(averageDecay, (1 + t) / (10 + t)), so that the initial values soon lose their weight (as in
   * TensorFlow's ExponentialMovingAverage). The decay rate is in (0, 1), such as 0.999; no average by default. Evaluate
   * and predict with it by their option `average`, and save it with `averagedParameters`. Snapshots contain it as states
   * "average.NAME".
   */
  readonly averageDecay?: number;
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
   * Computes activations again in the backward pass, so that fewer are in memory at a time (gradient checkpointing; Chen et al.
   * 2016): the outputs of every n-th layer are kept, and what lies between them is computed twice. A whole number of at least 1
   * and below the number of layers; everything is kept by default. With 1, only the values inside of layers are computed again,
   * such as those of a transformer block. Layers inside `sequential` and `tiedEmbedding` count, those inside others do not. Every
   * step gives the same bits, masks of dropout included.
   */
  readonly recompute?: number;
  /**
   * How activations are stored from the forward pass to the backward pass; "float32" by default. With "float16" they take half of
   * the memory: gradients are computed from activations that are rounded to 11 significant bits, in float32 arithmetic. Losses and
   * metrics, the forward pass and the sums of gradients are not rounded. It needs no feature of a GPU, and every backend rounds in
   * the same way; see `withFloat16Activations`. With `recompute`, the kept activations are stored so.
   */
  readonly activationStorage?: ActivationStorage;
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
