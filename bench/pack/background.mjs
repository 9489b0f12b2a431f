// A part of the archive: trains the MNIST network with the tuner in the background and, for the same number of steps, without it.
// Writes how the tuner delays submits, what it chose, and whether the parameters have the same bits, as JSON.

import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { createTrainer, createWebGPUBackend, dense, optimizers, sequential } from "../../dist/index.js";
import { dawnGpu, loadMnist } from "../../dist/node.js";

const METHOD = [
  "784-128-10, batch size 64, Adam, submits of 10 steps, one at a time. A time is that between the losses of two submits. After a",
  "second without the tuner, a run with it takes --seconds, and a run without it repeats its steps. Delays are submits that took 10 ms",
  "longer than the median of the run without the tuner.",
].join(" ");

const STEPS_PER_SUBMIT = 10;
const WARM_UP = 50;
const WARM_UP_SECONDS = 1;
/** The goal: how long the tuner may delay a step, in milliseconds. */
const LONGEST_DELAY = 10;

const { values } = parseArgs({ options: { seconds: { type: "string", default: "20" }, out: { type: "string" } } });
const seconds = Number(values.seconds);
const { train } = await loadMnist({ directory: fileURLToPath(new URL("../../mnist", import.meta.url)) });
const source = await dawnGpu();
/** Backends share Dawn, which is opened only once. */
const shared = { ...source, release() {} };

await trained({}, { seconds: WARM_UP_SECONDS });
const store = memoryStore();
const tuned = await trained({ tuning: store, backgroundTuning: true }, { seconds });
const alone = await trained({}, { steps: tuned.steps });
const sameBits = Object.entries(tuned.parameters).every(([name, { values: found }]) =>
  areEqual(found, alone.parameters[name].values),
);
const slow = timesOf(alone.times).median + LONGEST_DELAY;
const delaysOf = (times) => times.filter((time) => time > slow).length;
const choices = JSON.parse(store.text ?? "{}");
const report = {
  method: METHOD,
  adapter: tuned.adapter,
  seconds,
  steps: tuned.steps,
  alone: timesOf(alone.times),
  tuned: timesOf(tuned.times),
  delays: delaysOf(tuned.times),
  delaysAlone: delaysOf(alone.times),
  slowdown: mean(tuned.times) / mean(alone.times) - 1,
  choices,
  sameBits,
};
writeFileSync(values.out ?? "background.json", `${JSON.stringify(report, undefined, 2)}\n`);
console.log(
  `tuner in the background: ${Object.keys(choices).length} classes in ${seconds} s; mean ${(100 * report.slowdown).toFixed(1)} % ` +
    `longer, the longest submit ${report.tuned.largest.toFixed(1)} ms (${report.alone.largest.toFixed(1)} ms without it), ` +
    `${report.delays} of ${tuned.times.length} more than ${LONGEST_DELAY} ms above the median (${report.delaysAlone} without it)`,
);
if (!sameBits) {
  console.error("The tuner in the background changed the bits of the parameters.");
  process.exitCode = 1;
}
source.release();

/** Trains for some seconds, or some steps. @returns the milliseconds of each submit, and the parameters */
async function trained(options, { seconds: longest = Infinity, steps: most = Infinity }) {
  const backend = await createWebGPUBackend(shared, { backgroundTuning: false, ...options });
  try {
    const trainer = await createTrainer({
      model: sequential([dense(128, { activation: "relu" }), dense(10)], { inputShape: [784], seed: 1 }),
      backend,
      dataset: train,
      optimizer: optimizers.adam(),
      learningRate: 1e-4,
      batchSize: 64,
      epochs: 10_000,
    });
    const times = [];
    const began = performance.now();
    let before = began;
    const every = STEPS_PER_SUBMIT;
    for await (const { step } of trainer.fit({ every, stepsPerSubmit: every, pauseEvery: every })) {
      const now = performance.now();
      if (step > WARM_UP * every) times.push(now - before);
      before = now;
      if (step >= most || (now - began > 1000 * longest && times.length > 0)) break;
    }
    const { step: steps, parameters } = await trainer.snapshot();
    trainer.dispose();
    return { adapter: backend.adapter.name, times, steps, parameters };
  } finally {
    backend.dispose();
  }
}

function memoryStore() {
  return {
    text: undefined,
    async load() {
      return this.text;
    },
    async save(_, text) {
      this.text = text;
    },
  };
}

function mean(times) {
  return times.reduce((sum, time) => sum + time, 0) / times.length;
}

/** Milliseconds of a submit. */
function timesOf(times) {
  const sorted = times.toSorted((one, other) => one - other);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  return { submits: times.length, mean: mean(times), median: at(0.5), percentile99: at(0.99), largest: sorted.at(-1) };
}

function areEqual(one, other) {
  const bytes = ({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength);
  return bytes(one).equals(bytes(other));
}
