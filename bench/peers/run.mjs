/*
 * Compares wgrad with TensorFlow.js, jax-js and PyTorch, in turn, in several rounds. `node bench/peers/run.mjs --help`
 */
import { readFileSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { parseArgs } from "node:util";
import { allMeasures, applies, networkOf } from "./measures/rows.mjs";
import { networks } from "./networks.mjs";
import { runMeasure } from "./processes.mjs";
import { goalLines, markdownText, remarks, summarize, tableText } from "./report/table.mjs";
import { allRuntimes } from "./runtimes/index.mjs";
import { pythonWithTorch } from "./runtimes/pytorch.mjs";
import { writeWork } from "./work.mjs";

const HELP = `node bench/peers/run.mjs [options]

Trains the same networks on the same data with each runtime, and prints one table.
MNIST is read from MNIST_DIR or data/mnist, and wgrad from dist/ (npm run build).

  --rounds N     number of rounds, whose medians are shown (default: 3)
  --only A,B     run only these runtimes and measures
                 runtimes: ${allRuntimes.map(({ name }) => name).join(", ")}
                 measures: ${allMeasures.join(", ")}
                 PyTorch runs where a python3 (or $PYTHON) has torch and numpy
  --json FILE    write the numbers of all rounds
  --svg FILE     draw the medians as a chart
  --markdown F   write the table in Markdown
`;

class UsageError extends Error {}

function readOptions() {
  const options = {
    rounds: { type: "string", default: "3" },
    only: { type: "string", default: "" },
    json: { type: "string" },
    svg: { type: "string" },
    markdown: { type: "string" },
    help: { type: "boolean" },
  };
  let values;
  try {
    ({ values } = parseArgs({ options }));
  } catch (error) {
    throw new UsageError(error.message);
  }
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new UsageError(`--rounds: ${values.rounds} is out of range; give a whole number of at least 1`);
  const names = values.only.split(",").filter(Boolean);
  const unknown = names.find(
    (name) => !allMeasures.includes(name) && !allRuntimes.some((runtime) => runtime.name === name),
  );
  if (unknown) throw new UsageError(`--only: "${unknown}" is neither a runtime nor a measure; see --help`);
  return { ...values, rounds, ...chosen(names) };
}

/** The given runtimes and measures; all of a kind if none of it is given. */
function chosen(names) {
  const namedRuntimes = allRuntimes.filter(({ name }) => names.includes(name));
  const namedMeasures = allMeasures.filter((name) => names.includes(name));
  const runtimes = namedRuntimes.length > 0 ? namedRuntimes : allRuntimes;
  const isMissing = runtimes.some(({ name }) => name === "pytorch") && pythonWithTorch() === undefined;
  return {
    runtimes: isMissing ? runtimes.filter(({ name }) => name !== "pytorch") : runtimes,
    measures: namedMeasures.length > 0 ? namedMeasures : allMeasures,
  };
}

/** Runs all runtimes in turn for each measure, so that a noisy minute affects all of them. */
async function runRounds({ rounds, runtimes, measures }, work) {
  const results = Object.fromEntries(runtimes.map(({ name }) => [name, {}]));
  // The first start after a while is slower: the system's and the driver's caches are cold.
  const starting = measures.includes("start") ? runtimes.filter((each) => applies("start", each)) : [];
  for (const { name } of starting) await runMeasure(name, "start", work);
  for (let round = 1; round <= rounds; round++) {
    for (const measure of measures) {
      for (const runtime of runtimes.filter((each) => applies(measure, each))) {
        showProgress(`round ${round} of ${rounds}: ${measure}, ${runtime.label}`);
        const values = await runMeasure(runtime.name, measure, work);
        (results[runtime.name][measure] ??= []).push(values);
      }
    }
  }
  showProgress("");
  return results;
}

/** Shows progress on a terminal, in one line that is overwritten. */
function showProgress(line) {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${line}`);
}

/** The version of an installed package, from the path of its package.json. */
function installed(path) {
  try {
    return JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8")).version;
  } catch {
    throw new UsageError(`${path}: a package is not installed; run \`npm ci\` in wgrad's folder and in bench/peers`);
  }
}

