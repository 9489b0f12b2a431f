import type { Changes } from "./sweep-plan.ts";
import { csvCell } from "../../text.ts";
import { visible } from "../text/terminal.ts";

/** What came of one run, as its file keeps it. */
export interface RunResult {
  readonly name: string;
  readonly changes: Changes;
  /** What the best run has lowest; null where training diverged. */
  readonly score: number | null;
  readonly metrics: Readonly<Record<string, number | null>>;
  readonly steps: number;
  /** Why it stopped. */
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

/** The best runs, the best one first, in lines of what they changed and gave. */
export function resultsTable(results: readonly RunResult[]): string[] {
  const ordered = results.toSorted((a, b) => (a.score ?? Infinity) - (b.score ?? Infinity)).slice(0, MOST_LISTED);
  const [options, metrics] = [optionsOf(results), metricsOf(results)];
  const shown = (value: number | null | undefined) =>
    typeof value === "number" ? String(Number(value.toPrecision(4))) : "–";
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

/** All runs in their order, as CSV with a header. */
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
