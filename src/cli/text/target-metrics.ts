/*
 * Regression metrics per target, each in the target's own units.
 */
import type { RegressionDataset } from "../../data/dataset.ts";
import { inUnitsOf } from "../../data/table-data.ts";
import type { TableSchema } from "../../data/table-schema.ts";
import { regressionMetrics, type RegressionMetrics } from "../../train/index.ts";
import { fourDigits, r2Text, shortened } from "./text.ts";

/** The metrics of one of several targets. */
export interface TargetMetrics extends RegressionMetrics {
  readonly name: string;
}

export interface RegressionOutcome {
  /** The metrics of a single target, or the means over several, as in scikit-learn by default. */
  readonly regression: RegressionMetrics;
  /** The metrics of each target if there are several; otherwise empty. */
  readonly targets: readonly TargetMetrics[];
}

/**
 * Measures predictions in the units of the label columns.
 * @param outputs the model's outputs for the examples of `data`, row-major
 * @param table converts standardized values back to units; undefined leaves them unchanged
 */
export function measureRegression(
  data: RegressionDataset,
  outputs: Float32Array,
  table: TableSchema | undefined,
): RegressionOutcome {
  const names = data.outputs;
  const [wanted, predicted] = [inUnitsOf(table, data.targets), inUnitsOf(table, outputs)];
  const column = (values: Float32Array, index: number) => values.filter((_, at) => at % names.length === index);
  const targets = names.map((name, index) => ({
    name,
    ...regressionMetrics(column(wanted, index), column(predicted, index)),
  }));
  if (targets.length === 1) return { regression: regressionMetrics(wanted, predicted), targets: [] };
  const mean = (metric: "r2" | "rmse" | "mae") =>
    targets.reduce((sum, target) => sum + target[metric], 0) / targets.length;
  return { regression: { r2: mean("r2"), rmse: mean("rmse"), mae: mean("mae") }, targets };
}

const LONGEST_NAME = 30;

/** R², RMSE and MAE of each target as a table. */
export function targetTable(targets: readonly TargetMetrics[]): string[] {
  const names = targets.map(({ name }) => shortened(name, LONGEST_NAME));
  const width = Math.max("target".length, ...names.map((name) => name.length));
  const row = (name: string, ...cells: string[]) =>
    `${name.padEnd(width)}${cells.map((cell) => `  ${cell.padStart(10)}`).join("")}`;
  return [
    row("target", "R²", "RMSE", "MAE"),
    ...targets.map(({ r2, rmse, mae }, index) => row(names[index]!, r2Text(r2), fourDigits(rmse), fourDigits(mae))),
  ];
}
