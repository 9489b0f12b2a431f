/*
 * How good predictions of one quantity or several are, each in its own units.
 */
import type { RegressionDataset } from "../../data/dataset.ts";
import { inUnitsOf } from "../../data/table-data.ts";
import type { TableSchema } from "../../data/table-schema.ts";
import { regressionMetrics, type RegressionMetrics } from "../../train/index.ts";
import { fourDigits, shortened } from "./text.ts";

/** The metrics of one of several quantities. */
export interface TargetMetrics extends RegressionMetrics {
  readonly name: string;
}

export interface RegressionOutcome {
  /** Of one quantity its own, of several their means, as scikit-learn has it by default. */
  readonly regression: RegressionMetrics;
  /** Of each of several quantities; none of one. */
  readonly targets: readonly TargetMetrics[];
}

/** @param outputs what the model gave for the data's examples, row after row */
export function measureRegression(
  data: RegressionDataset,
  outputs: Float32Array,
  table: TableSchema | undefined,
): RegressionOutcome {
  const names = data.outputs;
  const [wanted, given] = [inUnitsOf(table, data.targets), inUnitsOf(table, outputs)];
  const column = (values: Float32Array, index: number) => values.filter((_, at) => at % names.length === index);
  const targets = names.map((name, index) => ({
    name,
    ...regressionMetrics(column(wanted, index), column(given, index)),
  }));
  if (targets.length === 1) return { regression: regressionMetrics(wanted, given), targets: [] };
  const mean = (metric: "r2" | "rmse" | "mae") =>
    targets.reduce((sum, target) => sum + target[metric], 0) / targets.length;
  return { regression: { r2: mean("r2"), rmse: mean("rmse"), mae: mean("mae") }, targets };
}

const LONGEST_NAME = 30;

/** R², RMSE and MAE of each of several quantities. */
export function targetTable(targets: readonly TargetMetrics[]): string[] {
  const names = targets.map(({ name }) => shortened(name, LONGEST_NAME));
  const width = Math.max("target".length, ...names.map((name) => name.length));
  const row = (name: string, ...cells: string[]) =>
    `${name.padEnd(width)}${cells.map((cell) => `  ${cell.padStart(10)}`).join("")}`;
  const r2Text = (r2: number) => (Number.isNaN(r2) ? "–" : r2.toFixed(3));
  return [
    row("target", "R²", "RMSE", "MAE"),
    ...targets.map(({ r2, rmse, mae }, index) => row(names[index]!, r2Text(r2), fourDigits(rmse), fourDigits(mae))),
  ];
}
