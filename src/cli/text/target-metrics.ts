/*
 * Regression metrics per target, each in the target's own units, as text.
 */
import type { TargetMetrics } from "../../train/measurement.ts";
import { fourDigits, r2Text, shortened } from "./text.ts";

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
