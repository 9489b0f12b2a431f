/*
 * What a training step of the README's network takes: 784-128-10, relu, softmax cross-entropy, Adam, on the built-in
 * digits. The first steps' losses are checked against the CPU before anything is timed. `npm run bench`.
 */
import { cpus } from "node:os";
import { builtInDigits, createCpuBackend, createTrainer, dense, sequential, standardization, type Backend, type Trainer } from "../src/index.ts";
import { createNodeBackend } from "../src/node/index.ts";

const CHECKED_STEPS = 5;
const TIMED_RUNS = 15;

const { train } = builtInDigits();
const normalization = standardization(train.features);

function makeTrainer(backend: Backend, batchSize: number): Promise<Trainer> {
  const model = sequential([dense(128, { activation: "relu" }), dense(10)], { inputShape: [784] });
  return createTrainer({ model, dataset: train, backend, learningRate: 1e-3, batchSize, epochs: 1000, normalization });
}

async function run(trainer: Trainer, steps: number, every = steps): Promise<number[]> {
  const losses: number[] = [];
  for await (const { loss } of trainer.fit({ every, maxSteps: steps })) losses.push(loss);
  return losses;
}

async function check(trainer: Trainer, batchSize: number): Promise<void> {
  const reference = await makeTrainer(createCpuBackend(), batchSize);
  const expected = await run(reference, CHECKED_STEPS, 1);
  const actual = await run(trainer, CHECKED_STEPS, 1);
  const worst = Math.max(...actual.map((loss, step) => Math.abs(loss / expected[step]! - 1)));
  if (!(worst < 1e-4)) throw new Error(`batch ${batchSize}: losses ${actual} differ from the CPU's ${expected}`);
}

/** Milliseconds of a step, the median of runs of about half a second each, and their spread. */
async function timeStep(trainer: Trainer) {
  const warmUp = performance.now();
  await run(trainer, 20);
  const steps = Math.max(10, Math.round((20 * 500) / (performance.now() - warmUp)));
  const times: number[] = [];
  for (let repetition = 0; repetition < TIMED_RUNS; repetition++) {
    const started = performance.now();
    await run(trainer, steps);
    times.push((performance.now() - started) / steps);
  }
  times.sort((a, b) => a - b);
  return { median: times[TIMED_RUNS >> 1]!, fastest: times[0]!, slowest: times.at(-1)! };
}

const backend = await createNodeBackend();
console.log(`${backend.adapter.name}${backend.adapter.software ? ", a software adapter" : ""}; ${cpus().length} CPU cores`);
console.log("784-128-10, Adam; medians of 15 runs of about 0.5 s after a warm-up, by the wall clock\n");
console.log("batch  dispatches  ms/step (fastest-slowest)  images/s  epoch of 60,000");
for (const batchSize of [1, 64, 512]) {
  const trainer = await makeTrainer(backend, batchSize);
  await check(trainer, batchSize);
  const { median, fastest, slowest } = await timeStep(trainer);
  const spread = `${median.toFixed(2)} (${fastest.toFixed(2)}-${slowest.toFixed(2)})`;
  const imagesPerSecond = (1000 * batchSize) / median;
  console.log(
    `${String(batchSize).padStart(5)}  ${String(trainer.dispatches.length).padStart(10)}  ${spread.padStart(25)}  ` +
      `${imagesPerSecond.toFixed(0).padStart(8)}  ${(60_000 / imagesPerSecond).toFixed(1).padStart(13)} s`,
  );
  trainer.dispose();
}
backend.dispose();
