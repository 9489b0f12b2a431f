import { DataError, OptionError } from "../errors.ts";

/**
 * What a model is shown. Features stay in the type they came in (pixels as bytes); the model reads
 * `feature · scale + offset`, computed where the batch is taken.
 */
export interface Examples {
  /** What the data is, for messages: "MNIST", "built-in digits". */
  readonly name: string;
  /** Row after row, `count` rows of the product of `shape` values. */
  readonly features: Uint8Array | Float32Array;
  /** The shape of one example, such as [28, 28]. */
  readonly shape: readonly number[];
  /** Number of examples. */
  readonly count: number;
}

/** Examples of classes. */
export interface ClassificationDataset extends Examples {
  /** One class index per example. */
  readonly labels: Uint32Array;
  /** The name of each class; its length is the number of classes. */
  readonly classes: readonly string[];
}

/** Examples of quantities, for regression. */
export interface RegressionDataset extends Examples {
  /** Row after row, one value per output. */
  readonly targets: Float32Array;
  /** The name of each output; its length is the number of outputs. */
  readonly outputs: readonly string[];
}

/** What a model learns from. */
export type Dataset = ClassificationDataset | RegressionDataset;

/** Whether data is of quantities, not of classes. */
export const isRegression = (data: Dataset): data is RegressionDataset => "targets" in data;

/** The constants of `feature · scale + offset`: for all features one, or for each feature its own. */
export interface Normalization {
  readonly scale: number | readonly number[];
  readonly offset: number | readonly number[];
}

/** One pair of constants for all features. */
export interface UniformNormalization extends Normalization {
  readonly scale: number;
  readonly offset: number;
}

/**
 * Checks that features and labels fit each other, every feature is finite and every label names a class.
 * @throws DataError naming the first fault.
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
      fix: "Check that the label file belongs to these classes",
    });
  }
  return { ...parts, count: labels.length };
}

/**
 * Checks that features and targets fit each other and all of them are finite.
 * @throws DataError naming the first fault.
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
      fix: "Leave such examples out",
    });
  }
  return { ...parts, count };
}

function otherType(where: string, what: string, found: unknown, wanted: string): DataError {
  const type = typeof found === "object" && found !== null ? found.constructor.name : typeof found;
  return new DataError({ where, what: `${what} are of the type ${type}`, fix: `Give ${wanted}` });
}

function requireNames(where: string, what: string, names: readonly string[]): void {
  if (!Array.isArray(names) || !names.every((name) => typeof name === "string")) {
    throw otherType(where, `the ${what}`, names, "a list of names");
  }
  if (names.length === 0) throw new DataError({ where, what: `there are no ${what}`, fix: "Name at least one" });
}

function requireRows({ name, features, shape }: Omit<Examples, "count">, rows: number, of: string): void {
  if (!(features instanceof Uint8Array || features instanceof Float32Array)) {
    throw otherType(name, "the features", features, "a Uint8Array or a Float32Array");
  }
  if (!Array.isArray(shape) || shape.length === 0 || !shape.every((size) => Number.isSafeInteger(size) && size >= 1)) {
    const what = `${Array.isArray(shape) ? `[${shape.map(String).join(", ")}]` : String(shape)} is no shape of an example`;
    throw new DataError({ where: name, what, fix: "Give a list of whole numbers of at least 1, such as [28, 28]" });
  }
  const width = shape.reduce((product, size) => product * size, 1);
  if (features.length !== rows * width) {
    throw new DataError({
      where: name,
      what: `${features.length / width} examples of ${shape.join("×")} but ${rows} ${of}`,
      fix: `Features and ${of} must come from the same set and have the same length`,
    });
  }
  const wrong = features instanceof Float32Array ? features.findIndex((value) => !Number.isFinite(value)) : -1;
  if (wrong < 0) return;
  throw new DataError({
    where: name,
    what: `feature ${wrong % width} of example ${Math.floor(wrong / width)}, both counted from 0, is ${features[wrong]}`,
    fix: "Leave such examples out, or give such features a value",
  });
}

/** Pixels from 0 … 255 to 0 … 1. */
export const unitScale: UniformNormalization = { scale: 1 / 255, offset: 0 };

/**
 * Constants that give the features mean 0 and standard deviation 1 over the whole set (one mean for all
 * features, as is usual for MNIST). Where all features are equal, to the precision of float32, they become 0.
 * @throws OptionError where there are no features
 */
export function standardization(features: Uint8Array | Float32Array): UniformNormalization {
  if (features.length === 0) throw noFeatures();
  return standardizing(features instanceof Uint8Array ? byteMoments(features) : columnMoments(features, 1)[0]!);
}

/**
 * Constants that give each feature mean 0 and standard deviation 1 over the whole set, for columns of different
 * units. A feature that is constant, to the precision of float32, gets scale 0 and offset 0: it becomes 0, also where
 * later data has another value.
 * @param features rows of `width` values
 * @throws OptionError where they are no whole number of rows, or none
 */
export function columnStandardization(features: Uint8Array | Float32Array, width: number): Normalization {
  if (features.length === 0) throw noFeatures();
  if (!(Number.isSafeInteger(width) && width >= 1 && features.length % width === 0)) {
    const what = `${features.length} values are no rows of ${String(width)}`;
    throw new OptionError({ where: "columnStandardization", what, fix: "Give the number of features of one example" });
  }
  const columns = columnMoments(features, width).map(standardizing);
  return { scale: columns.map(({ scale }) => scale), offset: columns.map(({ offset }) => offset) };
}

const noFeatures = () =>
  new OptionError({
    where: "standardization",
    what: "there are no features",
    fix: "Give those of at least one example",
  });

/** What is known of a column's values. */
export interface Moments {
  readonly mean: number;
  /** The standard deviation over all values; 0 where they differ by no more than float32 rounds them. */
  readonly deviation: number;
}

function standardizing({ mean, deviation }: Moments): UniformNormalization {
  return deviation === 0 ? { scale: 0, offset: 0 } : { scale: 1 / deviation, offset: -mean / deviation };
}

/** The spacing of float32 numbers, relative to their size, and the smallest number that every device keeps. */
const SPACING = 2 ** -23;
const LEAST_NORMAL = 2 ** -126;

/** A deviation, or 0 where it is no more than the rounding of values of this size. */
function soundDeviation(variance: number, largest: number): number {
  const deviation = Math.sqrt(variance);
  return deviation <= Math.max(SPACING * largest, LEAST_NORMAL) ? 0 : deviation;
}

/**
 * Mean and standard deviation of each column, in float64 and two passes: a difference of sums of squares would lose
 * all digits where the deviation is small beside the mean.
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

/** The moments of all bytes; how often each occurs says all, in one pass. */
function byteMoments(features: Uint8Array): Moments {
  const counts = new Float64Array(256);
  for (const value of features) counts[value]!++;
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
