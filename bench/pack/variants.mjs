// A part of the archive: times a step of networks with the options that change its kernels, each in a process of its own, and
// writes them as JSON. The first losses of each must be those on WebAssembly.

import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import {
  characterTokenizer,
  createTrainer,
  createWebGPUBackend,
  dense,
  layersFromText,
  makeClassificationDataset,
  makeTextDataset,
  models,
  optimizers,
  Random,
  sequential,
} from "../../dist/index.js";
import { createNodeBackend, dawnGpu, loadMnist } from "../../dist/node.js";
import { countOf } from "./recipes.mjs";

const METHOD = [
  "The time of a step is the wall clock of a block of steps divided by their number, the median of five blocks after a warm-up.",
  "cpuMilliseconds is the CPU time of the process per step. difference is the largest relative difference of the first losses",
  "from those on WebAssembly.",
].join(" ");

const CHECKED_STEPS = 3;
const LARGEST_DIFFERENCE = 1e-3;
const BLOCKS = 5;
const DEFAULT_STEPS = 100;
const SLOWEST = 8;
const VARIANT_MILLISECONDS = 90_000;
/** The layers of the preset cnn. */
const CNN = [
  ...[
    "conv 16 3x3",
    "conv 16 3x3",
    "maxpool 2",
    "conv 32 3x3",
    "conv 32 3x3",
    "maxpool 2",
    "conv 64 3x3 padding=same",
  ].map((layer) => (layer.startsWith("conv") ? `${layer} bias=false, batchnorm, relu` : layer)),
  "flatten, dense 10",
].join(", ");

/** A network all of whose kernels are small. */
const SMALL = "2-8-8-2";

const MATRICES = ["timestamp-query", "subgroups", "shader-f16", "chromium-experimental-subgroup-matrix"];

/** `quick`: the variants of --quick, one of each kind, which a software adapter finishes in minutes. */
const VARIANTS = [
  ...[64, 128, 256, 512, 1024].map((context) => ({ network: "gpt", context, quick: context === 256 })),
  { network: "gpt", context: 256, options: { activationStorage: "float16" } },
  { network: "gpt", context: 256, options: { precision: "float16" } },
  { network: "gpt", context: 256, options: { precision: "float16" }, features: MATRICES },
  { network: "cnn" },
  { network: "cnn", options: { activationStorage: "float16" } },
  { network: "cnn", options: { precision: "float16" } },
  { network: "cnn", options: { recompute: 2 } },
  { network: "784-128-10", quick: true },
  { network: SMALL, quick: true },
  { network: SMALL, mergeKernels: false },
  { network: "784-128-10", options: { activationStorage: "float16" }, quick: true },
  { network: "784-128-10", options: { precision: "float16" }, quick: true },
  { network: "784-128-10", options: { precision: "float16" }, features: MATRICES, quick: true },
  { network: "784-128-10", reads: "each loss", quick: true },
  { network: "784-128-10", reads: "each loss", pauses: false, quick: true },
];

const nameOf = ({ network, context, options = {}, mergeKernels, features, reads, pauses }) =>
  [
    network,
    ...(context === undefined ? [] : [`context ${context}`]),
    ...Object.entries(options).map(([name, value]) => `${name} ${value}`),
    ...(mergeKernels === false ? ["each kernel in a dispatch of its own"] : []),
    ...(features ? ["subgroup matrices"] : []),
    ...(reads ? [`reads ${reads}`] : []),
    ...(pauses === false ? ["polls without pauses"] : []),
  ].join(", ");

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    "max-steps": { type: "string" },
    variant: { type: "string" },
    out: { type: "string" },
  },
});
const steps = countOf("max-steps", values["max-steps"]) ?? DEFAULT_STEPS;
if (values.variant === undefined) measureAll();
else console.log(JSON.stringify(await measure(VARIANTS[Number(values.variant)])));

