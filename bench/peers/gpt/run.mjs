/*
 * A training step of nanoGPT's network for CPUs in wgrad and in jax-js, on WebAssembly and on WebGPU, and wgrad's generation.
 * `node bench/peers/gpt/run.mjs --help`
 */
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { median } from "../measures/timing.mjs";
import { errorLine } from "../processes.mjs";
import { allRuntimes } from "../runtimes/index.mjs";
import { wgrad } from "../runtimes/wgrad.mjs";
import { openTrainer } from "./wgrad.mjs";
import { readText, workOf } from "./work.mjs";

const runtimes = allRuntimes.filter(({ name }) => /^(wgrad|jax)/.test(name));

const HELP = `node bench/peers/gpt/run.mjs [options]

Trains nanoGPT's network for CPUs (4 layers, 4 heads, width 128, context 64, batch 12, Adam) on tinyshakespeare.txt with
wgrad and jax-js, from the same weights on the same batches. The first losses are compared with wgrad's CPU reference
before anything is timed. wgrad's runs also generate 200 tokens. wgrad is read from dist/ (npm run build), the text from
TEXT_DIR.

  --rounds N     number of rounds, whose medians are shown (default: 3)
  --only A,B     run only these runtimes: ${runtimes.map(({ name }) => name).join(", ")}
  --json FILE    write the numbers of all rounds
`;

/** The number of first losses that are compared. */
const COMPARED_STEPS = 2;

function readOptions() {
  const { values } = parseArgs({
    options: {
      rounds: { type: "string", default: "3" },
      only: { type: "string", default: runtimes.map(({ name }) => name).join(",") },
      json: { type: "string" },
      help: { type: "boolean" },
    },
  });
  const rounds = Number(values.rounds);
  if (!(Number.isInteger(rounds) && rounds >= 1))
    throw new Error(`--rounds: ${values.rounds} is not a number of rounds`);
  const chosen = values.only.split(",").map((name) => {
    const found = runtimes.find((runtime) => runtime.name === name);
    if (!found) throw new Error(`--only: "${name}" is not a runtime; see --help`);
    return found;
  });
  return { ...values, rounds, chosen };
}

async function expectedLosses() {
  const backend = wgrad.createCpuBackend({ precision: "float64" });
  const trainer = await openTrainer(backend, workOf(readText()));
  return trainer.run(COMPARED_STEPS, 1);
}

/** @returns {Promise<object>} the numbers of a runtime, or { failed } */
function measure(name, losses) {
  return new Promise((resolve, reject) => {
    const script = fileURLToPath(new URL("child.mjs", import.meta.url));
    const child = spawn(process.execPath, [script, name, JSON.stringify(losses)], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    let [printed, errors] = ["", ""];
    child.stdout.on("data", (text) => (printed += text));
    child.stderr.on("data", (text) => (errors += text));
    child.on("error", reject);
    child.on("close", () => {
      const line = printed.split("\n").find((each) => each.startsWith("{"));
      resolve(line ? JSON.parse(line) : { failed: errorLine(errors) });
    });
  });
}

const megabytes = (bytes) => (bytes === undefined ? "–" : (bytes / 1e6).toFixed(1));

/** One line of the table, from the rounds of a runtime. */
function lineOf({ label }, rounds) {
  const trouble = rounds.map(({ wrong, failed }) => wrong ?? failed).find(Boolean);
  if (trouble !== undefined) return `| ${label} | ${trouble} |`;
  const of = (pick) => median(rounds.map(pick));
  const [{ bufferBytes, calls, generation }] = rounds;
  return `| ${[
    label,
    of(({ step }) => step).toFixed(1),
    megabytes(bufferBytes),
    megabytes(of(({ processBytes }) => processBytes)),
    calls ? `${calls.dispatches} / ${calls.submits}` : "–",
    generation
      ? `${of((each) => each.generation.fitting).toFixed(0)} / ${of((each) => each.generation.all).toFixed(0)}`
      : "–",
  ].join(" | ")} |`;
}

/** How many times as fast wgrad is as jax-js on a device. */
function ratioLine(results, device) {
  const stepOf = (name) => {
    const rounds = results[name]?.filter(({ step }) => step !== undefined) ?? [];
    return rounds.length > 0 ? median(rounds.map(({ step }) => step)) : undefined;
  };
  const [own, peer] = device === "webgpu" ? ["wgrad", "jax"].map(stepOf) : ["wgrad-wasm", "jax-wasm"].map(stepOf);
  return own && peer ? [`${device}: ${(peer / own).toFixed(2)} × the speed of jax-js (goal: 3 ×)`] : [];
}

async function main() {
  const { help, rounds, chosen, json } = readOptions();
  if (help) return console.log(HELP);
  const losses = await expectedLosses();
  const results = Object.fromEntries(chosen.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const { name } of chosen) results[name].push(await measure(name, losses));
  }
  const adapters = new Set(
    Object.values(results)
      .flatMap((each) => each.map(({ adapter }) => adapter ?? []))
      .flat(),
  );
  console.log(`${[...adapters].join("; ")}\n`);
  console.log(
    "| | ms a step | MB of buffers | MB of the process | dispatches / submits | tokens/s within the context / of 200 |",
  );
  console.log("|---|---|---|---|---|---|");
  for (const runtime of chosen) console.log(lineOf(runtime, results[runtime.name]));
  console.log(["", ...ratioLine(results, "wasm"), ...ratioLine(results, "webgpu")].join("\n"));
  if (json)
    writeFileSync(
      json,
      `${JSON.stringify({ date: new Date().toISOString().slice(0, 10), rounds, losses, results }, undefined, 1)}\n`,
    );
}

try {
  await main();
} catch (error) {
  console.error(`error: ${error.message}`);
  process.exitCode = 1;
}
