/*
 * What a sweep prints and writes about its results, whoever trained the trials.
 */
import { join } from "node:path";
import { DataError } from "../../errors.ts";
import { writeFileAtomically } from "../../node/index.ts";
import { print, say } from "../text/terminal.ts";
import { counted, field } from "../text/text.ts";
import { resultsCsv, resultsTable, type RunResult } from "./sweep-results.ts";
import type { Changes } from "./sweep-plan.ts";

/** The name of the best model's file. */
export const BEST = "best.safetensors";

/** The name of the file with all results. */
export const RESULTS = "results.csv";

/** A trial in words, such as "lr 0.1, hidden 64". */
export const changesText = (changes: Changes): string =>
  Object.entries(changes)
    .map(([option, value]) => `${option} ${String(value)}`)
    .join(", ");

/**
 * Whether a run is better than all that were finished before.
 * @param precedes whether it also wins against a run with the same score; by default, the one that was finished first wins
 */
export const isBest = (
  { score }: RunResult,
  before: readonly RunResult[],
  precedes: (other: RunResult) => boolean = () => false,
): boolean =>
  score !== null &&
  before.every((other) => other.score === null || score < other.score || (score === other.score && precedes(other)));

/** Writes a text to a file of the sweep's folder. */
export const writeText = (folder: string, name: string, text: string): Promise<void> =>
  writeFileAtomically(join(folder, name), new TextEncoder().encode(text));

/** Results in the order of the runs, and of the rungs of each. */
export function inOrderOfRuns(results: readonly RunResult[], names: readonly string[]): RunResult[] {
  const places = new Map(names.map((name, index) => [name, index]));
  return results.toSorted(
    (one, other) => places.get(one.name)! - places.get(other.name)! || (one.rung ?? 0) - (other.rung ?? 0),
  );
}

/** Writes the table of results as CSV. */
export const writeResults = (folder: string, results: readonly RunResult[]): Promise<void> =>
  writeText(folder, RESULTS, resultsCsv(results));

/** Prints the table of results, and the paths of the files. */
export function printResults(folder: string, results: readonly RunResult[]): void {
  if (results.length > 0) print(["", ...resultsTable(results), ""]);
  if (results.some(({ score }) => score !== null)) say(field("best", join(folder, BEST)));
  say(field("results", join(folder, RESULTS)));
}

/** @throws DataError if every run diverged */
export function requireOneGood(results: readonly RunResult[]): void {
  if (results.some(({ score }) => score !== null)) return;
  throw new DataError({
    where: "sweep",
    what:
      results.length === 1
        ? "the only run diverged, so there is no best model"
        : `all ${counted(results.length, "run")} diverged, so there is no best model`,
    fix: "Try smaller values of --lr, add --clip-norm 1, or look for values in the data that are far too large",
  });
}
