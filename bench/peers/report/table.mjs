/*
 * The results as text, at most 100 columns wide.
 */
import { median } from "../measures/timing.mjs";
import { applies, rows } from "../measures/rows.mjs";

/**
 * Summarizes the rounds: for each measured row, the medians of the runtimes, wgrad's ratio to the better peer on WebGPU
 * (above 1, wgrad is better) and whether the goal is met.
 * @param {readonly import("../runtimes/index.mjs").RuntimeEntry[]} runtimes
 * @param {Record<string, Record<string, object[]>>} results by runtime and measure, one per round
 */
export function summarize(runtimes, results) {
  const measured = rows.filter(({ measure }) => runtimes.some(({ name }) => results[name][measure]?.length));
  return measured.map((row) => {
    const values = Object.fromEntries(runtimes.map((runtime) => [runtime.name, valueOf(row, runtime, results)]));
    const peers = runtimes
      .filter(({ name, device }) => name !== "wgrad" && device === "webgpu")
      .map(({ name }) => values[name]);
    const ratio = ratioOf(row, values.wgrad, peers.filter(Number.isFinite));
    return { ...row, values, ratio, verdict: verdictOf(row, values.wgrad, ratio) };
  });
}

/** The median of the rounds, "wrong", "failed", or undefined if the measure does not apply or was not run. */
function valueOf({ measure, key }, runtime, results) {
  const rounds = results[runtime.name][measure] ?? [];
  if (!applies(measure, runtime) || rounds.length === 0) return undefined;
  if (rounds.some(({ wrong }) => wrong)) return "wrong";
  const good = rounds.filter(({ failed }) => !failed);
  return good.length === 0 ? "failed" : median(good.map((round) => round[key]));
}

function ratioOf({ higher }, own, peers) {
  if (!Number.isFinite(own) || own === 0 || peers.length === 0) return undefined;
  return higher ? own / Math.max(...peers) : Math.min(...peers) / own;
}

function verdictOf({ atMost, times, floor }, own, ratio) {
  if (!Number.isFinite(own)) return undefined;
  if (atMost !== undefined) return own <= atMost ? "met" : "missed";
  if (ratio === undefined) return undefined;
  if (ratio >= times) return "met";
  return ratio >= floor ? "floor met" : "missed";
}

const goalText = ({ atMost, times }) => (atMost === undefined ? `≥ ${times} ×` : `≤ ${atMost}`);

/** A number with three significant digits and thousands separators. */
export function numberText(value) {
  if (value === undefined) return "";
  if (typeof value === "string") return value;
  if (value >= 1000) return Math.round(Number(value.toPrecision(3))).toLocaleString("en");
  return String(Number(value.toPrecision(3)));
}

/** @param {ReturnType<typeof summarize>} summary */
export function tableText(runtimes, summary) {
  const widths = [29, ...runtimes.map(() => 9), 8, 8, 10];
  const padded = (cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column]));
  const line = (cells) => cells.map(padded).join("").trimEnd();
  const body = summary.map((row) =>
    line([
      row.label,
      ...runtimes.map(({ name }) => numberText(row.values[name])),
      row.ratio === undefined ? "" : `${numberText(row.ratio)} ×`,
      goalText(row),
      row.verdict ?? "",
    ]),
  );
  const libraries = line(["", ...runtimes.map(({ label }) => label.split(" ")[0]), "ratio", "goal", ""]);
  const devices = line(["", ...runtimes.map(({ device }) => device), "", "", ""]);
  return [libraries, devices, ...body].join("\n");
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
