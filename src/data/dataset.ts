import { DataError, OptionError } from "../errors.ts";
import { otherType, requireWeights, shapeFault } from "./dataset-checks.ts";
import type { TensorDataset } from "./tensor-dataset.ts";
import type { TextDataset } from "./text/dataset.ts";

/**
 * The features of a data set. They stay in their own type (pixels as bytes); the model reads `feature · scale +
 * offset`, computed when a batch is taken.
 */
export interface Examples {
  /** A name for messages, such as "MNIST" or "built-in digits". */
  readonly name: string;
  /** Row-major, [count, ...shape]. */
  readonly features: Uint8Array | Float32Array;
  /** The shape of one example, such as [28, 28]. */
  readonly shape: readonly number[];
  /** Number of examples. */
  readonly count: number;
  /**
   * One weight per example, finite and at least 0; 1 by default. Training multiplies the loss of each example by its
   * weight; evaluation does not.
   */
  readonly weights?: Float32Array;
}

/** Examples with class labels, for classification. */
export interface ClassificationDataset extends Examples {
  /** One class index per example. */
  readonly labels: Uint32Array;
  /** The name of each class; its length is the number of classes. */
  readonly classes: readonly string[];
}

/** Examples with numeric targets, for regression. */
export interface RegressionDataset extends Examples {
  /** Row-major, [count, outputs]. */
  readonly targets: Float32Array;
  /** The name of each output; its length is the number of outputs. */
  readonly outputs: readonly string[];
}

/** A training, validation or test set for classification or regression. */
export type Dataset = ClassificationDataset | RegressionDataset;

/** A data set whose examples are rows of arrays. */
export type RowDataset = Dataset | TensorDataset;

/** A data set of any kind. */
export type AnyDataset = RowDataset | TextDataset;

/** Whether a data set is for regression. */
export const isRegression = (data: AnyDataset): data is RegressionDataset => "targets" in data;

/** The constants of `feature · scale + offset`: a number for all features, or a list with one per feature. */
export interface Normalization {
  readonly scale: number | readonly number[];
  readonly offset: number | readonly number[];
}

/** One scale and one offset for all features. */
export interface UniformNormalization extends Normalization {
  readonly scale: number;
  readonly offset: number;
}

/**
 * Makes a data set for classification. Checks that the sizes agree, every feature is finite, and every label is the
 * index of a class.
 *
 * @example
 * ```ts
 * const dataset = makeClassificationDataset({
 *   name: "fruit",
 *   features: Float32Array.of(150, 7, 130, 6.5, 11, 2),
 *   shape: [2],
 *   labels: Uint32Array.of(0, 0, 1),
 *   classes: ["apple", "grape"],
 * });
 * ```
 *
 * @throws DataError that names the first violation
 */
export function makeClassificationDataset(parts: Omit<ClassificationDataset, "count">): ClassificationDataset {
  const { name, labels, classes } = parts;
  if (!(labels instanceof Uint32Array)) throw otherType(name, "the labels", labels, "a Uint32Array");
  requireNames(name, "classes", classes);
  requireRows(parts, labels.length, "labels");
  const wrong = labels.findIndex((label) => label >= classes.length);
  if (wrong >= 0) {
    throw new DataError({
      where: name,
      what: `label ${labels[wrong]} of example ${wrong} is outside 0 … ${classes.length - 1}`,
      fix: "Check that the labels belong to these classes",
    });
  }
  if (parts.weights !== undefined) requireWeights(name, parts.weights, labels.length);
  return { ...parts, count: labels.length };
}

/**
 * Makes a data set for regression. Checks that the sizes agree, and that all features and targets are finite.
 * @throws DataError that names the first violation
 */
export function makeRegressionDataset(parts: Omit<RegressionDataset, "count">): RegressionDataset {
  const { name, targets, outputs } = parts;
  if (!(targets instanceof Float32Array)) throw otherType(name, "the targets", targets, "a Float32Array");
  requireNames(name, "outputs", outputs);
  const count = targets.length / outputs.length;
  requireRows(parts, count, "rows of targets");
  const wrong = targets.findIndex((target) => !Number.isFinite(target));
  if (wrong >= 0) {
    throw new DataError({
      where: name,
      what: `the target "${outputs[wrong % outputs.length]}" of example ${Math.floor(wrong / outputs.length)} is ${targets[wrong]}`,
      fix: "Remove such examples",
    });
  }
  if (parts.weights !== undefined) requireWeights(name, parts.weights, count);
  return { ...parts, count };
}

function requireNames(where: string, what: string, names: readonly string[]): void {
  if (!Array.isArray(names) || !names.every((name) => typeof name === "string")) {
    throw otherType(where, `the ${what}`, names, "a list of names");
  }
  if (names.length === 0) throw new DataError({ where, what: `there are no ${what}`, fix: "Give at least one name" });
}

function requireRows({ name, features, shape }: Omit<Examples, "count">, rows: number, of: string): void {
  if (!(features instanceof Uint8Array || features instanceof Float32Array)) {
    throw otherType(name, "the features", features, "a Uint8Array or a Float32Array");
  }
  const fault = shapeFault(shape) ?? (shape.length === 0 ? "[] is not the shape of an example" : undefined);
  if (fault !== undefined) {
    const fix = "Give a list of whole numbers of at least 1, such as [28, 28]";
    throw new DataError({ where: name, what: fault, fix });
  }
  const width = shape.reduce((product, size) => product * size, 1);
  if (features.length !== rows * width) {
    throw new DataError({
      where: name,
      what: `${features.length / width} examples of shape [${shape.join(", ")}] but ${rows} ${of}`,
      fix: `Give as many ${of} as examples`,
    });
  }
  const wrong = features instanceof Float32Array ? features.findIndex((value) => !Number.isFinite(value)) : -1;
  if (wrong < 0) return;
  throw new DataError({
    where: name,
    what: `feature ${wrong % width} of example ${Math.floor(wrong / width)} (both counted from 0) is ${features[wrong]}`,
    fix: "Remove such examples, or replace such values",
  });
}

