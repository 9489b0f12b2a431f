/*
 * From a table to a data set: which task it is, what stands in for missing values, and the schema that is kept.
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

/** Whether a label is a class or a quantity. */
export type Task = "classification" | "regression";

/** The most different whole numbers that are taken as classes where no task is named. */
export const MOST_NUMBERED_CLASSES = 20;

/** Whether numbers would be quantities: they are not whole, or too many to be classes. */
const areContinuous = (numbers: readonly number[]) =>
  !numbers.every(Number.isInteger) || numbers.length > MOST_NUMBERED_CLASSES;

/**
 * What to make of a label: text is classes, and so are at most 20 different whole numbers; other numbers are
 * quantities, and so are several labels.
 * @throws OptionError for text among numbers that would be quantities without it
 */
export function usualTask({ name, label, labelNames, otherLabels }: Table): Task {
  if (otherLabels.length > 0) return "regression";
  const numbers = labelNames.map(numberIn).filter((value) => !Number.isNaN(value));
  if (numbers.length === labelNames.length) return areContinuous(numbers) ? "regression" : "classification";
  if (numbers.length > 1 && areContinuous(numbers)) {
    const text = labelNames.find((cell) => Number.isNaN(numberIn(cell)));
    throw new OptionError({
      where: placeOf(name, label),
      what: `the label ${excerpt(text)} is no number, but ${numbers.length} other labels are`,
      fix: `Correct or leave out such rows, or choose ${optionName("task", "classification")} if the numbers are names of classes`,
    });
  }
  return "classification";
}

const placeOf = (file: string, { name, position }: { name: string; position: number }) =>
  `${file}, column ${position} (${excerpt(name)})`;

/**
 * A table's examples, with NaN where a value is missing and targets in the table's own units.
 * @throws DataError for a label of one value only; OptionError for a label that is no number in regression, and for
 * several labels in classification
 */
export function datasetFromTable(table: Table, task: Task = usualTask(table)): Dataset {
  const { name, features, labels, labelNames, columns, label, otherLabels } = table;
  const where = placeOf(name, label);
  const shape = [featureCount(columns)];
  if (task === "classification") {
    if (otherLabels.length > 0) {
      const what = "several labels are predicted together as quantities only: classes of one column exclude each other";
      throw new OptionError({ where: optionName("label"), what, fix: "Name one column, and train a model for each" });
    }
    if (labelNames.length < 2) {
      const what = `every label is ${excerpt(labelNames[0])}: there is nothing to tell apart`;
      throw new DataError({
        where,
        what,
        fix: `Give examples of at least two classes, or another ${optionName("label")}`,
      });
    }
    return makeClassificationDataset({ name, features, shape, labels, classes: labelNames });
  }
  const all = [{ ...label, labels, names: labelNames }, ...otherLabels];
  const values = all.map((column) => targetsOf(name, column, all.length > 1));
  const targets = new Float32Array(labels.length * all.length);
  values.forEach((column, output) => column.forEach((value, row) => (targets[row * all.length + output] = value)));
  return makeRegressionDataset({ name, features, shape, targets, outputs: all.map((column) => column.name) });
}

function targetsOf(file: string, label: TableLabel, isOneOfSeveral: boolean): Float32Array {
  const values = label.names.map(numberIn);
  const wrong = values.findIndex(Number.isNaN);
  if (wrong >= 0) {
    const why = isOneOfSeveral ? ", and several labels are predicted together as quantities only" : "";
    const fix = isOneOfSeveral
      ? "Correct it, or train a model of its own for this column"
      : `Choose ${optionName("task", "classification")}, or another ${optionName("label")}`;
    throw new OptionError({
      where: placeOf(file, label),
      what: `the label ${excerpt(label.names[wrong])} is no number${why}`,
      fix,
    });
  }
  return Float32Array.from(label.labels, (index) => values[index]!);
}

/** What is settled by the examples for training: the values for missing ones, and the label's mean and deviation. */
export interface TableConstants {
  /** For each feature; missing values are refused later on if absent. */
  readonly fill?: readonly number[];
  /** Of a label that is a quantity, over the examples for training, or of each of several; 0 and 1 take it as it is. */
  readonly target?: Moments | readonly Moments[];
}

const unscaled: Moments = { mean: 0, deviation: 1 };

/** Those of one of several outputs. */
const momentsAt = (moments: Moments | readonly Moments[], output: number): Moments =>
  "mean" in moments ? moments : (moments[output] ?? unscaled);

/** What is kept with the model. */
export function schemaOf(table: Table, data: Dataset, { fill, target = unscaled }: TableConstants): TableSchema {
  const { header, width, columns, label, otherLabels } = table;
  const quantity = ({ name, position, format }: Table["label"], output: number): TargetColumn => {
    const { mean, deviation } = momentsAt(target, output);
    return { name, position, kind: "number", mean, deviation, format };
  };
  const kept: LabelColumn = isRegression(data)
    ? quantity(label, 0)
    : { ...label, kind: "class", classes: data.classes };
  const others = otherLabels.map((other, index) => quantity(other, index + 1));
  return { header, width, columns, label: kept, otherLabels: others.length > 0 ? others : undefined, fill };
}

/**
 * The mean of each feature over the examples that have it; 0 where none has.
 * @param width number of features of an example
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

/** Puts one value for each feature where values are missing, in place. */
export function fillMissing(features: Uint8Array | Float32Array, fill: readonly number[]): void {
  if (features instanceof Uint8Array) return;
  features.forEach((value, index) => {
    if (Number.isNaN(value)) features[index] = fill[index % fill.length]!;
  });
}

/** The mean and the standard deviation of targets; the deviation is 1 where all are equal, to the precision of float32. */
export function targetMoments(targets: Float32Array): Moments {
  return momentsOfTargets(targets, 1)[0]!;
}

/** The same of each output. @param targets rows of one value for each of `outputs` */
export function momentsOfTargets(targets: Float32Array, outputs: number): Moments[] {
  return columnMoments(targets, outputs).map(({ mean, deviation }) => ({ mean, deviation: deviation || 1 }));
}

/** (target − mean) / deviation, as a model of quantities is trained on. @param moments of all targets, or of each output */
export function standardizeTargets(targets: Float32Array, moments: Moments | readonly Moments[]): Float32Array {
  const of = outputMoments(moments);
  return targets.map((target, index) => (target - of(index).mean) / of(index).deviation);
}

/** The inverse of `standardizeTargets`: what a model says, in the table's own units. */
export function targetsInUnits(outputs: Float32Array, moments: Moments | readonly Moments[]): Float32Array {
  const of = outputMoments(moments);
  return outputs.map((output, index) => output * of(index).deviation + of(index).mean);
}

const outputMoments = (moments: Moments | readonly Moments[]) =>
  "mean" in moments ? () => moments : (index: number) => moments[index % moments.length]!;

/** Targets, or what a model says of them, in the table's own units; as they are where there is no table or it has classes. */
export function inUnitsOf(schema: TableSchema | undefined, values: Float32Array): Float32Array {
  const quantities = schema ? targetColumns(schema) : [];
  return quantities.length > 0 ? targetsInUnits(values, quantities) : values;
}
