/*
 * Measures how the time and memory of a step grow with each size, for wgrad and two of its peers, and draws a chart.
 * `node bench/peers/growth/run.mjs --help`
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { pythonWithTorch } from "../runtimes/pytorch.mjs";
import { runtimeNamed } from "../runtimes/index.mjs";
import { axes, slopeOf, workOf } from "./axes.mjs";

const HELP = `node bench/peers/growth/run.mjs [options]

Measures a training step over batch size, width, depth and image size with wgrad, jax-js and PyTorch.
wgrad is read from dist/ (npm run build); jax-js needs npm ci --prefix bench/peers.

  --quick        three values of each size and short measurements: under 6 minutes, to see that all works
  --only A,B     only these axes: ${Object.keys(axes).join(", ")}
  --json FILE    where to write the numbers (default: docs/growth.json)
  --svg FILE     where to write the chart (default: docs/growth.svg)
`;

const RUNTIMES = ["wgrad", "wgrad-wasm", "jax", "jax-wasm", "pytorch"];

/** The first losses of cases with at most so many multiply-adds are compared with the CPU reference in float64. */
const MOST_REFERENCE_WORK = 2e8;

/** The fewest steps of a case: the checked ones, the warm-up, and one for each block. */
const LEAST_STEPS = 8;

const SETTINGS = {
  full: { blockMilliseconds: 700, blocks: 3, mostSeconds: 60, timeout: 900_000 },
  quick: { blockMilliseconds: 150, blocks: 2, mostSeconds: 6, timeout: 40_000 },
};

function readOptions() {
  const options = {
    quick: { type: "boolean", default: false },
    only: { type: "string", default: "" },
    json: { type: "string", default: "docs/growth.json" },
    svg: { type: "string", default: "docs/growth.svg" },
    help: { type: "boolean", default: false },
  };
  const { values } = parseArgs({ options });
  const only = values.only.split(",").filter(Boolean);
  const unknown = only.find((name) => !Object.hasOwn(axes, name));
  if (unknown !== undefined) throw new Error(`--only: there is no axis "${unknown}"; see --help`);
  return { ...values, chosen: only.length > 0 ? only : Object.keys(axes) };
}

/** Runs one case in a process. @returns its numbers, or { wrong } or { failed } with the reason */
function measureCase(runtime, given, timeout) {
  const script = fileURLToPath(new URL("child.mjs", import.meta.url));
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [script, runtime, JSON.stringify(given)], {
      stdio: ["ignore", "pipe", "pipe"],
      timeout,
    });
    let printed = "";
    let errors = "";
    child.stdout.on("data", (text) => (printed += text));
    child.stderr.on("data", (text) => (errors += text));
    child.on("close", (code, signal) => {
      if (printed.includes("\n")) return resolve(JSON.parse(printed));
      const lines = errors.trim().split("\n");
      const line = lines.find((text) => /^\w*Error\b/.test(text)) ?? lines.at(-1);
      resolve({ failed: `the process ended by ${signal ?? `code ${code}`}: ${line}` });
    });
  });
}

/** Measures cases by ascending value. One that would take too long, by the one before it, is left out. */
async function measureCases(runtime, cases, { mostSeconds, timeout, ...settings }) {
  const rows = [];
  let known;
  for (const { value, ...given } of cases) {
    const seconds = known ? (LEAST_STEPS * known.seconds * workOf(given)) / known.work : 0;
    if (seconds > mostSeconds) {
      rows.push({ value, skipped: `it would take about ${Math.round(seconds)} s` });
      continue;
    }
    const row = await measureCase(runtime, { ...given, ...settings }, timeout);
    if (row.step) known = { seconds: row.step / 1000, work: workOf(given) };
    rows.push({ value, ...row });
  }
  return rows;
}

/**
 * The first losses that all runtimes must give: those of the CPU reference where it takes seconds, else those of wgrad on
 * WebAssembly.
 */
async function expectedLosses(cases, rows, settings) {
  const small = cases.filter((each) => workOf(each) <= MOST_REFERENCE_WORK);
  const reference = await measureCases("wgrad-reference", small, { ...settings, blocks: 0 });
  return new Map([...rows, ...reference].map(({ value, losses }) => [value, losses]));
}

