/*
 * What a batch is measured by: its loss, its correct predictions, and metrics of one's own.
 */
import { GraphError } from "../errors.ts";
import { constant } from "../graph/leaves.ts";
import { requireTensor, type Tensor } from "../graph/tensor.ts";
import type { Batch } from "../nn/batch.ts";
import type { NamedTensors } from "../nn/functional.ts";
import type { RegressionLoss, TrainingLoss } from "../nn/losses.ts";
import { multiply } from "../ops/elementwise/index.ts";
import { take } from "../ops/indexing/index.ts";
import { argmax, sum } from "../ops/reduce/index.ts";
import { onlyOf, shownOutputs, type Network } from "./network.ts";

/**
 * A loss or metric as a function. `StepInput` is the type of the names of step inputs.
 * @param outputs the output of a `Model`, or the named outputs of a `FunctionalModel`
 * @param batch the tensors that the step trains on: normalized, and changed by augmentations; also the step inputs
 * @returns float32 [examples], or a scalar, which counts as the mean over the examples
 */
export type BatchFunction<Outputs = Tensor, StepInput extends string = string> = (
  outputs: Outputs,
  batch: Batch & NamedTensors<StepInput>,
) => Tensor;

/** A `BatchFunction` for outputs of any kind, as functions of models of different kinds are kept. */
type AnyFunction = BatchFunction<never>;

/** The loss, with the weights of the classes, and the metrics of a model. */
export interface Objective {
  readonly loss: TrainingLoss | AnyFunction;
  /** One per class. Used in training only. */
  readonly classWeights: readonly number[] | undefined;
  readonly metrics: Readonly<Record<string, AnyFunction>>;
}

/** The examples that are measured. */
export interface Measured {
  readonly network: Network;
  readonly outputs: NamedTensors;
  readonly batch: Batch;
  /** Number of examples. */
  readonly count: number;
  /** The factor of sums over the examples: 1, or 1 / batch size for a share of the batch's mean. */
  readonly share: number;
  /** Whether the weights of examples and classes are applied. */
  readonly weighted: boolean;
}

/** Sums over the examples, multiplied by the share. */
export interface Totals {
  readonly loss: Tensor;
  /** The number of correct predictions, for classes only; not multiplied. */
  readonly correct?: Tensor;
  readonly metrics: Readonly<Record<string, Tensor>>;
}

/** @throws GraphError for a function whose result is not a scalar or one number per example */
export function measure(objective: Objective, measured: Measured): Totals {
  const { network, outputs, batch } = measured;
  const shown = shownOutputs(network, outputs) as never;
  const metrics = Object.entries(objective.metrics).map(
    ([name, metric]) => [name, total(`metric ${name}`, metric(shown, batch), measured)] as const,
  );
  return { ...lossTotals(objective, measured), metrics: Object.fromEntries(metrics) };
}

function lossTotals({ loss, classWeights }: Objective, measured: Measured): Omit<Totals, "metrics"> {
  const { network, outputs, batch, weighted } = measured;
  const weights = weighted ? weightsOf(batch, classWeights) : undefined;
  if (typeof loss === "function") {
    const losses = loss(shownOutputs(network, outputs) as never, batch);
    return { loss: total("loss", losses, measured, weights) };
  }
  const output = onlyOf(outputs)!;
  const where = `loss ${loss.name}`;
  const totalOf = (losses: Tensor) => total(where, requirePerExample(where, losses, measured), measured, weights);
  const labels = batch["labels"];
  if (!labels || !("perExample" in loss))
    return { loss: totalOf((loss as RegressionLoss).perTarget(output, batch["targets"]!)) };
  // An augmentation may have made probabilities of the labels.
  const isSoft = labels.dtype === "float32";
  const losses = isSoft && "perTarget" in loss ? (loss as RegressionLoss).perTarget : loss.perExample;
  const correct = loss.correct(output, isSoft ? argmax(labels, { axes: -1 }) : labels);
  return {
    loss: totalOf(losses(output, labels)),
    correct: sum(requirePerExample(`correct of ${where}`, correct, measured)),
  };
}

/** The weight of each example, [examples]; undefined if all are 1. */
function weightsOf({ labels, weights }: Batch, classWeights: readonly number[] | undefined): Tensor | undefined {
  if (!classWeights) return weights;
  const table = constant(classWeights);
  const ofClasses = labels!.dtype === "uint32" ? take(table, labels!) : sum(multiply(labels!, table), { axes: -1 });
  return weights ? multiply(weights, ofClasses) : ofClasses;
}

/** The sum of values of examples, or of a mean over the examples. */
function total(where: string, values: Tensor, { batch, count, share }: Measured, weights?: Tensor): Tensor {
  if ((values as unknown) === undefined) {
    const fix = `Return a tensor; the batch has ${Object.keys(batch).join(", ")}`;
    throw new GraphError({ where, what: "its result is undefined", fix });
  }
  requireTensor(where, values);
  if (values.dtype === "float32" && values.shape.length === 1 && values.size === count) {
    const all = sum(weights ? multiply(values, weights) : values);
    return share === 1 ? all : multiply(all, share);
  }
  if (values.dtype !== "float32" || values.shape.length > 0) {
    throw new GraphError({
      where,
      what: `its result is ${values} for ${count} examples`,
      fix: "Return one float32 value per example, [examples], or a scalar, their mean",
    });
  }
  if (weights) {
    const what = "its result is a mean over the examples, which cannot be weighted";
    throw new GraphError({ where, what, fix: "Return one float32 value per example, [examples]" });
  }
  return count * share === 1 ? values : multiply(values, count * share);
}

/**
 * Each example needs one loss: the sum is divided by the number of examples, so a custom loss that is already a mean
 * would be divided twice.
 */
function requirePerExample(where: string, values: Tensor, { count }: Measured): Tensor {
  if (values.dtype === "float32" && values.shape.length === 1 && values.size === count) return values;
  throw new GraphError({
    where,
    what: `its result is ${values} for ${count} examples`,
    fix: "Return one float32 value per example, [examples]: reduce over the outputs only",
  });
}
