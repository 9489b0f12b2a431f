import { DataError, optionName, OptionError } from "../errors.ts";
import { Random } from "../random.ts";
import { widthOf } from "./columns.ts";
import {
  isRegression,
  type RowDataset,
  type ClassificationDataset,
  type Dataset,
  type RegressionDataset,
} from "./dataset.ts";
import type { ExampleTensor, TensorDataset, TensorElements } from "./tensor-dataset.ts";

/** Separates the random streams of splits ("sp") from other uses of the same seed. */
const splitStream = 0x7370;

/** The options of `splitDataset`. */
export interface SplitOptions {
  /** The fraction of the examples in the validation set, in (0, 1). */
  readonly validation: number;
  /** The seed of the random choice; 1 by default. */
  readonly seed?: number;
}

/** A training set and a validation set. Both keep the order of the examples. */
export interface Split<Data extends RowDataset> {
  readonly train: Data;
  readonly validation: Data;
}

/**
 * Splits a data set at random into a training set and a validation set. For classification the split is stratified:
 * each class has the same fraction in both, rounded to whole examples by the largest remainders so that the sizes of
 * the parts are exact. A class with at least two examples keeps one in the training set. The same data, fraction and
 * seed give the same split.
 *
 * @example
 * ```ts
 * const { train, validation } = splitDataset(dataset, { validation: 0.1, seed: 1 });
 * ```
 *
 * @throws OptionError for a fraction outside (0, 1); DataError if a part would be empty
 */
export function splitDataset(data: ClassificationDataset, options: SplitOptions): Split<ClassificationDataset>;
export function splitDataset(data: RegressionDataset, options: SplitOptions): Split<RegressionDataset>;
export function splitDataset(data: TensorDataset, options: SplitOptions): Split<TensorDataset>;
export function splitDataset(data: Dataset, options: SplitOptions): Split<Dataset>;
export function splitDataset(data: RowDataset, { validation, seed = 1 }: SplitOptions): Split<RowDataset> {
  if (!(validation > 0 && validation < 1)) {
    throw new OptionError({
      where: optionName("validation"),
      what: `${validation} is not a fraction`,
      fix: "Give a number in (0, 1), such as 0.1",
    });
  }
  const groups =
    "labels" in data ? examplesOfClasses(data) : [Uint32Array.from({ length: data.count }, (_, index) => index)];
  const wanted = Math.round(validation * data.count);
  const held = new Uint8Array(data.count);
  sharesOf(groups, validation, wanted).forEach((count, group) => {
    const order = new Random(splitStream, seed, group).permutation(groups[group]!.length);
    for (const position of order.subarray(0, count)) held[groups[group]![position]!] = 1;
  });
  const parts = [0, 1].map((part) => Uint32Array.from(held.keys()).filter((index) => held[index] === part));
  if (parts.some(({ length }) => length === 0)) {
    const what = `${data.count} examples cannot be split into ${validation} and ${1 - validation}: one part would be empty`;
    throw new DataError({ where: data.name, what, fix: "Give more examples or another fraction" });
  }
  return {
    train: takeExamples(data, parts[0]!, data.name),
    validation: takeExamples(data, parts[1]!, `${data.name}, validation`),
  };
}

/** The examples of each class, by their index. */
export function examplesOfClasses({ labels, classes }: ClassificationDataset): Uint32Array[] {
  const counts = new Uint32Array(classes.length);
  for (const label of labels) counts[label]!++;
  const groups = Array.from(counts, (count) => new Uint32Array(count));
  counts.fill(0);
  labels.forEach((label, index) => (groups[label]![counts[label]!++] = index));
  return groups;
}

/**
 * The number of validation examples of each group: its fraction rounded down, plus one for the groups with the largest
 * remainders.
 */
function sharesOf(groups: readonly Uint32Array[], share: number, wanted: number): number[] {
  const exact = groups.map(({ length }) => share * length);
  const counts = exact.map(Math.floor);
  const mostOf = (group: number) => Math.max(0, groups[group]!.length - 1);
  const byRemainder = [...exact.keys()].sort((a, b) => (exact[b]! % 1) - (exact[a]! % 1) || a - b);
  let missing = wanted - counts.reduce((sum, count) => sum + count, 0);
  for (const group of byRemainder) {
    if (missing <= 0) break;
    if (counts[group]! >= mostOf(group)) continue;
    counts[group]!++;
    missing--;
  }
  return counts;
}

/**
 * Copies some examples of a data set.
 * @param indices the indices of the examples, in the order of the result
 * @param name the name of the result, for messages
 * @throws DataError for an index that the data set does not have
 */
export function takeExamples(data: ClassificationDataset, indices: Uint32Array, name: string): ClassificationDataset;
export function takeExamples(data: TensorDataset, indices: Uint32Array, name: string): TensorDataset;
export function takeExamples(data: Dataset, indices: Uint32Array, name: string): Dataset;
export function takeExamples(data: RowDataset, indices: Uint32Array, name: string): RowDataset;
export function takeExamples(data: RowDataset, indices: Uint32Array, name: string): RowDataset {
  const wrong = indices.findIndex((index) => !(index < data.count));
  if (wrong >= 0) {
    const what = `index ${indices[wrong]}, at position ${wrong}, is not one of the ${data.count} examples`;
    throw new DataError({ where: data.name, what, fix: `Give indices in 0 … ${data.count - 1}` });
  }
  return { ...withRows(data, (values, width) => rowsAt(values, width, indices)), name, count: indices.length };
}

/**
 * The first examples of a data set. The result shares the values of the data set: they are not copied.
 * @param most the number of examples, at least 0; all examples if the data set has fewer, as with Infinity
 * @throws OptionError for a number that is negative or not whole
 */
export function firstExamples<Data extends RowDataset>(data: Data, most: number): Data {
  if (!((Number.isSafeInteger(most) || most === Infinity) && most >= 0)) {
    const what = `${String(most)} is not a number of examples`;
    throw new OptionError({ where: "firstExamples", what, fix: "Give a whole number of at least 0, or Infinity" });
  }
  const count = Math.min(most, data.count);
  return { ...withRows(data, (values, width) => values.subarray(0, count * width) as typeof values), count };
}

/** Other rows of values that have `width` numbers per example. */
type ChooseRows = <Kind extends TensorElements>(values: Kind, width: number) => Kind;

function withRows<Data extends RowDataset>(data: Data, choose: ChooseRows): Data;
function withRows(data: RowDataset, choose: ChooseRows): RowDataset {
  if ("tensors" in data) {
    const chosen = Object.entries(data.tensors).map(([name, { values, shape }]): [string, ExampleTensor] => [
      name,
      { values: choose(values, widthOf({ shape })), shape },
    ]);
    return { ...data, tensors: Object.fromEntries(chosen) };
  }
  const features = choose(data.features, widthOf(data));
  const weights = data.weights && { weights: choose(data.weights, 1) };
  return isRegression(data)
    ? { ...data, features, targets: choose(data.targets, data.outputs.length), ...weights }
    : { ...data, features, labels: choose(data.labels, 1), ...weights };
}

function rowsAt<Kind extends TensorElements>(values: Kind, width: number, indices: Uint32Array): Kind {
  const Type = values.constructor as new (length: number) => Kind;
  const result = new Type(indices.length * width);
  indices.forEach((index, row) => result.set(values.subarray(index * width, (index + 1) * width), row * width));
  return result;
}
