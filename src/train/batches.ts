import type { Session } from "../backends/backend.ts";
import type { Dataset, Normalization } from "../data/dataset.ts";
import { input } from "../graph/leaves.ts";
import { sizeOf, type Tensor } from "../graph/tensor.ts";
import type { Model } from "../nn/sequential.ts";
import { takeBatch } from "../ops/gather/index.ts";
import { reshape } from "../ops/layout/index.ts";

/** Examples on the device, in the type they came in. */
export interface ExampleLeaves {
  /** [examples, features of one] uint8 or float32. */
  readonly features: Tensor;
  /** uint32 [examples]. */
  readonly labels: Tensor;
  /** Which example is at each position, uint32 [examples]; their own order if absent. */
  readonly order?: Tensor;
}

/** Leaves for a number of examples such as a data set's. */
export function exampleLeaves(
  count: number,
  { features, shape }: Pick<Dataset, "features" | "shape">,
  shuffled: boolean,
): ExampleLeaves {
  return {
    features: input("features", [count, sizeOf(shape)], features instanceof Uint8Array ? "uint8" : "float32"),
    labels: input("labels", [count], "uint32"),
    ...(shuffled && { order: input("order", [count], "uint32") }),
  };
}

/** Writes examples first … first + count − 1 of a data set to the first rows of the leaves. */
export function writeExamples(
  session: Session,
  leaves: ExampleLeaves,
  dataset: Dataset,
  first: number,
  count: number,
): void {
  const width = sizeOf(dataset.shape);
  session.write(leaves.features, dataset.features.subarray(first * width, (first + count) * width));
  session.write(leaves.labels, dataset.labels.subarray(first, first + count));
}

/** Examples of a model's input shape, normalised, from a position on. */
export function takeFeatures(
  leaves: Pick<ExampleLeaves, "features" | "order">,
  options: { model: Model; normalization: Normalization; start: Tensor; count: number },
): Tensor {
  const { model, normalization, start, count } = options;
  const { features, order } = leaves;
  const rows = takeBatch(features, { ...(order && { order }), start, count, ...normalization });
  return reshape(rows, [count, ...model.inputShape]);
}

/** The labels of the same examples. */
export function takeLabels({ labels, order }: ExampleLeaves, start: Tensor, count: number): Tensor {
  return takeBatch(labels, { ...(order && { order }), start, count });
}