/** Scales pixels from 0 … 255 to 0 … 1. */
export const unitScale: UniformNormalization = { scale: 1 / 255, offset: 0 };

/**
 * Constants that standardize the features to mean 0 and standard deviation 1 over the whole set, with one mean for all
 * features, as is usual for MNIST. If all features are equal, at the precision of float32, they become 0.
 * @throws OptionError if there are no features
 */
export function standardization(features: Uint8Array | Float32Array): UniformNormalization {
  if (features.length === 0) throw noFeatures();
  return standardizing(features instanceof Uint8Array ? byteMoments(features) : columnMoments(features, 1)[0]!);
}

/**
 * Constants that standardize each feature to mean 0 and standard deviation 1 over the whole set, for columns with
 * different units. A feature that is constant, at the precision of float32, gets scale 0 and offset 0: it becomes 0,
 * even if later data has another value.
 * @param features rows of `width` values
 * @throws OptionError if the number of features is 0 or not a multiple of `width`
 */
export function columnStandardization(features: Uint8Array | Float32Array, width: number): Normalization {
  if (features.length === 0) throw noFeatures();
  if (!(Number.isSafeInteger(width) && width >= 1 && features.length % width === 0)) {
    const what = `${features.length} values are not a multiple of the width ${String(width)}`;
    throw new OptionError({ where: "columnStandardization", what, fix: "Give the number of features per example" });
  }
  const columns = columnMoments(features, width).map(standardizing);
  return { scale: columns.map(({ scale }) => scale), offset: columns.map(({ offset }) => offset) };
}

const noFeatures = () =>
  new OptionError({
    where: "standardization",
    what: "there are no features",
    fix: "Give the features of at least one example",
  });

/** The mean and the standard deviation of a column. */
export interface Moments {
  readonly mean: number;
  /** Over all values; 0 if the values differ only by the rounding of float32. */
  readonly deviation: number;
}

function standardizing({ mean, deviation }: Moments): UniformNormalization {
  return deviation === 0 ? { scale: 0, offset: 0 } : { scale: 1 / deviation, offset: -mean / deviation };
}

/** The relative spacing of float32 numbers, and the smallest number that every device can represent. */
const SPACING = 2 ** -23;
const LEAST_NORMAL = 2 ** -126;

/** The standard deviation, or 0 if it is not larger than the rounding error of values of this size. */
function soundDeviation(variance: number, largest: number): number {
  const deviation = Math.sqrt(variance);
  return deviation <= Math.max(SPACING * largest, LEAST_NORMAL) ? 0 : deviation;
}

/**
 * The mean and standard deviation of each column, in float64 and in two passes. The difference of two sums of squares
 * would lose all digits if the deviation is small compared with the mean.
 * @param values rows of `width` values
 */
export function columnMoments(values: Uint8Array | Float32Array, width: number): Moments[] {
  const rows = values.length / width;
  const sums = new Float64Array(width);
  const largest = new Float64Array(width);
  for (let index = 0, column = 0; index < values.length; index++, column = column + 1 === width ? 0 : column + 1) {
    const value = values[index]!;
    sums[column]! += value;
    largest[column] = Math.max(largest[column]!, Math.abs(value));
  }
  const means = sums.map((sum) => sum / rows);
  const squares = new Float64Array(width);
  for (let index = 0, column = 0; index < values.length; index++, column = column + 1 === width ? 0 : column + 1) {
    squares[column]! += (values[index]! - means[column]!) ** 2;
  }
  return Array.from(means, (mean, column) => ({
    mean,
    deviation: soundDeviation(squares[column]! / rows, largest[column]!),
  }));
}

/** How often each byte occurs. Adjacent bytes are counted apart: adding one to the same count again would wait for the last time. */
function histogram(bytes: Uint8Array): number[] {
  const counts = new Uint32Array(4 * 256);
  const whole = bytes.length - (bytes.length % 4);
  for (let index = 0; index < whole; index += 4) {
    counts[bytes[index]!]!++;
    counts[256 + bytes[index + 1]!]!++;
    counts[512 + bytes[index + 2]!]!++;
    counts[768 + bytes[index + 3]!]!++;
  }
  for (let index = whole; index < bytes.length; index++) counts[bytes[index]!]!++;
  return Array.from(
    { length: 256 },
    (_, value) => counts[value]! + counts[256 + value]! + counts[512 + value]! + counts[768 + value]!,
  );
}

/** The moments of all bytes, from a histogram in one pass. */
function byteMoments(features: Uint8Array): Moments {
  const counts = histogram(features);
  const mean = counts.reduce((sum, count, value) => sum + count * value, 0) / features.length;
  const squares = counts.reduce((sum, count, value) => sum + count * (value - mean) ** 2, 0);
  return {
    mean,
    deviation: soundDeviation(
      squares / features.length,
      counts.findLastIndex((count) => count > 0),
    ),
  };
}