function versions(results = {}) {
  const pytorch = Object.values(results.pytorch ?? {})
    .flat()
    .find(({ version }) => version)?.version;
  return {
    wgrad: installed("../../package.json"),
    tfjs: installed("node_modules/@tensorflow/tfjs-core/package.json"),
    "jax-js": installed("node_modules/@jax-js/jax/package.json"),
    "Dawn (wgrad)": installed("../../node_modules/webgpu/package.json"),
    "Dawn (peers)": installed("node_modules/webgpu/package.json"),
    ...(pytorch && { PyTorch: pytorch }),
    Node: process.versions.node,
  };
}

/** The adapters that the runtimes used; normally one. */
function adaptersOf(runtimes, results) {
  const rounds = runtimes
    .filter(({ device }) => device === "webgpu")
    .flatMap(({ name }) => Object.values(results[name]).flat());
  const names = new Set(rounds.flatMap(({ adapter }) => adapter ?? []).map((name) => name.replace(/[()]/g, "")));
  return names.size === 0 ? "no WebGPU" : [...names].join(" and ");
}

/** The number of threads of each runtime. */
function threadsOf(runtimes, results) {
  const measured = ({ name }) => Object.values(results[name]).flat();
  const threads = (runtime) => measured(runtime).find((one) => one.threads !== undefined)?.threads;
  return Object.fromEntries(runtimes.map((runtime) => [runtime.name, threads(runtime)]));
}

/** The machine, date and versions of the measurements, as data and as two lines. */
function environmentOf({ runtimes, rounds }, results, source, loadBefore) {
  const facts = {
    date: new Date().toISOString().slice(0, 10),
    adapter: adaptersOf(runtimes, results),
    cpu: `${cpus().length} × ${cpus()[0].model}`,
    load: [loadBefore, loadavg()[0]],
    data: source,
    rounds,
    versions: versions(results),
    threads: threadsOf(runtimes, results),
  };
  const load = facts.load.map((value) => value.toFixed(1)).join(" → ");
  const where = `${facts.adapter}; ${facts.cpu}; load ${load}; ${facts.date}`;
  const what = Object.entries(facts.versions)
    .map(([name, version]) => `${name} ${version}`)
    .join(", ");
  return { facts, where, what };
}

async function main() {
  const options = readOptions();
  if (options.help) return console.log(HELP);
  versions();
  const loadBefore = loadavg()[0];
  const trained = [...new Set(options.measures.map(networkOf))];
  const work = await writeWork(trained);
  const results = await runRounds(options, work).finally(work.remove);
  const summary = summarize(options.runtimes, results);
  const notes = remarks(options.runtimes, results);
  const { facts, where, what } = environmentOf(options, results, work.source, loadBefore);
  console.log(`${where}\n${what}`);
  for (const network of trained) console.log(networks[network].title);
  console.log(`softmax cross-entropy, Adam, float32; ${work.source}; rounds: ${options.rounds}, medians\n`);
  const sections = [[tableText(options.runtimes, summary, facts.threads)], goalLines(summary), notes];
  console.log(
    sections
      .filter(({ length }) => length > 0)
      .map((lines) => lines.join("\n"))
      .join("\n\n"),
  );
  if (options.json)
    writeFileSync(options.json, `${JSON.stringify({ ...facts, summary, notes, results }, undefined, 1)}\n`);
  if (options.markdown) writeFileSync(options.markdown, markdownText(options.runtimes, summary));
  if (options.svg) {
    const { chartSvg } = await import("./report/chart.mjs");
    writeFileSync(options.svg, chartSvg(options.runtimes, summary, `${where}\n${what}`));
  }
}

try {
  await main();
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}