/** Measures each variant in a process, whose last line is its result. */
function measureAll() {
  const report = { method: METHOD, stepsPerBlock: steps, variants: [] };
  for (const [place, variant] of VARIANTS.entries()) {
    if (values.quick && !variant.quick) continue;
    const options = [fileURLToPath(import.meta.url), "--variant", `${place}`, "--max-steps", `${steps}`];
    const how = { encoding: "utf8", timeout: VARIANT_MILLISECONDS, killSignal: "SIGKILL" };
    const row = { name: nameOf(variant), ...resultOf(spawnSync(process.execPath, options, how)) };
    report.variants.push(row);
    console.log(`${row.name}: ${row.failed ?? row.skipped ?? `${row.milliseconds.toFixed(3)} ms a step`}`);
    // Written after each, so that an interrupted part leaves what it has.
    writeFileSync(values.out ?? "variants.json", `${JSON.stringify(report, undefined, 2)}\n`);
  }
  if (report.variants.some(({ failed }) => failed)) process.exitCode = 1;
}

function resultOf({ status, signal, error, stdout, stderr }) {
  if (error?.code === "ETIMEDOUT") return { failed: `it was not done after ${VARIANT_MILLISECONDS / 1000} s` };
  if (status === 0) return JSON.parse(stdout.trimEnd().split("\n").at(-1));
  const lines = stderr.trim().split("\n");
  return {
    failed: lines.find((line) => /^\w*Error\b/.test(line)) ?? `${signal ?? `exit code ${status}`}: ${lines.at(-1)}`,
  };
}

async function measure(variant) {
  // A part that is stopped leaves no process behind that uses the GPU.
  const parent = process.ppid;
  setInterval(() => process.ppid !== parent && process.exit(1), 1000).unref();
  const kernels = [];
  const backend = await openBackend(variant, (_, code) => kernels.push(code));
  try {
    const trainer = await trainerOf(variant, backend);
    if (variant.features && !kernels.some((code) => code.includes("subgroupMatrixMultiplyAccumulate")))
      return { skipped: "this device has no subgroup matrices of float16 with float32 sums" };
    const difference = await differenceOf(variant, await lossesOf(trainer));
    if (!(difference <= LARGEST_DIFFERENCE)) throw new Error(`the losses differ from WebAssembly's by ${difference}`);
    const timed = await timeSteps(trainer, variant);
    const { stepBytes, dispatches } = trainer;
    const row = { ...timed, difference, stepBytes, dispatches: dispatches.length, slowest: await slowestOf(trainer) };
    trainer.dispose();
    return { adapter: backend.adapter.name, ...row };
  } finally {
    backend.dispose();
  }
}

async function openBackend({ mergeKernels, features, pauses = true }, onKernel) {
  const flags = ["disable-dawn-features=timestamp_quantization", "enable-dawn-features=allow_unsafe_apis"];
  if (features) return createWebGPUBackend(await dawnGpu({ flags }), { features, onKernel });
  if (pauses) return createNodeBackend({ device: "webgpu", flags, mergeKernels, backgroundTuning: false, onKernel });
  // Dawn as its package gives it: `dawnGpu` changes how it polls.
  const { create, globals } = await import("webgpu");
  Object.assign(globalThis, globals);
  return createWebGPUBackend({ gpu: create(flags), release() {} }, { onKernel });
}

async function lossesOf(trainer) {
  const losses = [];
  for await (const { loss } of trainer.fit({ every: 1, maxSteps: CHECKED_STEPS })) losses.push(loss);
  return losses;
}

/** The largest relative difference of losses from those of the same network on WebAssembly. */
async function differenceOf(variant, losses) {
  const backend = await createNodeBackend({ device: "wasm" });
  const trainer = await trainerOf(variant, backend);
  const expected = await lossesOf(trainer);
  trainer.dispose();
  backend.dispose();
  return Math.max(...losses.map((loss, step) => Math.abs(loss - expected[step]) / Math.abs(expected[step])));
}

