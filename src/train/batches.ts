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

/** The leaves that hold examples on the device, in the type of the data set. */
export interface ExampleLeaves {
  /** uint8 or float32, [examples, features]. */
  readonly features: Tensor;
  /** Labels, uint32 [examples], or targets, float32 [examples, outputs]. */
  readonly targets: Tensor;
  /** The index of the example at each position, uint32 [examples]. Without it, examples are used in their own order. */
  readonly order?: Tensor;
}

/** Leaves for `count` examples like those of a data set. */
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

/** The normalized features of `count` examples from position `start`, in the model's input shape. */
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

/** The sum of the examples' losses and, for labels, the number of correct predictions. */
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

/**
 * Each example needs one loss: the sum is divided by the number of examples, so a custom loss that is already a mean
 * would be divided twice.
 */
function onePerExample(where: string, values: Tensor, { shape: [examples] }: Tensor): Tensor {
  if (values.dtype === "float32" && values.shape.length === 1 && values.size === examples) return values;
  throw new GraphError({
    where,
    what: `its result is ${values} for ${examples} examples`,
    fix: "Return one float32 value per example, [examples]: reduce over the outputs only",
  });
}
