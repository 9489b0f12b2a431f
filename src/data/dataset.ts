import { DataError } from "../errors.ts";

/**
 * Examples with their labels. Features stay in the type they came in (pixels as bytes); the model reads
 * `feature · scale + offset`, computed where the batch is taken.
 */
export interface Dataset {
  /** What the data is, for messages: "MNIST", "built-in digits". */
  readonly name: string;
  /** Row after row, `count` rows of the product of `shape` values. */
  readonly features: Uint8Array | Float32Array;
  /** The shape of one example, such as [28, 28]. */
  readonly shape: readonly number[];
  /** One class index per example. */
  readonly labels: Uint32Array;
  /** The name of each class; its length is the number of classes. */
  readonly classes: readonly string[];
  /** Number of examples. */
  readonly count: number;
}

/** The constants of `feature · scale + offset`. */
export interface Normalization {
  readonly scale: number;
  readonly offset: number;
}

/**
 * Checks that features and labels fit each other and every label names a class.
 * @throws DataError naming the first fault.
 */
export function makeDataset(parts: Omit<Dataset, "count">): Dataset {
  const { name, features, shape, labels, classes } = parts;
  const width = shape.reduce((product, size) => product * size, 1);
  if (features.length !== labels.length * width) {
    throw new DataError({
      where: name,
      what: `${features.length / width} examples of ${shape.join("×")} but ${labels.length} labels`,
      fix: "Features and labels must come from the same set and have the same length",
    });
  }
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

/** Pixels from 0 … 255 to 0 … 1. */
export const unitScale: Normalization = { scale: 1 / 255, offset: 0 };

/**
 * Constants that give the features mean 0 and standard deviation 1 over the whole set (one mean for all
 * features, as is usual for MNIST). Constant features give scale 1 over one unit.
 */
export function standardization(features: Uint8Array | Float32Array): Normalization {
  const { count, sum, squares } = features instanceof Uint8Array ? byteMoments(features) : moments(features);
  const mean = sum / count;
  const deviation = Math.sqrt(squares / count) || 1;
  return { scale: 1 / deviation, offset: -mean / deviation };
}

/** How often each byte occurs says all, in one pass. */
function byteMoments(features: Uint8Array) {
  const counts = new Float64Array(256);
  for (const value of features) counts[value]!++;
  return moments(Float32Array.from(counts.keys()), counts);
}

/** Count, sum, and sum of squared distances from the mean, each value taken as often as its weight says. */
function moments(values: Float32Array, weights?: Float64Array) {
  const weightOf = (index: number) => (weights ? weights[index]! : 1);
  let [count, sum, squares] = [0, 0, 0];
  values.forEach((value, index) => {
    count += weightOf(index);
    sum += weightOf(index) * value;
  });
  const mean = sum / count;
  values.forEach((value, index) => (squares += weightOf(index) * (value - mean) ** 2));
  return { count, sum, squares };
}
