import { DataError, optionName, OptionError } from "../errors.ts";
import { Random } from "../random.ts";
import { isRegression, type ClassificationDataset, type RegressionDataset, type Dataset } from "./dataset.ts";

/** Names the random streams of splits ("sp"), apart from those of other uses of the same seed. */
const splitStream = 0x7370;

/** How much is held back, and which. */
export interface SplitOptions {
  /** The share of the examples that is held back, in (0, 1). */
  readonly validation: number;
  /** Names the random choice; 1 by default. */
  readonly seed?: number;
}

/** Two parts of a data set. Both keep the order that the examples had. */
export interface Split<Data extends Dataset> {
  readonly train: Data;
  readonly validation: Data;
}

/**
 * Holds a random share of a data set back. Of classes, the same share of each, rounded to whole examples so that the
 * parts have the sizes asked for (the largest remainders are rounded up); a class with two examples or more stays in
 * training. The same data, share and seed give the same parts.
 * @throws OptionError for a share outside (0, 1); DataError where a part would have no examples
 */
export function splitDataset(data: ClassificationDataset, options: SplitOptions): Split<ClassificationDataset>;
export function splitDataset(data: RegressionDataset, options: SplitOptions): Split<RegressionDataset>;
export function splitDataset(data: Dataset, options: SplitOptions): Split<Dataset>;
export function splitDataset(data: Dataset, { validation, seed = 1 }: SplitOptions): Split<Dataset> {
  if (!(validation > 0 && validation < 1)) {
    throw new OptionError({
      where: optionName("validation"),
      what: `${validation} is no share`,
      fix: "Give a number in (0, 1), such as 0.1",
    });
  }
  const groups = isRegression(data)
    ? [Uint32Array.from({ length: data.count }, (_, index) => index)]
    : examplesOfClasses(data);
  const wanted = Math.round(validation * data.count);
  const held = new Uint8Array(data.count);
  sharesOf(groups, validation, wanted).forEach((count, group) => {
    const order = new Random(splitStream, seed, group).permutation(groups[group]!.length);
    for (const position of order.subarray(0, count)) held[groups[group]![position]!] = 1;
  });
  const parts = [0, 1].map((part) => Uint32Array.from(held.keys()).filter((index) => held[index] === part));
  if (parts.some(({ length }) => length === 0)) {
    const what = `${data.count} examples cannot be split ${validation} to ${1 - validation}: one part would be empty`;
    throw new DataError({ where: data.name, what, fix: "Give more examples or another share" });
  }
  return {
    train: takeExamples(data, parts[0]!, data.name),
    validation: takeExamples(data, parts[1]!, `${data.name}, validation`),
  };
}

function examplesOfClasses({ labels, classes }: ClassificationDataset): Uint32Array[] {
  const counts = new Uint32Array(classes.length);
  for (const label of labels) counts[label]!++;
  const groups = Array.from(counts, (count) => new Uint32Array(count));
  counts.fill(0);
  labels.forEach((label, index) => (groups[label]![counts[label]!++] = index));
  return groups;
}

/** How many of each group are held back: its share rounded down, and one more for the largest remainders. */
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
 * Some of a data set's examples, copied.
 * @param indices their positions, in the order wanted
 * @param name what the part is, for messages
 */
export function takeExamples(data: ClassificationDataset, indices: Uint32Array, name: string): ClassificationDataset;
export function takeExamples(data: Dataset, indices: Uint32Array, name: string): Dataset;
export function takeExamples(data: Dataset, indices: Uint32Array, name: string): Dataset {
  const width = data.features.length / data.count;
  const features = rowsAt(data.features, width, indices);
  const { shape } = data;
  const count = indices.length;
  if (!isRegression(data))
    return { name, features, shape, count, labels: rowsAt(data.labels, 1, indices), classes: data.classes };
  return {
    name,
    features,
    shape,
    count,
    targets: rowsAt(data.targets, data.outputs.length, indices),
    outputs: data.outputs,
  };
}

/** The first so many examples of a data set, or all of fewer; its values are not copied. */
export function firstExamples<Data extends Dataset>(data: Data, most: number): Data {
  const count = Math.min(most, data.count);
  const features = data.features.subarray(0, (data.features.length / data.count) * count);
  if (isRegression(data))
    return { ...data, count, features, targets: data.targets.subarray(0, count * data.outputs.length) };
  return { ...data, count, features, labels: data.labels.subarray(0, count) };
}

type Values = Uint8Array | Uint32Array | Float32Array;

function rowsAt<Kind extends Values>(values: Kind, width: number, indices: Uint32Array): Kind {
  const Type = values.constructor as new (length: number) => Kind;
  const result = new Type(indices.length * width);
  indices.forEach((index, row) => result.set(values.subarray(index * width, (index + 1) * width), row * width));
  return result;
}
