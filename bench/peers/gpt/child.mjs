/*
 * One runtime in one process: `node bench/peers/gpt/child.mjs RUNTIME EXPECTED-LOSSES` prints its numbers as a line of JSON. A
 * runtime with wrong losses prints { "wrong": why }.
 */
import { writeSync } from "node:fs";
import { countGpuMemory, countGpuCalls } from "../measures/calls.mjs";
import { timePerRepetition } from "../measures/timing.mjs";
import { WrongResult, checkLosses } from "../measures/training.mjs";
import { openRuntime, runtimeNamed } from "../runtimes/index.mjs";
import { wgradNode } from "../runtimes/wgrad.mjs";
import { readText, workOf } from "./work.mjs";

/** A loss is read back after this many steps. */
const READ_EVERY = 5;

/** Tokens that are generated; the context is 64, so that most of them need the whole context. */
const GENERATED = 200;

const [name, expected] = process.argv.slice(2);
const { device, threads } = runtimeNamed(name);
const isWgrad = name.startsWith("wgrad");

async function open(work) {
  if (!isWgrad) {
    const runtime = await openRuntime(name);
    const peakBytes = device === "webgpu" ? countGpuMemory() : undefined;
    const { openTrainer } = await import("./jax.mjs");
    return { trainer: openTrainer(work), peakBytes, adapter: await runtime.adapter() };
  }
  const { openTrainer, timeGeneration } = await import("./wgrad.mjs");
  const backend = await wgradNode.createNodeBackend({ device, threads });
  const peakBytes = device === "webgpu" ? countGpuMemory() : undefined;
  const trainer = await openTrainer(backend, work);
  return {
    trainer,
    peakBytes,
    adapter: backend.adapter.name,
    generate: () => timeGeneration(trainer.session, work, GENERATED),
  };
}

async function result() {
  const work = workOf(readText());
  const before = process.memoryUsage.rss();
  const { trainer, peakBytes, adapter, generate } = await open(work);
  const losses = JSON.parse(expected);
  try {
    checkLosses(await trainer.run(losses.length, 1), losses);
  } catch (error) {
    if (error instanceof WrongResult) return { wrong: error.message };
    throw error;
  }
  const step = await timePerRepetition((steps) => trainer.run(steps, READ_EVERY), READ_EVERY);
  const processBytes = 1024 * process.resourceUsage().maxRSS - before;
  const calls = device === "webgpu" ? await callsPerStep(trainer) : undefined;
  const generation = await generate?.();
  return { step, bufferBytes: peakBytes?.(), processBytes, calls, generation, adapter };
}

async function callsPerStep(trainer) {
  const calls = countGpuCalls();
  await trainer.run(READ_EVERY, READ_EVERY);
  const { dispatches, submits } = calls();
  return { dispatches: dispatches / READ_EVERY, submits: submits / READ_EVERY };
}

writeSync(1, `${JSON.stringify(await result())}\n`);
// Dawn would keep the process alive.
process.exit(0);
