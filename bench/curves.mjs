/*
 * Compares the training losses of two devices step by step, and the times of their epochs.
 *
 *   node bench/curves.mjs wasm webgpu -- --preset cnn --epochs 1 --seed 1
 *   node bench/curves.mjs a.jsonl b.jsonl
 *
 * The first form trains on both devices with these options of `wgrad train` (run `npm run build` before), the second reads files of
 * `--log`. The loss in a log is the mean since the row before, of a hundredth of the run.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROWS = 12;

/** @returns the path of the log */
function train(device, options, folder) {
  const log = join(folder, `${device}.jsonl`);
  const cli = fileURLToPath(new URL("../dist/cli.js", import.meta.url));
  const { status } = spawnSync(process.execPath, [cli, "train", ...options, "--device", device, "--log", log], {
    stdio: "inherit",
  });
  if (status !== 0) throw new Error(`training on ${device} ended with the exit code ${status}`);
  return log;
}

function read(path) {
  const events = readFileSync(path, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  const losses = new Map(events.filter(({ event }) => event === "progress").map(({ step, loss }) => [step, loss]));
  return { losses, end: events.findLast(({ seconds }) => seconds !== undefined) };
}

/** |a − b| as a part of the larger one. */
const relative = (a, b) => (a === b ? 0 : Math.abs(a - b) / Math.max(Math.abs(a), Math.abs(b)));

/**
 * Rounding grows from step to step; a difference below this is still its direct result. With each initial weight of `--preset cnn`
 * changed by 6e-8 of itself, two runs on wasm differ by more from step 9 on, and by 2.7e-2 on average over 100 steps.
 */
const CLOSE = 1e-4;

function compare(names, logs) {
  const runs = logs.map(read);
  const [a, b] = runs.map(({ losses }) => losses);
  const steps = [...a.keys()].filter((step) => b.has(step));
  if (steps.length === 0) throw new Error("the logs have no step in common");
  const rows = steps.map((step) => ({ step, losses: [a.get(step), b.get(step)] }));
  const differences = rows.map(({ losses: [own, other] }) => relative(own, other));
  const every = Math.ceil(rows.length / ROWS);
  console.log(["step", ...names, "relative difference"].join("  "));
  rows.forEach(({ step, losses }, index) => {
    if (index % every !== 0 && index !== rows.length - 1) return;
    console.log([step, ...losses.map((loss) => loss.toPrecision(6)), differences[index].toExponential(1)].join("  "));
  });
  const largest = Math.max(...differences);
  const far = differences.findIndex((difference) => difference >= CLOSE);
  const mean = differences.reduce((total, difference) => total + difference, 0) / rows.length;
  console.log(`largest ${largest.toExponential(1)} at step ${steps[differences.indexOf(largest)]}`);
  console.log(`mean ${mean.toExponential(1)}, below ${CLOSE} ${far < 0 ? "everywhere" : `before step ${steps[far]}`}`);
  runs.forEach(({ end }, index) => {
    if (!end) return;
    const { seconds, imagesPerSecond, testAccuracy } = end;
    const epoch = (60_000 / imagesPerSecond).toFixed(0);
    console.log(
      `${names[index]}: ${seconds.toFixed(0)} s, ${imagesPerSecond.toFixed(0)} images/s = ${epoch} s for 60,000`,
    );
    console.log(`  test accuracy ${(100 * testAccuracy).toFixed(2)} %`);
  });
}

const separator = process.argv.indexOf("--");
const [first, second] = process.argv.slice(2, separator < 0 ? undefined : separator);
if (first === undefined || second === undefined) throw new Error("give two devices and -- with options, or two logs");
if (separator < 0) {
  compare([first, second], [first, second]);
} else {
  const folder = mkdtempSync(join(tmpdir(), "wgrad-curves-"));
  const logs = [first, second].map((device) => train(device, process.argv.slice(separator + 1), folder));
  console.log(`logs: ${logs.join(" ")}`);
  compare([first, second], logs);
}
