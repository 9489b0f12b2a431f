/*
 * Converts a table to a data set: determines the task, fills missing values, and makes the schema that is stored with a
 * model.
 */
import { DataError, excerpt, optionName, OptionError } from "../errors.ts";
import { numberIn } from "./cells.ts";
import {
  columnMoments,
  makeClassificationDataset,
  makeRegressionDataset,
  isRegression,
  type Moments,
  type Dataset,
} from "./dataset.ts";
import type { Table, TableLabel } from "./table.ts";
import { featureCount, targetColumns, type LabelColumn, type TargetColumn, type TableSchema } from "./table-schema.ts";

/** Whether the labels are classes or numeric targets. */
export type Task = "classification" | "regression";

/** The maximum number of different integers that are taken as classes by default. */
export const MOST_NUMBERED_CLASSES = 20;

/** Whether numeric labels suggest regression: they are not integers, or have too many different values. */
const areContinuous = (numbers: readonly number[]) =>
  !numbers.every(Number.isInteger) || numbers.length > MOST_NUMBERED_CLASSES;

/**
 * The default task for a table: classification if the labels are text or at most 20 different integers; regression for
 * other numbers, and for several label columns.
 * @throws OptionError for text among numbers that would otherwise suggest regression
 */
export function usualTask({ name, label, labelNames, otherLabels }: Table): Task {
  if (otherLabels.length > 0) return "regression";
  const numbers = labelNames.map(numberIn).filter((value) => !Number.isNaN(value));
  if (numbers.length === labelNames.length) return areContinuous(numbers) ? "regression" : "classification";
  if (numbers.length > 1 && areContinuous(numbers)) {
    const text = labelNames.find((cell) => Number.isNaN(numberIn(cell)));
    throw new OptionError({
      where: placeOf(name, label),
      what: `the label ${excerpt(text)} is not a number, but ${numbers.length} other labels are`,
      fix: `Correct or remove such rows, or choose ${optionName("task", "classification")} if the numbers are class names`,
    });
  }
  return "classification";
}

const placeOf = (file: string, { name, position }: { name: string; position: number }) =>
  `${file}, column ${position} (${excerpt(name)})`;

/**
 * The examples of a table. Missing values are NaN, and targets are in the table's units.
 * @throws DataError if all labels are equal; OptionError for a label that is not a number in regression, or for several
 * label columns in classification
 */
export function datasetFromTable(table: Table, task: Task = usualTask(table)): Dataset {
  const { name, features, labels, labelNames, columns, label, otherLabels } = table;
  const where = placeOf(name, label);
  const shape = [featureCount(columns)];
  const checked = withoutGaps(features);
  if (task === "classification") {
    if (otherLabels.length > 0) {
      const what = "several label columns are supported only for regression";
      throw new OptionError({
        where: optionName("label"),
        what,
        fix: "Give one label column, and train a model for each",
      });
    }
    if (labelNames.length < 2) {
      const what = `every label is ${excerpt(labelNames[0])}: classification needs at least two classes`;
      throw new DataError({
        where,
        what,
        fix: `Give examples of at least two classes, or another ${optionName("label")}`,
      });
    }
    const data = makeClassificationDataset({ name, features: checked, shape, labels, classes: labelNames });
    return { ...data, features };
  }
  const all = [{ ...label, labels, names: labelNames }, ...otherLabels];
  const values = all.map((column) => targetsOf(name, column, all.length > 1));
  const targets = new Float32Array(labels.length * all.length);
  values.forEach((column, output) => column.forEach((value, row) => (targets[row * all.length + output] = value)));
  const outputs = all.map((column) => column.name);
  return { ...makeRegressionDataset({ name, features: checked, shape, targets, outputs }), features };
}

/** Missing cells are NaN until they are filled in; data sets are refused for it, so they are checked with 0. */
const withoutGaps = (features: Table["features"]): Table["features"] =>
  features.some(Number.isNaN) ? features.map((value) => (Number.isNaN(value) ? 0 : value)) : features;

