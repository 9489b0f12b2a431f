// A part of the archive, started by run.sh: finds the machine's Vulkan driver, then runs the tuner, the benchmark, the
// MNIST runs, a convolutional network, a GPT, the MNIST runs in PyTorch, the tilings of a large product, steps with options
// that change kernels, and the tuner in the background, each in a separate process, and writes the results and a summary.
// All parts use the tuner's choices, which stay in the archive's folder for the next call.

import { spawnSync } from "node:child_process";
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { arch, cpus, platform, release, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { describeAdapter, isSoftware, readProbe } from "../../scripts/setup/adapter.mjs";
import { explainNoGpu } from "./diagnosis.mjs";
import { environmentOf, manifestFor, parseLinkerCache, waysToDriver } from "./drivers.mjs";
import { countOf, measureOptions, plannedRecipes } from "./recipes.mjs";
import { summarize, summaryLines } from "./summary.mjs";

/** @typedef {import("./drivers.mjs").Machine} Machine */

const USAGE = `./run.sh [options]
  --parts LIST         parts to run (default: tune,bench,mnist,cnn,gpt,pytorch,products,variants,background)
  --part-minutes N     stop a part after this many minutes (default: no limit)
  --minutes N          stop all parts after this many minutes, and summarize what was measured (default: no limit)
  --quick, --growth    a shorter or a longer benchmark, as in \`wgrad bench\`; --quick also shortens the last three parts
  --seeds N            seeds of each MNIST run (default: 5)
  --epochs N           epochs of each MNIST run (default: as in bench/pack/recipes.json)
  --max-steps N        end each training run, and its schedule, after this many steps
  --help
Results are written to the folder $OUT, or ./out: tune.txt, cnn.jsonl, PART.json for each other part, and summary.json.`;

const PARTS = ["tune", "bench", "mnist", "cnn", "gpt", "pytorch", "products", "variants", "background"];
/** The epochs of the preset cnn. */
const CNN_EPOCHS = 4;
/** How long the tuner runs in the background: the six classes of products of 784-128-10 take about 15 s. */
const BACKGROUND_SECONDS = { usual: 20, quick: 2 };
const PROBE_MILLISECONDS = 120_000;

const path = (name) => fileURLToPath(new URL(`../../${name}`, import.meta.url));
const out = resolve(process.env.OUT || "out");
process.exitCode = main();

/** @returns {number} the exit code */
function main() {
  let values;
  try {
    values = readOptions();
  } catch (error) {
    console.error(`error: ${error.message}`);
    return 2;
  }
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  mkdirSync(out, { recursive: true });
  const scratch = mkdtempSync(join(tmpdir(), "wgrad-bench-"));
  try {
    return run(values, scratch);
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

/** Parses the options. @throws Error for an invalid option, before anything is run */
function readOptions() {
  const { values } = parseArgs({
    options: {
      help: { type: "boolean" },
      parts: { type: "string", default: PARTS.join(",") },
      "part-minutes": { type: "string" },
      minutes: { type: "string" },
      quick: { type: "boolean", default: false },
      growth: { type: "boolean", default: false },
      ...measureOptions,
    },
  });
  plannedRecipes(values);
  for (const name of ["part-minutes", "minutes"]) countOf(name, values[name]);
  const unknown = values.parts.split(",").find((name) => !PARTS.includes(name));
  if (unknown !== undefined) throw new Error(`--parts: there is no "${unknown}". Choose from ${PARTS.join(",")}.`);
  return values;
}

/** @returns {number} the exit code */
function run(values, scratch) {
  const machine = { root: "/", environment: process.env, linkerCache: readLinkerCache() };
  const found = findDriver(machine, scratch);
  const end = Date.now() + 60_000 * (values.minutes ?? Infinity);
  const minutesLeft = () => Math.min(values["part-minutes"] ?? Infinity, (end - Date.now()) / 60_000);
  const given = Object.keys(measureOptions).filter((name) => values[name] !== undefined);
  const training = [...given.flatMap((name) => [`--${name}`, values[name]]), "--out"];
  const timing = [...["quick", "growth"].filter((name) => values[name]).map((name) => `--${name}`), "--json"];
  const node = process.execPath;
  const quick = values.quick ? ["--quick"] : [];
  const seconds = `${BACKGROUND_SECONDS[values.quick ? "quick" : "usual"]}`;
  const steps = values["max-steps"] === undefined ? [] : ["--max-steps", values["max-steps"]];
  const cnn = ["train", "--preset", "cnn", "--device", "webgpu", "--epochs", `${CNN_EPOCHS}`, "--data", path("mnist")];
  const withDriver = (part) =>
    found ? part({ environment: found.environment, minutes: minutesLeft() }) : "failed: there is no adapter";
  const runners = {
    tune: () => withDriver((how) => runTuner(plannedRecipes(values).recipes, how)),
    bench: () => withDriver((how) => runPart([node, "dist/cli.js", "bench", ...timing], "bench.json", how)),
    mnist: () => withDriver((how) => runPart([node, "bench/pack/mnist98.mjs", ...training], "mnist.json", how)),
    cnn: () => withDriver((how) => runPart([node, "dist/cli.js", ...cnn, ...steps, "--log"], "cnn.jsonl", how)),
    gpt: () => withDriver((how) => runPart([node, "bench/pack/gpt.mjs", ...steps, "--out"], "gpt.json", how)),
    products: () =>
      withDriver((how) => runPart([node, "bench/pack/products.mjs", ...quick, "--out"], "products.json", how)),
    variants: () =>
      withDriver((how) =>
        runPart([node, "bench/pack/variants.mjs", ...quick, ...steps, "--out"], "variants.json", how),
      ),
    background: () =>
      withDriver((how) =>
        runPart([node, "bench/pack/background.mjs", "--seconds", seconds, "--out"], "background.json", how),
      ),
    // PyTorch does not use Vulkan, so it gets the unchanged environment.
    pytorch: () => {
      const how = { environment: process.env, minutes: minutesLeft() };
      return runPart(["python3", "bench/pack/pytorch_mnist.py", ...training], "pytorch.json", how);
    },
  };
  const parts = {};
  for (const name of values.parts.split(",")) {
    console.log(`\n== ${name}`);
    parts[name] = Date.now() < end ? runners[name]() : "skipped: no time was left";
    console.log(`${name}: ${parts[name]}`);
  }
  return summarizeParts(parts, found);
}

/**
 * Tries the ways to load a driver until one gives an adapter, and explains why if none gives a GPU's.
 *
 * @param {Machine} machine
 */
function findDriver(machine, scratch) {
  const bundled = { folder: path("lib"), names: readdirSync(path("lib")) };
  const probe = path("scripts/setup/probe.mjs");
  const failures = [];
  for (const way of waysToDriver(machine)) {
    const written = way.manifest === undefined && way.library !== undefined;
    const manifest = written ? join(scratch, `${way.library}.json`) : way.manifest;
    if (written) writeFileSync(manifest, manifestFor(way.library));
    const environment = { ...environmentOf(machine, { ...way, manifest }, bundled), XDG_CACHE_HOME: path("cache") };
    const how = { encoding: "utf8", env: environment, timeout: PROBE_MILLISECONDS };
    const { adapter, reason, unloadable } = readProbe(spawnSync(process.execPath, [probe], how));
    if (adapter) {
      console.log([`Driver: ${way.title}`, ...describeAdapter(adapter)].join("\n"));
      if (isSoftware(adapter) && failures.length > 0) console.error(explainNoGpu(machine, failures, probe).join("\n"));
      return { way, environment, adapter };
    }
    failures.push({ way, environment, reason: reason ?? unloadable });
  }
  console.error(explainNoGpu(machine, failures, probe).join("\n"));
  return undefined;
}

/** Runs `wgrad tune` for the recipes' networks, so that the other parts use the fastest tilings for this GPU. */
function runTuner(recipes, { environment, minutes }) {
  const sweep = openSync(join(out, "tune.txt"), "w");
  const end = Date.now() + 60_000 * minutes;
  try {
    for (const { width, batch } of recipes) {
      const programArguments = [path("dist/cli.js"), "tune", "--hidden", `${width}`, "--batch", `${batch}`];
      const how = { env: environment, stdio: ["ignore", sweep, "inherit"], ...limitOf((end - Date.now()) / 60_000) };
      const failure = failureOf(spawnSync(process.execPath, programArguments, how), minutes);
      if (failure !== undefined) return failure;
    }
  } finally {
    closeSync(sweep);
  }
  return "done";
}

/**
 * Runs a program of the archive that writes its results to a file.
 *
 * @param {string[]} command the program, its script in the archive, and its options before the file's name
 * @param {string} file its name in the folder of results
 * @param {{ environment: NodeJS.ProcessEnv, minutes: number }} how
 * @returns {string} how it ended
 */
function runPart([program, script, ...options], file, { environment, minutes }) {
  const result = join(out, file);
  // A result of an earlier run must not be mistaken for this one.
  rmSync(result, { force: true });
  const how = { env: environment, stdio: "inherit", ...limitOf(minutes) };
  const ended = spawnSync(program, [path(script), ...options, result], how);
  if (ended.error?.code === "ENOENT") return `skipped: there is no ${program}`;
  return failureOf(ended, minutes) ?? (existsSync(result) ? "done" : "skipped");
}

/** The time limit, at least 1 ms, since 0 is none; a hanging driver may ignore signals other than SIGKILL. */
function limitOf(minutes) {
  return minutes === Infinity ? {} : { timeout: Math.max(1, Math.ceil(60_000 * minutes)), killSignal: "SIGKILL" };
}

/** @returns {string | undefined} why the program failed; undefined if it succeeded */
function failureOf({ error, status, signal }, minutes) {
  if (error?.code === "ETIMEDOUT") return `stopped after ${minutes.toFixed(1)} minutes`;
  if (error) return `failed: ${error.message}`;
  return status === 0 ? undefined : `failed: ${signal ?? `exit code ${status}`}`;
}

/** @returns {number} the exit code */
function summarizeParts(parts, found) {
  const reportOf = (name) => (name in parts ? readReport(name) : undefined);
  const summary = summarize({
    reports: ["mnist", "pytorch"].map(reportOf).filter(Boolean),
    benchmark: reportOf("bench"),
    cnn: "cnn" in parts ? readLastEvent("cnn") : undefined,
    gpt: reportOf("gpt"),
    products: reportOf("products"),
    variants: reportOf("variants"),
    background: reportOf("background"),
    tilings: readTilings(),
    target: plannedRecipes({}).target,
  });
  const machine = {
    date: new Date().toISOString(),
    system: `${platform()} ${release()} ${arch()}`,
    processor: `${cpus().length} × ${cpus()[0]?.model ?? "unknown"}`,
    node: process.version,
    ...(found && { driver: found.way.title, adapter: found.adapter, software: isSoftware(found.adapter) }),
    nvidia: nvidiaLine(),
  };
  writeFileSync(join(out, "summary.json"), `${JSON.stringify({ machine, parts, ...summary }, undefined, 2)}\n`);
  console.log(["", ...summaryLines(summary), "", `Results: ${out}`].join("\n"));
  return Object.values(parts).some((how) => /^(failed|stopped)/.test(how)) ? 1 : 0;
}

/** @returns {object | undefined} undefined if the part wrote no report */
function readReport(name) {
  const file = join(out, `${name}.json`);
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined;
}

/** @returns {object | undefined} the event that ends a log of `wgrad train`; undefined if the run did not finish */
function readLastEvent(name) {
  const file = join(out, `${name}.jsonl`);
  if (!existsSync(file)) return undefined;
  const last = JSON.parse(readFileSync(file, "utf8").trimEnd().split("\n").at(-1));
  return last.event === "done" ? last : undefined;
}

/** @returns {Record<string, string>} the tuner's choices that the parts used; empty if it has not run */
function readTilings() {
  const folder = join(path("cache"), "wgrad");
  const files = existsSync(folder) ? readdirSync(folder).filter((name) => /^tuning-.*\.json$/.test(name)) : [];
  return Object.assign({}, ...files.map((name) => JSON.parse(readFileSync(join(folder, name), "utf8"))));
}

/** The GPU's name, driver and clocks by nvidia-smi; null without it. */
function nvidiaLine() {
  const wanted = "--query-gpu=name,driver_version,clocks.sm,clocks.max.sm,clocks.mem";
  const { stdout } = spawnSync("nvidia-smi", [wanted, "--format=csv,noheader"], { encoding: "utf8", timeout: 30_000 });
  return stdout?.trim() || null;
}

function readLinkerCache() {
  // ldconfig is not in the PATH of users who are not root.
  const program = ["/sbin/ldconfig", "/usr/sbin/ldconfig"].find((candidate) => existsSync(candidate));
  return parseLinkerCache(program === undefined ? "" : spawnSync(program, ["-p"], { encoding: "utf8" }).stdout);
}
