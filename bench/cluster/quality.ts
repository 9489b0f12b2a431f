/*
 * The accuracy of a run that workers share, beside that of one machine with the same options and the same number of
 * examples, and the bytes that the workers exchange, stored states of optimizers included, beside those of sharing the
 * gradient of every step.
 *
 *   node scripts/run.mjs bench/cluster/quality.ts [--network dense|cnn] [--epochs 10] [--seeds 3] [--first-seed 1]
 *     [--workers 4] [--inner-steps 100] [--rate 0.003] [--outer-rate 1] [--outer-momentum 0.5] [--device wasm]
 *     [--worker-batch 16] [--worker-rate 0.0015] [--state-every 10] [--validation] [--shared-only]
 *
 * The workers take turns on one device (`SharedRun`), which gives the bits of several machines. --validation holds out 10,000
 * training images and evaluates on them, so that options can be chosen without the test set; --shared-only leaves out the run
 * of one machine. --rate is the learning rate of one machine. The batch size and the learning rate of a worker follow from
 * those of one machine, as in `wgrad train`.
 */
import { parseArgs } from "node:util";
import { defaultOuter } from "../../src/cluster/training/outer.ts";
import { SharedRun } from "../../src/cluster/training/together.ts";
import { workerStep } from "../../src/cluster/training/worker-step.ts";
import { presetLayers } from "../../src/cli/training/presets.ts";
import { adapterText } from "../../src/cli/text/text.ts";
import {
  createTrainer,
  dense,
  flatten,
  layersFromText,
  schedules,
  sequential,
  splitDataset,
  standardization,
  type AnyModel,
  type TrainerOptions,
} from "../../src/index.ts";
import { createNodeBackend, loadMnist, type DeviceChoice } from "../../src/node/index.ts";

const { values: flags } = parseArgs({
  options: {
    network: { type: "string", default: "dense" },
    epochs: { type: "string", default: "10" },
    seeds: { type: "string", default: "3" },
    "first-seed": { type: "string", default: "1" },
    workers: { type: "string", default: "4" },
    "inner-steps": { type: "string", default: "100" },
    rate: { type: "string" },
    "worker-batch": { type: "string" },
    "worker-rate": { type: "string" },
    "state-every": { type: "string", default: "10" },
    "outer-rate": { type: "string", default: String(defaultOuter.learningRate) },
    "outer-momentum": { type: "string", default: String(defaultOuter.momentum) },
    validation: { type: "boolean", default: false },
    "shared-only": { type: "boolean", default: false },
    device: { type: "string", default: "wasm" },
  },
});
const isDense = flags.network === "dense";
const [seeds, workers, innerSteps] = [Number(flags.seeds), Number(flags.workers), Number(flags["inner-steps"])];
const stateEvery = Number(flags["state-every"]);
const outer = { learningRate: Number(flags["outer-rate"]), momentum: Number(flags["outer-momentum"]) };

const mnist = await loadMnist();
const split = flags.validation ? splitDataset(mnist.train, { validation: 1 / 6 }) : undefined;
const { train, test } = split ? { train: split.train, test: split.validation } : mnist;
const backend = await createNodeBackend({ device: flags.device as DeviceChoice });
console.log(`${adapterText(backend)}; Node ${process.version}; ${workers} workers, ${innerSteps} steps a round`);

const batchSize = isDense ? 64 : 128;
const learningRate = Number(flags.rate ?? (isDense ? 0.003 : 0.01));

function optionsOf(seed: number): TrainerOptions<AnyModel> {
  const layers = isDense
    ? [flatten(), dense(128, { activation: "relu" }), dense(10)]
    : layersFromText(presetLayers("cnn", 10)!);
  const [height = 0, width = 0] = train.shape;
  const model = sequential(layers, { inputShape: [height, width, 1], seed });
  return {
    model: model as AnyModel,
    backend,
    dataset: train,
    normalization: standardization(train.features),
    learningRate,
    schedule: isDense ? schedules.cosine() : schedules.oneCycle({ rise: 0.2 }),
    batchSize,
    epochs: Number(flags.epochs),
    seed,
  };
}

const given = (value: string | undefined) => (value === undefined ? undefined : Number(value));
const usual = workerStep(
  { batchSize, learningRate },
  { workers, workerBatch: given(flags["worker-batch"]), optimizer: "adam" },
);
const ofWorker = { ...usual, learningRate: given(flags["worker-rate"]) ?? usual.learningRate };
console.log(
  `one machine: batches of ${batchSize}, rate ${learningRate}; workers: batches of ${ofWorker.batchSize}, rate ${ofWorker.learningRate}`,
);

async function alone(options: TrainerOptions<AnyModel>): Promise<number> {
  const trainer = await createTrainer(options);
  for await (const { step, loss } of trainer.fit())
    if (!Number.isFinite(loss)) throw new Error(`the loss of step ${step} is ${loss}`);
  const { accuracy } = await trainer.evaluate(test);
  trainer.dispose();
  return accuracy;
}

interface Shared {
  readonly accuracy: number;
  readonly rounds: number;
  /** Of all workers: their changes, and the values that they read. */
  readonly bytes: number;
  /** The states of the workers' optimizers, with which a stopped run continues. */
  readonly stateBytes: number;
  /** Float32 gradients sent and values read in every step. */
  readonly synchronousBytes: number;
}

async function together(options: TrainerOptions<AnyModel>): Promise<Shared> {
  const ids = Array.from({ length: workers }, (_, index) => `worker-${index}`);
  const run = await SharedRun.create(options, { workers: ids, innerSteps, outer });
  let [rounds, bytes, stateBytes, synchronousBytes] = [0, 0, 0, 0];
  for await (const { commit } of run.rounds()) {
    rounds++;
    for (const { range } of commit.participants) {
      bytes += (2 + 4) * run.layout.size;
      // The two moments of Adam.
      if (rounds % stateEvery === 0) stateBytes += 2 * 4 * run.layout.size;
      synchronousBytes += range.count * 2 * 4 * run.layout.size;
    }
  }
  const { accuracy } = await run.evaluate(test);
  run.dispose();
  return { accuracy, rounds, bytes, stateBytes, synchronousBytes };
}

const percent = (share: number) => `${(100 * share).toFixed(2)} %`;
const mean = (numbers: readonly number[]) => numbers.reduce((sum, one) => sum + one, 0) / numbers.length;
const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(0)} MB`;

const firstSeed = Number(flags["first-seed"]);
const [singles, shares]: [number[], number[]] = [[], []];
for (let seed = firstSeed; seed < firstSeed + seeds; seed++) {
  const options = optionsOf(seed);
  if (!flags["shared-only"]) singles.push(await alone(options));
  const { accuracy, rounds, bytes, stateBytes, synchronousBytes } = await together({ ...options, ...ofWorker });
  shares.push(accuracy);
  const saved =
    `${megabytes(bytes)} and ${megabytes(stateBytes)} of stored states instead of ${megabytes(synchronousBytes)} ` +
    `(${(synchronousBytes / (bytes + stateBytes)).toFixed(0)} ×)`;
  const single = flags["shared-only"] ? "" : `one machine ${percent(singles.at(-1)!)}, `;
  console.log(`seed ${seed}: ${single}shared ${percent(accuracy)}; ${rounds} rounds, ${saved}`);
}
const [single, shared] = [mean(singles), mean(shares)];
const compared = flags["shared-only"] ? "" : `one machine ${percent(single)}, difference ${percent(shared - single)}, `;
console.log(`mean: ${compared}shared ${percent(shared)}`);
backend.dispose();