async function timeSteps(trainer, { reads }) {
  const every = reads ? 1 : steps;
  const runBlock = async () => {
    for await (const _ of trainer.fit({ every, maxSteps: steps, ...(reads && { stepsPerSubmit: 1, pauseEvery: 1 }) }));
  };
  await runBlock();
  const times = [];
  const cpuBefore = process.cpuUsage();
  for (let block = 0; block < BLOCKS; block++) {
    const began = performance.now();
    await runBlock();
    times.push((performance.now() - began) / steps);
  }
  const { user, system } = process.cpuUsage(cpuBefore);
  const milliseconds = times.toSorted((one, other) => one - other)[Math.floor(BLOCKS / 2)];
  return { milliseconds, cpuMilliseconds: (user + system) / 1000 / BLOCKS / steps };
}

/** The slowest dispatches of a step; none if the adapter has no clock. */
async function slowestOf(trainer) {
  const times = await trainer.profile().catch(() => []);
  return times
    .map((nanoseconds, place) => {
      const { kernel, shapes, flops } = trainer.dispatches[place];
      return { kernel, shapes, flops, microseconds: nanoseconds / 1000 };
    })
    .toSorted((one, other) => other.microseconds - one.microseconds)
    .slice(0, SLOWEST);
}

async function trainerOf({ network, context, options }, backend) {
  const taken = CHECKED_STEPS + (BLOCKS + 1) * steps + 1;
  const common = { backend, learningRate: 1e-3, seed: 1, ...options };
  if (network === "gpt") return textTrainer(context, taken, common);
  if (network === SMALL) return pointsTrainer(taken, common);
  const { train } = await loadMnist({ directory: fileURLToPath(new URL("../../mnist", import.meta.url)) });
  const isCnn = network === "cnn";
  const batchSize = isCnn ? 128 : 64;
  const layers = [dense(128, { activation: "relu" }), dense(10)];
  const model = isCnn
    ? sequential(layersFromText(CNN), { inputShape: [28, 28], seed: 1 })
    : sequential(layers, { inputShape: [784], seed: 1 });
  const epochs = Math.ceil((taken * batchSize) / train.count) + 1;
  return createTrainer({ ...common, model, dataset: train, optimizer: optimizers.adam(), batchSize, epochs });
}

/** Random points of the plane in two classes, by the signs of their coordinates. */
function pointsTrainer(taken, common) {
  const random = new Random(1);
  const features = Float32Array.from({ length: 800 }, () => random.normal());
  const labels = Uint32Array.from({ length: 400 }, (_, point) =>
    Number(features[2 * point] * features[2 * point + 1] > 0),
  );
  const dataset = makeClassificationDataset({ name: "points", features, shape: [2], labels, classes: ["odd", "even"] });
  const layers = [dense(8, { activation: "tanh" }), dense(8, { activation: "tanh" }), dense(2)];
  const model = sequential(layers, { inputShape: [2], seed: 1 });
  const batchSize = 16;
  const epochs = Math.ceil((taken * batchSize) / dataset.count) + 1;
  return createTrainer({ ...common, model, dataset, optimizer: optimizers.adam(), batchSize, epochs });
}

/** A GPT of 2 blocks on 2,048 random characters a step: only times and losses of the first steps are compared. */
function textTrainer(context, taken, common) {
  const random = new Random(1);
  const characters = Array.from({ length: 65 }, (_, kind) => String.fromCharCode(0x30 + kind)).join("");
  const text = Array.from({ length: 50_000 }, () => characters[random.below(characters.length)]).join("");
  const tokenizer = characterTokenizer(characters);
  const dataset = makeTextDataset({ text, tokenizer, context });
  const batchSize = Math.max(1, 2048 / context);
  return createTrainer({
    ...common,
    model: models.gpt({ vocabulary: tokenizer.vocabularySize, context, layers: 2, heads: 4, width: 128, seed: 1 }),
    dataset,
    optimizer: optimizers.adamW(),
    batchSize,
    epochs: Math.ceil((taken * batchSize) / dataset.count) + 1,
  });
}