function targetsOf(file: string, label: TableLabel, isOneOfSeveral: boolean): Float32Array {
  const values = label.names.map(numberIn);
  const wrong = values.findIndex(Number.isNaN);
  if (wrong >= 0) {
    const why = isOneOfSeveral ? ", and several label columns are supported only for regression" : "";
    const fix = isOneOfSeveral
      ? "Correct it, or train a separate model for this column"
      : `Choose ${optionName("task", "classification")}, or another ${optionName("label")}`;
    throw new OptionError({
      where: placeOf(file, label),
      what: `the label ${excerpt(label.names[wrong])} is not a number${why}`,
      fix,
    });
  }
  return Float32Array.from(label.labels, (index) => values[index]!);
}

/**
 * Constants that depend on the training examples: values for missing features, and the mean and deviation of the
 * targets.
 */
export interface TableConstants {
  /** One value per feature. Without it, missing values are refused later. */
  readonly fill?: readonly number[];
  /**
   * The moments of the targets over the training examples, or one for each output. 0 and 1 leave the targets unchanged.
   */
  readonly target?: Moments | readonly Moments[];
}

const unscaled: Moments = { mean: 0, deviation: 1 };

/** The moments of one output. */
const momentsAt = (moments: Moments | readonly Moments[], output: number): Moments =>
  "mean" in moments ? moments : (moments[output] ?? unscaled);

/** The schema that is stored with the model. */
export function schemaOf(table: Table, data: Dataset, { fill, target = unscaled }: TableConstants): TableSchema {
  const { header, width, columns, label, otherLabels } = table;
  const targetColumn = ({ name, position, format }: Table["label"], output: number): TargetColumn => {
    const { mean, deviation } = momentsAt(target, output);
    return { name, position, kind: "number", mean, deviation, format };
  };
  const kept: LabelColumn = isRegression(data)
    ? targetColumn(label, 0)
    : { ...label, kind: "class", classes: data.classes };
  const others = otherLabels.map((other, index) => targetColumn(other, index + 1));
  return { header, width, columns, label: kept, otherLabels: others.length > 0 ? others : undefined, fill };
}

/**
 * The mean of each feature over the examples that have a value; 0 if none has.
 * @param width number of features per example
 */
export function featureMeans(features: Uint8Array | Float32Array, width: number): number[] {
  const sums = new Float64Array(width);
  const counts = new Float64Array(width);
  for (let index = 0, column = 0; index < features.length; index++, column = column + 1 === width ? 0 : column + 1) {
    const value = features[index]!;
    if (Number.isNaN(value)) continue;
    sums[column]! += value;
    counts[column]!++;
  }
  return Array.from(sums, (sum, column) => sum / (counts[column]! || 1));
}

/** Replaces missing values by one value per feature, in place. */
export function fillMissing(features: Uint8Array | Float32Array, fill: readonly number[]): void {
  if (features instanceof Uint8Array) return;
  features.forEach((value, index) => {
    if (Number.isNaN(value)) features[index] = fill[index % fill.length]!;
  });
}

/** The mean and standard deviation of targets. The deviation is 1 if all are equal at the precision of float32. */
export function targetMoments(targets: Float32Array): Moments {
  return momentsOfTargets(targets, 1)[0]!;
}

/** The same for each output. @param targets rows of `outputs` values */
export function momentsOfTargets(targets: Float32Array, outputs: number): Moments[] {
  return columnMoments(targets, outputs).map(({ mean, deviation }) => ({ mean, deviation: deviation || 1 }));
}

/** Standardizes targets for training: (target − mean) / deviation. @param moments of all targets, or of each output */
export function standardizeTargets(targets: Float32Array, moments: Moments | readonly Moments[]): Float32Array {
  const of = outputMoments(moments);
  return targets.map((target, index) => (target - of(index).mean) / of(index).deviation);
}

/** The inverse of `standardizeTargets`: converts outputs of a model to the table's units. */
export function targetsInUnits(outputs: Float32Array, moments: Moments | readonly Moments[]): Float32Array {
  const of = outputMoments(moments);
  return outputs.map((output, index) => output * of(index).deviation + of(index).mean);
}

const outputMoments = (moments: Moments | readonly Moments[]) =>
  "mean" in moments ? () => moments : (index: number) => moments[index % moments.length]!;

/** Converts targets or outputs to the table's units. They stay unchanged without a table, and for classification. */
export function inUnitsOf(schema: TableSchema | undefined, values: Float32Array): Float32Array {
  const outputs = schema ? targetColumns(schema) : [];
  return outputs.length > 0 ? targetsInUnits(values, outputs) : values;
}
