/*
 * Measures how the time and memory of a step grow with each size, for wgrad and two of its peers, and draws a chart.
 * `node bench/peers/growth/run.mjs --help`
 */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { pythonWithTorch } from "../runtimes/pytorch.mjs";
import { runtimeNamed } from "../runtimes/index.mjs";
import { axes, GPT, slopeOf, workOf } from "./axes.mjs";

const HELP = `node bench/peers/growth/run.mjs [options]

Measures a training step over batch size, width, depth, image size and context with wgrad, jax-js and PyTorch. wgrad is
read from dist/ (npm run build), the text from TEXT_DIR; jax-js needs npm ci --prefix bench/peers. The numbers are written
after each runtime and axis. Cases that would take too long, or for which no time is left, are skipped with a reason.

  --minutes N    start no case after this time (default: 12)
  --resume       keep the numbers in the file of --json, and measure only what is missing there
  --quick        three values of each size and short measurements: under 6 minutes, to see that all works
  --only A,B     only these axes: ${Object.keys(axes).join(", ")}
  --json FILE    where to write the numbers (default: docs/growth.json)
  --svg FILE     where to write the chart (default: docs/growth.svg)
`;

const RUNTIMES = ["wgrad", "wgrad-wasm", "jax", "jax-wasm", "pytorch"];
const OWN = "wgrad-wasm";

/** The first losses of cases with at most so many multiply-adds are compared with the CPU reference in float64. */
const MOST_REFERENCE_WORK = 2e8;

/** The fewest steps of a case: the checked ones, the warm-up, and one for each block. */
const LEAST_STEPS = 8;

const SETTINGS = {
  full: { blockMilliseconds: 250, blocks: 3, mostSeconds: 12, timeout: 30_000 },
  quick: { blockMilliseconds: 150, blocks: 2, mostSeconds: 6, timeout: 20_000 },
};

/**
 * The milliseconds after which a case is ended, where that is later. On a software adapter, jax-js compiles some hundred kernels for a
 * GPT, one after another.
 */
const LATER_TIMEOUTS = { jax: 240_000 };

/** Why a case is missing after the time of --minutes; --resume measures it. */
const NO_TIME = "no time was left";

function readOptions() {
  const options = {
    minutes: { type: "string", default: "12" },
    resume: { type: "boolean", default: false },
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
  const minutes = Number(values.minutes);
  if (!(minutes > 0)) throw new Error(`--minutes: ${values.minutes} is not a number above 0`);
  return { ...values, minutes, chosen: only.length > 0 ? only : Object.keys(axes) };
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
      if (signal === "SIGTERM") return resolve({ failed: `it was not done after ${timeout / 1000} s` });
      const lines = errors.trim().split("\n");
      const line = lines.find((text) => /^\w*Error\b/.test(text)) ?? lines.at(-1);
      resolve({ failed: `the process ended by ${signal ?? `code ${code}`}: ${line}` });
    });
  });
}

/**
 * Measures cases by ascending value. One that would take too long, by the one before it, is left out.
 * @param {readonly object[]} known rows of an earlier run, which are kept
 */
async function measureCases(runtime, cases, { mostSeconds, timeout, deadline, ...settings }, known = []) {
  const rows = [];
  const ended = Math.max(timeout, LATER_TIMEOUTS[runtime] ?? 0);
  let last;
  for (const { value, ...given } of cases) {
    const before = known.find((row) => row.value === value && row.skipped !== NO_TIME);
    const seconds = last ? (LEAST_STEPS * last.seconds * workOf(given)) / last.work : 0;
    const skipped =
      seconds > mostSeconds ? `it would take about ${Math.round(seconds)} s` : Date.now() > deadline && NO_TIME;
    const row = before ?? (skipped ? { skipped } : await measureCase(runtime, { ...given, ...settings }, ended));
    if (row.step) last = { seconds: row.step / 1000, work: workOf(given) };
    rows.push({ value, ...row });
  }
  return rows;
}

/** The first losses of small cases by the CPU reference, which takes seconds for them. */
async function referenceLosses(cases, settings) {
  const small = cases.filter((each) => workOf(each) <= MOST_REFERENCE_WORK);
  const rows = await measureCases("wgrad-reference", small, { ...settings, blocks: 0 });
  return new Map(rows.map(({ value, losses }) => [value, losses]));
}

