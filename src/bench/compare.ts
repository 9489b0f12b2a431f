/*
 * Compares a benchmark report with an earlier one.
 */
import { DataError } from "../errors.ts";
import type { BenchmarkReport, Clock } from "./report.ts";
import { changeOf, type Change, type Spread } from "./statistics.ts";
import { columnsOf, timeText, type Column } from "./table.ts";

/** A time that occurs in two reports under the same name. */
export interface Comparison {
  readonly name: string;
  readonly before: Spread;
  readonly now: Spread;
  readonly change: Change;
}

interface Timed {
  readonly clock: Clock;
  readonly seconds: Spread;
}

/** All times of a report by name. */
function timesOf({ kernels, steps, growth }: BenchmarkReport): Map<string, Timed> {
  const whole = [...steps, ...growth].map(({ name, seconds }) => ({ name, clock: "wall clock" as const, seconds }));
  const single = [...kernels, ...steps.flatMap((step) => step.kernels)];
  return new Map([...single, ...whole].map(({ name, clock, seconds }) => [name, { clock, seconds }]));
}

/** Compares the times that are in both reports and were measured with the same clock. */
export function compareReports(before: BenchmarkReport, now: BenchmarkReport): Comparison[] {
  const earlier = timesOf(before);
  return [...timesOf(now)].flatMap(([name, { clock, seconds }]) => {
    const old = earlier.get(name);
    if (!old || old.clock !== clock) return [];
    return [{ name, before: old.seconds, now: seconds, change: changeOf(old.seconds, seconds) }];
  });
}

const COLUMNS: readonly Column[] = [
  { title: "name", width: 62 },
  { title: "before", width: 9, right: true },
  { title: "now", width: 9, right: true },
  { title: "", width: 14 },
];

/** What changed by more than the spread since an earlier report, in lines of at most 100 columns. */
export function comparison(where: string, before: BenchmarkReport, now: BenchmarkReport): string[] {
  const all = compareReports(before, now);
  const changed = all.filter(({ change }) => change !== "same");
  const rows = changed.map(({ name, change, before: old, now: fresh }) => {
    const ratio = change === "slower" ? fresh.median / old.median : old.median / fresh.median;
    return [name, timeText(old.median), timeText(fresh.median), `${ratio.toFixed(2)}× ${change}`];
  });
  const others = new Set([...timesOf(now).keys(), ...timesOf(before).keys()]).size - all.length;
  return [
    `compared with ${where} of ${before.environment.date.slice(0, 10)}, wgrad ${before.environment.version}`,
    ...differences(before, now),
    ...(rows.length > 0
      ? [COLUMNS.map(({ title }) => title), ...rows].flatMap((cells) => columnsOf(COLUMNS, cells))
      : []),
    `${count(changed, "slower")} slower, ${count(changed, "faster")} faster, ${all.length - changed.length} within the spread` +
      `${others > 0 ? `; ${others} only in one report, or with different clocks` : ""}`,
  ];
}

const count = (all: readonly Comparison[], change: Change) => all.filter((each) => each.change === change).length;

const tilings = ({ environment }: BenchmarkReport) => (environment.tuned ? "by wgrad tune" : "defaults");

/** Differences between the environments, which make two reports hard to compare. */
function differences(before: BenchmarkReport, now: BenchmarkReport): string[] {
  const facts = ["runtime", "system", "driver"] as const;
  const pairs = [
    ["adapter", before.environment.adapter.name, now.environment.adapter.name],
    ["tilings", tilings(before), tilings(now)],
    ...facts.map((fact) => [fact, before.environment[fact], now.environment[fact]] as const),
  ] as const;
  return pairs
    .filter(([, old, fresh]) => old !== fresh)
    .flatMap(([fact, old, fresh]) => [`${fact} differs: before`, `  ${old}`, "now", `  ${fresh}`]);
}

/**
 * Parses a report from the text of its file.
 * @throws DataError with the path if the text is not a report
 */
export function readReport(text: string, where: string): BenchmarkReport {
  let report: Partial<BenchmarkReport> | null = null;
  try {
    report = JSON.parse(text) as Partial<BenchmarkReport> | null;
  } catch {
    // Refused below, like other JSON that is not a report.
  }
  const lists = [report?.kernels, report?.steps, report?.growth];
  if (report?.format !== 1 || !report.environment || !lists.every(Array.isArray)) {
    throw new DataError({
      where,
      what: "this is not a report of wgrad's benchmark",
      fix: "Give a file written by `wgrad bench --json`",
    });
  }
  return report as BenchmarkReport;
}
