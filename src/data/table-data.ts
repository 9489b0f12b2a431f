/*
 * From a table to a data set: which task it is, what stands in for missing values, and the schema that is kept.
 */
import { DataError, excerpt, OptionError } from "../errors.ts";
import { numberIn } from "./cells.ts";
import { columnMoments, makeDataset, makeRegressionDataset, isRegression, type TrainingData } from "./dataset.ts";
import type { Table } from "./table.ts";
import { featureCount, type LabelColumn, type TableSchema } from "./table-schema.ts";

/** Whether a label is a class or a quantity. */
export type Task = "classification" | "regression";

/** The most different whole numbers that are taken as classes where no task is named. */
export const MOST_NUMBERED_CLASSES = 20;

/**
 * What to make of a label: text is classes, and so are at most 20 different whole numbers; other numbers are
 * quantities.
 */
export function usualTask({ labelNames }: Table): Task {
  const numbers = labelNames.map(numberIn);
  if (numbers.some(Number.isNaN)) return "classification";
  return numbers.every(Number.isInteger) && numbers.length <= MOST_NUMBERED_CLASSES ? "classification" : "regression";
}

/**
 * A table's examples, with NaN where a value is missing and targets in the table's own units.
 * @throws DataError for a label of one value only, and for a label that is no number in regression
 */
export function datasetFromTable(table: Table, task: Task = usualTask(table)): TrainingData {
  const { name, features, labels, labelNames, columns, label } = table;
  const where = `${name}, column ${label.position} (${excerpt(label.name)})`;
  const shape = [featureCount(columns)];
  if (task === "classification") {
    if (labelNames.length < 2) {
      const what = `every label is ${excerpt(labelNames[0])}: there is nothing to tell apart`;
      throw new DataError({ where, what, fix: "Give examples of at least two classes, or another --label" });
    }
    return makeDataset({ name, features, shape, labels, classes: labelNames });
  }
  const values = labelNames.map(numberIn);
  const wrong = values.findIndex(Number.isNaN);
  if (wrong >= 0) {
    const what = `the label ${excerpt(labelNames[wrong])} is no number`;
    throw new OptionError({ where, what, fix: "Choose --task classification, or another --label" });
  }
  const targets = Float32Array.from(labels, (index) => values[index]!);
  return makeRegressionDataset({ name, features, shape, targets, outputs: [label.name] });
}

/** What is settled by the examples for training: the values for missing ones, and the label's mean and deviation. */
export interface TableConstants {
  /** For each feature; missing values are refused later on if absent. */
  readonly fill?: readonly number[];
  /** Of a label that is a quantity, over the examples for training; 0 and 1 take it as it is. */
  readonly target?: { readonly mean: number; readonly deviation: number };
}

/** What is kept with the model. */
export function schemaOf(table: Table, data: TrainingData, { fill, target }: TableConstants): TableSchema {
  const { header, width, columns, label } = table;
  const kept: LabelColumn = isRegression(data)
    ? { ...label, kind: "number", mean: 0, deviation: 1, ...target }
    : { ...label, kind: "class", classes: data.classes };
  return { header, width, columns, label: kept, ...(fill && { fill }) };
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
export function targetMoments(targets: Float32Array): { mean: number; deviation: number } {
  const { mean, deviation } = columnMoments(targets, 1)[0]!;
  return { mean, deviation: deviation || 1 };
}

/** (target − mean) / deviation, as a model of quantities is trained on. */
export function standardizeTargets(targets: Float32Array, { mean, deviation }: { mean: number; deviation: number }): Float32Array {
  return targets.map((target) => (target - mean) / deviation);
}

/** The inverse of `standardizeTargets`: what a model says, in the table's own units. */
export function targetsInUnits(outputs: Float32Array, { mean, deviation }: { mean: number; deviation: number }): Float32Array {
  return outputs.map((output) => output * deviation + mean);
}
