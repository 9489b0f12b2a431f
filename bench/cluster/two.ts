/*
 * Two workers on one core each against one worker on one core: the steps per second of a run that two workers share, and
 * those of `wgrad train` alone. The goal is 1.8 times.
 *
 *   npm run build && node scripts/run.mjs bench/cluster/two.ts [--preset cnn] [--steps 300] [--inner-steps 100]
 *     [--worker-batch 64]
 *
 * A step of one machine has 128 examples, and each worker trains on as many examples as --steps of them have. By default, the
 * two workers divide the batch, so they make two steps in place of one. The speeds are in steps of 128 examples. The commands
 * run the built dist/cli.js on WebAssembly; `taskset` keeps each worker on a core of its own, where it has one thread. The
 * server and the coordinator share the cores with them. Both speeds are measured between the first event of the log and the
 * last one, so starting and compiling do not count. MNIST is taken from MNIST_DIR.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startServer } from "./server.ts";

const { values: flags } = parseArgs({
  options: {
    preset: { type: "string", default: "cnn" },
    steps: { type: "string", default: "300" },
    "inner-steps": { type: "string", default: "100" },
    "worker-batch": { type: "string", default: "64" },
  },
});
const [steps, innerSteps] = [Number(flags.steps), Number(flags["inner-steps"])];
const BATCH = 128;
const cli = join(import.meta.dirname, "../../dist/cli.js");

interface Progress {
  readonly event: string;
  readonly step: number;
}

const start = (args: readonly string[], core?: number): ChildProcess => {
  const command = [...(core === undefined ? [] : ["taskset", "-c", String(core)]), process.execPath, cli, ...args];
  return spawn(command[0]!, command.slice(1), { stdio: ["ignore", "pipe", "inherit"] });
};

/** The events of a log that is being written, as far as it is complete. */
function progressIn(log: string): Progress[] {
  const lines = existsSync(log) ? readFileSync(log, "utf8").split("\n").slice(0, -1) : [];
  return lines.map((line) => JSON.parse(line) as Progress).filter(({ event }) => event === "progress");
}

const POLL_MILLISECONDS = 10;

/** Starts `wgrad train`, and measures its steps per second, of the batch size that a step of its log has. */
async function stepsPerSecond(log: string, most: number, more: readonly string[], core?: number): Promise<number> {
  const run = start([...train(most), "--log", log, ...more], core);
  run.stdout!.resume();
  const seen: { readonly at: number; readonly step: number }[] = [];
  while (run.exitCode === null) {
    for (const { step } of progressIn(log).slice(seen.length)) seen.push({ at: performance.now(), step });
    await new Promise((resolve) => setTimeout(resolve, POLL_MILLISECONDS));
  }
  const [first, last] = [seen[0], seen.at(-1)];
  if (!first || !last || first === last) throw new Error("the run has too few steps: give more --steps");
  return (1000 * (last.step - first.step)) / (last.at - first.at);
}

const train = (most: number) =>
  `train --device wasm --preset ${flags.preset} --batch ${BATCH} --max-steps ${most}`.split(" ");

async function together(folder: string): Promise<number> {
  const { address, stop } = await startServer();
  const worker = ["worker", "--nats", address, "--cache", join(folder, "cache")];
  const workers = [0, 1].map((core) => start([...worker, "--name", `core-${core}`], core));
  for (const { stdout } of workers) stdout!.resume();
  try {
    const sharing = ["--nats", address, "--workers", "2", "--quorum", "2", "--inner-steps", String(innerSteps)];
    const divided = [...sharing, "--worker-batch", flags["worker-batch"]];
    const speed = await stepsPerSecond(join(folder, "two.jsonl"), 2 * steps, divided);
    return (speed * Number(flags["worker-batch"])) / BATCH;
  } finally {
    for (const child of workers) child.kill("SIGKILL");
    stop();
  }
}

const folder = mkdtempSync(join(tmpdir(), "wgrad-two-"));
const one = await stepsPerSecond(join(folder, "one.jsonl"), steps, [], 0);
const two = await together(folder);
rmSync(folder, { recursive: true });
console.log(
  `${flags.preset}: one worker on one core ${one.toFixed(1)} steps/s, two on one core each ${two.toFixed(1)} steps/s: ` +
    `${(two / one).toFixed(2)} ×, in rounds of ${innerSteps} steps of ${flags["worker-batch"]}; Node ${process.version}`,
);
