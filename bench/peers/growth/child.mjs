/*
 * One runtime, one case, one process, so that its memory is its own: `node child.mjs RUNTIME CASE` reads the case as JSON and
 * prints a line of JSON: the milliseconds and bytes of a step and the first losses, or { "wrong": why }.
 */
import { readFileSync, writeSync } from "node:fs";
import { countGpuMemory } from "../measures/calls.mjs";
import { checkLosses, WrongResult } from "../measures/training.mjs";
import { median, milliseconds } from "../measures/timing.mjs";
import { initialParameters, networkNamed } from "../networks.mjs";
import { openRuntime, runtimeNamed } from "../runtimes/index.mjs";
import { generator } from "../random.mjs";
import { GPT } from "./axes.mjs";

const CHECKED_STEPS = 3;

/** A loss is read back after this many steps, as in the table of peers. */
const READ_EVERY = 20;

const [name, text] = process.argv.slice(2);
/** @type {import("./axes.mjs").Case & { order: string, expected?: number[], blockMilliseconds: number, blocks: number }} */
const { expected, blockMilliseconds, blocks, ...sizes } = JSON.parse(text);

/** So many random bytes are repeated to fill all images. */
const DRAWN = 2 ** 20 - 3;

function images(length) {
  const draw = generator(3);
  const bytes = new Uint8Array(length);
  for (let place = 0; place < Math.min(DRAWN, length); place++) bytes[place] = 128 + 127 * draw();
  for (let start = DRAWN; start < length; start += DRAWN)
    bytes.set(bytes.subarray(0, Math.min(DRAWN, length - start)), start);
  return bytes;
}

/** The same examples in every process, in wgrad's order, which the parent process wrote to a file. */
function taskOf({ network, batch, order: file }) {
  const pixels = networkNamed(network).size ** 2;
  const order = new Uint32Array(new Uint8Array(readFileSync(file)).buffer);
  const count = order.length;
  return {
    network,
    batch,
    count,
    features: images(count * pixels),
    labels: Uint32Array.from({ length: count }, (_, example) => example % 10),
    scale: 1 / 128,
    offset: -1,
    order,
    parameters: initialParameters(network, generator(2)),
  };
}

async function openTrainer(runtime) {
  if (sizes.network !== GPT) return runtime.trainer(taskOf(sizes));
  const { readText, workOf } = await import("../gpt/work.mjs");
  const { batch, context, layers } = sizes;
  const work = workOf(readText(), { batch, context, layers });
  if (runtime.textTrainer) return runtime.textTrainer(work);
  if (runtime.backend) return (await import("../gpt/wgrad.mjs")).openTrainer(runtime.backend, work);
  return (await import("../gpt/jax.mjs")).openTrainer(work);
}

/** The milliseconds of one step: the median of some blocks, after a warm-up. */
async function timeStep(trainer) {
  const first = await milliseconds(() => trainer.run(1, READ_EVERY));
  const warmUp = Math.max(1, Math.min(2 * READ_EVERY, Math.floor(blockMilliseconds / first)));
  const estimate = (await milliseconds(() => trainer.run(warmUp, READ_EVERY))) / warmUp;
  const steps = Math.max(1, Math.ceil(blockMilliseconds / estimate));
  const times = [];
  for (let block = 0; block < blocks; block++)
    times.push((await milliseconds(() => trainer.run(steps, READ_EVERY))) / steps);
  return median(times);
}

async function measure(runtime, peakBytes) {
  const trainer = await openTrainer(runtime);
  const losses = await trainer.run(CHECKED_STEPS, 1);
  if (expected) checkLosses(losses, expected);
  return { step: blocks > 0 ? await timeStep(trainer) : undefined, bytes: await peakBytes(), losses };
}

async function result() {
  const runtime = await openRuntime(name);
  const ofProcess = () => 1024 * process.resourceUsage().maxRSS;
  const peakBytes = runtimeNamed(name).device === "webgpu" ? countGpuMemory() : (runtime.peakBytes ?? ofProcess);
  try {
    return await measure(runtime, peakBytes);
  } catch (error) {
    if (error instanceof WrongResult) return { wrong: error.message };
    throw error;
  }
}

writeSync(1, `${JSON.stringify(await result())}\n`);
// Dawn would keep the process alive.
process.exit(0);
