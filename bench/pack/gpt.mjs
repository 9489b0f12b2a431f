// A part of the archive: trains nanoGPT's small network on made-up text, and writes the time of a step and of its slowest
// dispatches as JSON.

import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { characterTokenizer, createTrainer, makeTextDataset, models, optimizers, Random } from "../../dist/index.js";
import { createNodeBackend } from "../../dist/node.js";
import { countOf } from "./recipes.mjs";

/** nanoGPT's train_shakespeare_char.py on a small machine, without dropout. */
const NETWORK = { context: 64, layers: 4, heads: 4, width: 128 };
const BATCH = 12;
const CHARACTERS = 100_000;
const KINDS = 65;
const DEFAULT_STEPS = 500;
const WARMUP_STEPS = 20;
const PROFILES = 3;
const SLOWEST = 12;

const METHOD = [
  "models.gpt on random characters of 65 kinds, AdamW, the gradient clipped to norm 1. The time of a step is the wall clock",
  `of all steps after ${WARMUP_STEPS} of warm-up, divided by their number. A dispatch has the least of ${PROFILES} times by the GPU's clock.`,
].join(" ");

const { values } = parseArgs({ options: { "max-steps": { type: "string" }, out: { type: "string" } } });
const steps = countOf("max-steps", values["max-steps"]) ?? DEFAULT_STEPS;
const backend = await createNodeBackend({
  device: "webgpu",
  flags: ["disable-dawn-features=timestamp_quantization"],
});
try {
  writeFileSync(values.out ?? "gpt.json", `${JSON.stringify(await measure(), undefined, 2)}\n`);
} finally {
  backend.dispose();
}

async function measure() {
  const { text, tokenizer } = madeUpText();
  const model = models.gpt({ ...NETWORK, vocabulary: tokenizer.vocabularySize, seed: 1 });
  const trainer = await makeTrainer(model, makeTextDataset({ text, tokenizer, context: NETWORK.context }));
  await finish(trainer.fit({ maxSteps: WARMUP_STEPS }));
  const began = performance.now();
  const loss = await finish(trainer.fit({ maxSteps: steps }));
  const millisecondsPerStep = (performance.now() - began) / steps;
  const slowest = await slowestOf(trainer);
  const { length: dispatches } = trainer.dispatches;
  const parameters = model.parameters.reduce((total, { size }) => total + size, 0);
  trainer.dispose();
  console.log(
    `GPT: ${steps} steps, ${millisecondsPerStep.toFixed(3)} ms each, ${dispatches} dispatches, loss ${loss.toFixed(3)}`,
  );
  const { name: adapter } = backend.adapter;
  return {
    adapter,
    method: METHOD,
    ...NETWORK,
    batch: BATCH,
    parameters,
    steps,
    millisecondsPerStep,
    dispatches,
    slowest,
  };
}

/** Random characters: only the time of a step is measured. */
function madeUpText() {
  const random = new Random(1);
  const characters = Array.from({ length: KINDS }, (_, kind) => String.fromCharCode(0x30 + kind)).join("");
  const text = Array.from({ length: CHARACTERS }, () => characters[random.below(KINDS)]).join("");
  return { text, tokenizer: characterTokenizer(characters) };
}

function makeTrainer(model, dataset) {
  const needed = (WARMUP_STEPS + steps + PROFILES) * BATCH;
  return createTrainer({
    model,
    backend,
    dataset,
    optimizer: optimizers.adamW(),
    clipNorm: 1,
    learningRate: 1e-3,
    batchSize: BATCH,
    // One more, since an epoch leaves out what does not fill a batch.
    epochs: Math.ceil(needed / dataset.count) + 1,
  });
}

/** The times of the slowest dispatches; none if the adapter has no clock. */
async function slowestOf(trainer) {
  const profiles = [];
  try {
    for (let run = 0; run < PROFILES; run++) profiles.push(await trainer.profile());
  } catch (error) {
    console.error(`No times of dispatches: ${error.message}`);
    return [];
  }
  return trainer.dispatches
    .map(({ kernel, shapes, grid }, place) => {
      const microseconds = Math.min(...profiles.map((times) => times[place])) / 1000;
      return { kernel, shapes, grid, microseconds };
    })
    .toSorted((one, other) => other.microseconds - one.microseconds)
    .slice(0, SLOWEST);
}

/** @returns the last loss */
async function finish(fit) {
  let last = NaN;
  for await (const { loss } of fit) last = loss;
  return last;
}