/** Writes wgrad's order of the examples of a case to a file, so that no other process has to load wgrad. */
async function orderOf({ batch }, folder) {
  const { wgrad } = await import("../runtimes/wgrad.mjs");
  // The steps that are checked are in the first epoch: the other runtimes repeat its order.
  const count = Math.max(256, 4 * batch);
  const file = join(folder, `order-${count}`);
  // A trainer's default seed is 1.
  writeFileSync(file, wgrad.epochOrder(count, 1, 0));
  return file;
}

async function casesOf(name, { quick, folder }) {
  const { values, quick: few, caseOf } = axes[name];
  const given = (quick ? few : values).map((value) => ({ value, ...caseOf(value) }));
  return Promise.all(
    given.map(async (each) => (each.network === GPT ? each : { ...each, order: await orderOf(each, folder) })),
  );
}

/**
 * Measures an axis. The first losses of each runtime must be those of the CPU reference, or those of wgrad on WebAssembly where
 * the reference would take long; so WebAssembly comes first.
 * @param {Record<string, object[]>} known rows of an earlier run, by runtime
 * @param {(results: object) => void} save called after each runtime
 */
async function measureAxis(name, { runtimes, settings, known, save, ...options }) {
  const cases = await casesOf(name, options);
  const isKept = runtimes.every((runtime) =>
    cases.every(({ value }) => known[runtime]?.some((row) => row.value === value && row.skipped !== NO_TIME)),
  );
  if (isKept || (Date.now() > settings.deadline && Object.keys(known).length > 0)) return save(known);
  const expected = await referenceLosses(cases, settings);
  const results = {};
  for (const runtime of [OWN, ...runtimes.filter((each) => each !== OWN)]) {
    if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${name}: ${runtimeNamed(runtime).label}`);
    const given = cases.map((each) => ({ ...each, expected: expected.get(each.value) }));
    // Other runtimes are compared with its losses, which the file does not have.
    const kept = runtime === OWN ? [] : known[runtime];
    const rows = await measureCases(runtime, given, settings, kept);
    if (runtime === OWN) for (const { value, losses } of rows) expected.set(value, expected.get(value) ?? losses);
    results[runtime] = rows.map(({ losses: _, ...row }) => row);
    save({ ...known, ...results });
  }
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

/** The rows of an earlier run by axis and runtime, if they are to be kept. */
function knownRows({ resume, json }) {
  if (!resume || !existsSync(json)) return {};
  const { axes: known } = JSON.parse(readFileSync(json, "utf8"));
  return Object.fromEntries(Object.entries(known).map(([name, { results }]) => [name, results]));
}

async function main() {
  const options = readOptions();
  if (options.help) return console.log(HELP);
  const deadline = Date.now() + 60_000 * options.minutes;
  const settings = { ...SETTINGS[options.quick ? "quick" : "full"], deadline };
  const hasTorch = pythonWithTorch() !== undefined;
  const runtimes = RUNTIMES.filter((name) => name !== "pytorch" || hasTorch);
  const load = loadavg()[0];
  const known = knownRows(options);
  const measured = Object.fromEntries(
    Object.entries(known).map(([name, results]) => [name, { results, slopes: slopesOf(results) }]),
  );
  const folder = mkdtempSync(join(tmpdir(), "wgrad-growth-"));
  process.on("exit", () => rmSync(folder, { recursive: true }));
  const { growthSvg } = await import("../report/growth-chart.mjs");
  const write = () => {
    const facts = {
      date: new Date().toISOString().slice(0, 10),
      cpu: `${cpus().length} × ${cpus()[0].model}`,
      load: [load, loadavg()[0]],
      quick: options.quick,
      node: process.versions.node,
    };
    writeFileSync(options.json, `${JSON.stringify({ ...facts, axes: measured }, undefined, 1)}\n`);
    const subtitle = `${facts.cpu}; load ${facts.load.map((value) => value.toFixed(1)).join(" → ")}; ${facts.date}`;
    writeFileSync(options.svg, growthSvg(runtimes.map(runtimeNamed), measured, subtitle));
  };
  for (const name of options.chosen) {
    const save = (results) => {
      measured[name] = { results, slopes: slopesOf(results) };
      write();
    };
    await measureAxis(name, { runtimes, settings, quick: options.quick, folder, known: known[name] ?? {}, save });
    printTable(name, measured[name].results, measured[name].slopes);
  }
}

await main();
