import type { Changes } from "./sweep-plan.ts";
import { csvCell } from "../../text.ts";
import { visible } from "../text/terminal.ts";
import { shortNumber } from "../text/text.ts";

/** The result of one run, as stored in its file. */
export interface RunResult {
  readonly name: string;
  readonly changes: Changes;
  /** The validation loss, which is lowest for the best run; null if training diverged. */
  readonly score: number | null;
  readonly metrics: Readonly<Record<string, number | null>>;
  readonly steps: number;
  /** Why the run stopped. */
  readonly stop: string;
  readonly seconds: number;
}

const optionsOf = (results: readonly RunResult[]) => [
  ...new Set(results.flatMap(({ changes }) => Object.keys(changes))),
];

const metricsOf = (results: readonly RunResult[]) => [
  ...new Set(results.flatMap(({ metrics }) => Object.keys(metrics))),
];

const text = (value: unknown) =>
  Array.isArray(value) ? value.join("-") || "none" : value === null || value === undefined ? "" : String(value);

const MOST_LISTED = 30;

/** A table of the best runs, best first: their settings and metrics. */
export function resultsTable(results: readonly RunResult[]): string[] {
  const ordered = results.toSorted((a, b) => (a.score ?? Infinity) - (b.score ?? Infinity)).slice(0, MOST_LISTED);
  const [options, metrics] = [optionsOf(results), metricsOf(results)];
  const shown = (value: number | null | undefined) => (typeof value === "number" ? shortNumber(value) : "–");
  const rows = ordered.map(({ changes, metrics: values, steps, seconds }) => [
    ...options.map((name) => visible(text(changes[name]))),
    ...metrics.map((name) => shown(values[name])),
    String(steps),
    seconds.toFixed(1),
  ]);
  const lines = [[...options, ...metrics, "steps", "s"], ...rows];
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)));
  return lines.map((line) => line.map((cell, column) => cell.padStart(widths[column]!)).join("  "));
}

/** All runs in order, as CSV with a header. */
export function resultsCsv(results: readonly RunResult[]): string {
  const [options, metrics] = [optionsOf(results), metricsOf(results)];
  const rows = results.map(({ name, changes, metrics: values, steps, stop, seconds }) => [
    name,
    ...options.map((option) => text(changes[option])),
    ...metrics.map((metric) => text(values[metric])),
    String(steps),
    stop,
    seconds.toFixed(3),
  ]);
  return [["run", ...options, ...metrics, "steps", "stop", "seconds"], ...rows]
    .map((row) => `${row.map(csvCell).join(",")}\n`)
    .join("");
}
