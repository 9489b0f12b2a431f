/*
 * The predictions for the examples of all folds, each by the model that was not trained on it, as CSV.
 */
import { isRegression, type Dataset } from "../../data/dataset.ts";
import { inUnitsOf } from "../../data/table-data.ts";
import type { TableSchema } from "../../data/table-schema.ts";
import type { LossName } from "../../nn/losses.ts";
import { csvCell } from "../../text.ts";
import { classesByThreshold } from "../../train/index.ts";
import { classShares } from "../../train/outputs.ts";

/** The outputs for the examples of one fold. */
export interface FoldPredictions {
  /** The examples of the fold, by their index in all examples. */
  readonly indices: Uint32Array;
  readonly test: Dataset;
  /** The model's outputs for `test`, row-major. */
  readonly outputs: Float32Array;
  readonly loss: LossName;
  readonly threshold: number | undefined;
  /** Converts standardized targets back to units; undefined for images. */
  readonly table: TableSchema | undefined;
}

/**
 * A line for each example in the order of the data: its number from 1, its fold from 1, its label or targets, its
 * prediction, and the probability of each class if there are any.
 */
export function predictionsCsv(folds: readonly FoldPredictions[]): string {
  const all = folds.flatMap((predictions, fold) => {
    const rows = rowsOf(predictions);
    return Array.from(predictions.indices, (index, row) => ({ index, cells: [index + 1, fold + 1, ...rows[row]!] }));
  });
  all.sort((a, b) => a.index - b.index);
  const lines = [namesOf(folds[0]!), ...all.map(({ cells }) => cells)];
  return lines.map((cells) => `${cells.map((cell) => csvCell(String(cell))).join(",")}\n`).join("");
}

function namesOf({ test, loss, outputs }: FoldPredictions): string[] {
  if (isRegression(test)) {
    const { outputs: names } = test;
    return ["example", "fold", ...names, ...names.map((name) => `predicted ${name}`)];
  }
  const shares = classShares(outputs, outputs.length / test.count, loss);
  return ["example", "fold", "label", "prediction", ...(shares ? test.classes : [])];
}

/** The cells of each example after its fold. */
function rowsOf({ test, outputs, loss, threshold, table }: FoldPredictions): (string | number)[][] {
  const width = outputs.length / test.count;
  const rowOf = (values: Float32Array, row: number) =>
    [...values.subarray(row * width, (row + 1) * width)].map(rounded);
  if (isRegression(test)) {
    const [targets, predicted] = [inUnitsOf(table, test.targets), inUnitsOf(table, outputs)];
    return Array.from({ length: test.count }, (_, row) => [...rowOf(targets, row), ...rowOf(predicted, row)]);
  }
  const { labels, classes } = test;
  const shares = classShares(outputs, width, loss);
  const predictions = classesByThreshold(outputs, width, loss, threshold);
  return Array.from(predictions, (prediction, row) => {
    const ofRow = shares ? rowOf(shares, row) : [];
    // A single output is the probability of the second class.
    const ofClasses = ofRow.length === 1 ? [rounded(1 - ofRow[0]!), ofRow[0]!] : ofRow;
    return [classes[labels[row]!]!, classes[prediction]!, ...ofClasses];
  });
}

/** Rounds to seven significant digits, about the precision of float32. */
const rounded = (value: number) => Number(value.toPrecision(7));