/** Writes wgrad's order of the examples of a case to a file, so that no other process has to load wgrad. */
async function orderOf({ batch }, folder) {
  const { wgrad } = await import("../runtimes/wgrad.mjs");
  // At least two batches, so that no step of wgrad is an epoch of its own.
  const count = Math.max(256, 2 * batch);
  const file = join(folder, `order-${count}`);
  // A trainer's default seed is 1.
  writeFileSync(file, wgrad.epochOrder(count, 1, 0));
  return file;
}

async function casesOf(name, { quick, folder }) {
  const { values, quick: few, caseOf } = axes[name];
  const given = (quick ? few : values).map((value) => ({ value, ...caseOf(value) }));
  return Promise.all(given.map(async (each) => ({ ...each, order: await orderOf(each, folder) })));
}

async function measureAxis(name, { runtimes, settings, quick, folder }) {
  const cases = await casesOf(name, { quick, folder });
  const own = await measureCases("wgrad-wasm", cases, { ...settings, blocks: 0 });
  const expected = await expectedLosses(cases, own, settings);
  const results = {};
  for (const runtime of runtimes) {
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${name}: ${runtimeNamed(runtime).label}`);
    const given = cases.map((each) => ({ ...each, expected: expected.get(each.value) }));
    results[runtime] = (await measureCases(runtime, given, settings)).map(({ losses: _, ...row }) => row);
  }
  return results;
}

/** The exponents by which the time and the memory of each runtime grow. */
function slopesOf(results) {
  const of = (rows, cost) =>
    slopeOf(rows.filter((row) => row[cost] > 0).map((row) => ({ value: row.value, cost: row[cost] })));
  const entries = Object.entries(results).map(([runtime, rows]) => [
    runtime,
    { time: of(rows, "step"), memory: of(rows, "bytes") },
  ]);
  return Object.fromEntries(entries);
}

function printTable(name, results, slopes) {
  console.log(`\n${axes[name].label}: milliseconds of a step`);
  for (const [runtime, rows] of Object.entries(results)) {
    const cells = rows.map(({ value, step, ...row }) => {
      if (step !== undefined) return `${value}: ${step.toPrecision(3)}`;
      return `${value}: ${Object.keys(row)[0]}`;
    });
    const { time } = slopes[runtime];
    const slope = time === undefined ? "" : `   slope ${time.toFixed(2)}`;
    console.log(`  ${runtimeNamed(runtime).label.padEnd(14)} ${cells.join("  ")}${slope}`);
    for (const { value, wrong, failed } of rows) if (wrong ?? failed) console.log(`    ${value}: ${wrong ?? failed}`);
  }
}

async function main() {
  const options = readOptions();
  if (options.help) return console.log(HELP);
  const settings = SETTINGS[options.quick ? "quick" : "full"];
  const hasTorch = pythonWithTorch() !== undefined;
  const runtimes = RUNTIMES.filter((name) => name !== "pytorch" || hasTorch);
  const load = [loadavg()[0]];
  const measured = {};
  const folder = mkdtempSync(join(tmpdir(), "wgrad-growth-"));
  process.on("exit", () => rmSync(folder, { recursive: true }));
  for (const name of options.chosen) {
    const results = await measureAxis(name, { runtimes, settings, quick: options.quick, folder });
    const slopes = slopesOf(results);
    printTable(name, results, slopes);
    measured[name] = { results, slopes };
  }
  const facts = {
    date: new Date().toISOString().slice(0, 10),
    cpu: `${cpus().length} × ${cpus()[0].model}`,
    load: [...load, loadavg()[0]],
    quick: options.quick,
    node: process.versions.node,
  };
  writeFileSync(options.json, `${JSON.stringify({ ...facts, axes: measured }, undefined, 1)}\n`);
  const { growthSvg } = await import("../report/growth-chart.mjs");
  const subtitle = `${facts.cpu}; load ${facts.load.map((value) => value.toFixed(1)).join(" → ")}; ${facts.date}`;
  writeFileSync(options.svg, growthSvg(runtimes.map(runtimeNamed), measured, subtitle));
}

await main();
