/*
 * The results as text, at most 100 columns wide.
 */
import { median } from "../measures/timing.mjs";
import { applies, rows } from "../measures/rows.mjs";
import { allRuntimes } from "../runtimes/index.mjs";

/**
 * Summarizes the rounds: for each measured row, the medians of the runtimes, and for each goal of a runtime that was run,
 * whether it is met.
 * @param {readonly import("../runtimes/index.mjs").RuntimeEntry[]} runtimes
 * @param {Record<string, Record<string, object[]>>} results by runtime and measure, one per round
 */
export function summarize(runtimes, results) {
  const measured = rows.filter(({ measure }) => runtimes.some(({ name }) => results[name][measure]?.length));
  return measured.map((row) => {
    const values = Object.fromEntries(runtimes.map((runtime) => [runtime.name, valueOf(row, runtime, results)]));
    const goals = row.goals
      .filter(({ of }) => Number.isFinite(values[of]))
      .map((goal) => ({ ...goal, ...outcome(goal, row, values) }));
    return { ...row, values, goals };
  });
}

/** The median of the rounds, "wrong", "failed", or undefined if the measure does not apply or was not run. */
function valueOf({ measure, key, per = 1 }, runtime, results) {
  const rounds = results[runtime.name][measure] ?? [];
  if (!applies(measure, runtime) || rounds.length === 0) return undefined;
  if (rounds.some(({ wrong }) => wrong)) return "wrong";
  const good = rounds.filter(({ failed }) => !failed);
  return good.length === 0 ? "failed" : per * median(good.map((round) => round[key]));
}

/** `ratio` is to the better peer (above 1, wgrad is better); the verdict is undefined if no peer has a number. */
function outcome({ of, atMost, atLeast, times, peers, floor }, { higher }, values) {
  const own = values[of];
  if (atMost !== undefined) return { verdict: own <= atMost ? "met" : "missed" };
  if (atLeast !== undefined) return { verdict: own >= atLeast ? "met" : "missed" };
  const others = peers.map((name) => values[name]).filter(Number.isFinite);
  if (others.length === 0) return {};
  const ratio = higher ? own / Math.max(...others) : Math.min(...others) / own;
  if (ratio >= times) return { ratio, verdict: "met" };
  return { ratio, verdict: ratio >= floor ? "floor met" : "missed" };
}

const labelOf = (name) => allRuntimes.find((runtime) => runtime.name === name).label;

function goalText({ atMost, atLeast, times, peers }) {
  if (atMost !== undefined) return `at most ${atMost}`;
  if (atLeast !== undefined) return `at least ${atLeast}`;
  return `at least ${times} × ${peers.map(labelOf).join(" and ")}`;
}

/** A number with three significant digits and thousands separators. */
export function numberText(value) {
  if (value === undefined) return "";
  if (typeof value === "string") return value;
  if (value >= 1000) return Math.round(Number(value.toPrecision(3))).toLocaleString("en");
  return String(Number(value.toPrecision(3)));
}

/**
 * The table, whose head names the library, the device and the number of threads of each column.
 * @param {ReturnType<typeof summarize>} summary
 * @param {Record<string, number | undefined>} threads by runtime; undefined where the adapter's driver decides
 */
export function tableText(runtimes, summary, threads) {
  const width = (column) => (column === 0 ? 28 : 9);
  const padded = (cell, column) => (column === 0 ? cell.padEnd(width(column)) : cell.padStart(width(column)));
  const line = (cells) => cells.map(padded).join("").trimEnd();
  return [
    line(["", ...runtimes.map(({ label }) => label.split(" ")[0])]),
    line(["", ...runtimes.map(({ device }) => device)]),
    line(["threads", ...runtimes.map(({ name }) => String(threads[name] ?? "driver"))]),
    ...summary.map(({ label, values }) => line([label, ...runtimes.map(({ name }) => numberText(values[name]))])),
  ].join("\n");
}

/** A goal and whether it is met, such as "wgrad wasm at least 1 × PyTorch: met (1.03 ×)". */
function goalLine(goal) {
  const reached = goal.ratio === undefined ? "" : ` (${numberText(goal.ratio)} ×)`;
  return `${labelOf(goal.of)} ${goalText(goal)}: ${goal.verdict ?? "not compared"}${reached}`;
}

/** One line for each goal of the rows that were measured. */
export const goalLines = (summary) =>
  summary.flatMap(({ label, goals }) => goals.map((goal) => `${label}: ${goalLine(goal)}`));

/** The table and the goals as Markdown, for docs/performance.md. */
export function markdownText(runtimes, summary) {
  const line = (cells) => `| ${cells.join(" | ")} |`;
  const body = summary.map(({ label, values, goals }) => {
    const numbers = runtimes.map(({ name }) => numberText(values[name]) || "–");
    return line([label, ...numbers, goals.map(goalLine).join("; ")]);
  });
  const head = ["", ...runtimes.map(({ label }) => label), "goals"];
  return `${[line(head), `|${"---|".repeat(head.length)}`, ...body].join("\n")}\n`;
}

/** Notes about single numbers: failures, wrong results, epochs that were timed in part. */
export function remarks(runtimes, results) {
  const lines = [];
  for (const { name, label } of runtimes) {
    for (const [measure, rounds] of Object.entries(results[name])) {
      const troubles = new Set(rounds.map(({ wrong, failed }) => wrong ?? failed).filter(Boolean));
      for (const trouble of troubles) lines.push(`${label}, ${measure}: ${trouble}`);
      const part = rounds.find(({ steps, stepsPerEpoch }) => steps < stepsPerEpoch);
      if (part) lines.push(`${label}: the epoch is extrapolated from ${part.steps} of ${part.stepsPerEpoch} steps`);
    }
  }
  return lines;
}
