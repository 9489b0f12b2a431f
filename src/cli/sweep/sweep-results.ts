import type { TrialResult } from "../../cluster/sweeps/events.ts";
import type { Changes } from "./sweep-plan.ts";
import { csvCell } from "../../text.ts";
import { visible } from "../text/terminal.ts";
import { shortNumber } from "../text/text.ts";

/** The result of one run, as stored in its file. */
export interface RunResult extends TrialResult {
  readonly name: string;
  readonly changes: Changes;
  /** The rung that the run has reached, from 0; undefined if the search has no rungs. */
  readonly rung?: number;
}

const optionsOf = (results: readonly RunResult[]) => [
  ...new Set(results.flatMap(({ changes }) => Object.keys(changes))),
];

const metricsOf = (results: readonly RunResult[]) => [
  ...new Set(results.flatMap(({ metrics }) => Object.keys(metrics))),
];

const text = (value: unknown) =>
  Array.isArray(value) ? value.join("-") || "none" : value === null || value === undefined ? "" : String(value);

/** The columns of a search with rungs. */
const rungColumn = (results: readonly RunResult[]) => (results.some(({ rung }) => rung !== undefined) ? ["rung"] : []);

const rungCell = ({ rung }: RunResult) => (rung === undefined ? [] : [String(rung + 1)]);

const MOST_LISTED = 30;

/** A table of the best runs, best first: their settings and metrics. */
export function resultsTable(results: readonly RunResult[]): string[] {
  const ordered = results.toSorted((a, b) => (a.score ?? Infinity) - (b.score ?? Infinity)).slice(0, MOST_LISTED);
  const [options, metrics] = [optionsOf(results), metricsOf(results)];
  const shown = (value: number | null | undefined) => (typeof value === "number" ? shortNumber(value) : "–");
  const rows = ordered.map((result) => [
    ...options.map((name) => visible(text(result.changes[name]))),
    ...rungCell(result),
    ...metrics.map((name) => shown(result.metrics[name])),
    String(result.steps),
    result.seconds.toFixed(1),
  ]);
  const lines = [[...options, ...rungColumn(results), ...metrics, "steps", "s"], ...rows];
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  return lines.map((line) => line.map((cell, column) => cell.padStart(widths[column]!)).join("  "));
}

/** All runs in order, as CSV with a header. */
export function resultsCsv(results: readonly RunResult[]): string {
  const [options, metrics] = [optionsOf(results), metricsOf(results)];
  const rows = results.map((result) => [
    result.name,
    ...options.map((option) => text(result.changes[option])),
    ...rungCell(result),
    ...metrics.map((metric) => text(result.metrics[metric])),
    String(result.steps),
    result.stop,
    result.seconds.toFixed(3),
  ]);
  return [["run", ...options, ...rungColumn(results), ...metrics, "steps", "stop", "seconds"], ...rows]
    .map((row) => `${row.map(csvCell).join(",")}\n`)
    .join("");
}
