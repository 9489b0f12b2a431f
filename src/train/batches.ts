import type { Session } from "../backends/backend.ts";
import { isRegression, type Normalization, type Dataset } from "../data/dataset.ts";
import { GraphError } from "../errors.ts";
import { constant, input } from "../graph/leaves.ts";
import { sizeOf, type Tensor } from "../graph/tensor.ts";
import type { RegressionLoss, TrainingLoss } from "../nn/losses.ts";
import type { Model } from "../nn/sequential.ts";
import { add, multiply } from "../ops/elementwise/index.ts";
import { takeBatch } from "../ops/gather/index.ts";
import { reshape } from "../ops/layout/index.ts";
import { sum } from "../ops/reduce/index.ts";

/** Examples on the device, in the type they came in. */
export interface ExampleLeaves {
  /** [examples, features of one] uint8 or float32. */
  readonly features: Tensor;
  /** What is to be said of each: labels, uint32 [examples], or targets, float32 [examples, outputs]. */
  readonly targets: Tensor;
  /** Which example is at each position, uint32 [examples]; their own order if absent. */
  readonly order?: Tensor;
}

/** Leaves for a number of examples such as a data set's. */
export function exampleLeaves(
  count: number,
  data: Pick<Dataset, "features" | "shape"> & { readonly outputs?: readonly string[] },
  shuffled: boolean,
): ExampleLeaves {
  const { features, shape, outputs } = data;
  return {
    features: input("features", [count, sizeOf(shape)], features instanceof Uint8Array ? "uint8" : "float32"),
    targets: outputs ? input("targets", [count, outputs.length]) : input("labels", [count], "uint32"),
    ...(shuffled && { order: input("order", [count], "uint32") }),
  };
}

/** Writes examples first … first + count − 1 of a data set to the first rows of the leaves. */
export function writeExamples(
  session: Session,
  leaves: ExampleLeaves,
  data: Dataset,
  first: number,
  count: number,
): void {
  const rows = <Values extends Uint8Array | Uint32Array | Float32Array>(values: Values, width: number) =>
    values.subarray(first * width, (first + count) * width);
  session.write(leaves.features, rows(data.features, sizeOf(data.shape)), 0);
  session.write(leaves.targets, isRegression(data) ? rows(data.targets, data.outputs.length) : rows(data.labels, 1), 0);
}

/** Examples of a model's input shape, normalised, from a position on. */
export function takeFeatures(
  leaves: Pick<ExampleLeaves, "features" | "order">,
  options: { model: Model; normalization: Normalization; start: Tensor; count: number },
): Tensor {
  const { model, normalization, start, count } = options;
  const { features, order } = leaves;
  const { scale, offset } = normalization;
  const place = { ...(order && { order }), start, count };
  const rows =
    typeof scale === "number" && typeof offset === "number"
      ? takeBatch(features, { ...place, scale, offset })
      : add(multiply(takeBatch(features, place), perFeature(scale)), perFeature(offset));
  return reshape(rows, [count, ...model.inputShape]);
}

const perFeature = (values: number | readonly number[]) =>
  constant(values, typeof values === "number" ? [] : [values.length]);

/** The labels or targets of the same examples. */
export function takeTargets({ targets, order }: ExampleLeaves, start: Tensor, count: number): Tensor {
  return takeBatch(targets, { ...(order && { order }), start, count });
}

/** The sum of the examples' losses and, for labels, the number of right predictions. */
export function summedMetrics(
  loss: TrainingLoss,
  outputs: Tensor,
  targets: Tensor,
): { loss: Tensor; correct?: Tensor } {
  if (targets.dtype === "uint32" && "perExample" in loss) {
    const { name } = loss;
    return {
      loss: sum(onePerExample(`loss ${name}`, loss.perExample(outputs, targets), outputs)),
      correct: sum(onePerExample(`correct of loss ${name}`, loss.correct(outputs, targets), outputs)),
    };
  }
  return {
    loss: sum(onePerExample(`loss ${loss.name}`, (loss as RegressionLoss).perTarget(outputs, targets), outputs)),
  };
}

/** The sums are divided by the number of examples, so a loss of one's own that divides already would count too little. */
function onePerExample(where: string, values: Tensor, { shape: [examples] }: Tensor): Tensor {
  if (values.dtype === "float32" && values.shape.length === 1 && values.size === examples) return values;
  throw new GraphError({
    where,
    what: `it gives ${values} for ${examples} examples`,
    fix: "Give one float32 value for each example, [examples]: reduce over the outputs only",
  });
}
