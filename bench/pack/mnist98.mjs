// A part of the archive: trains the recipes of recipes.json on MNIST, each with several seeds, and writes the times as
// JSON. A cosine schedule depends on the length of its run, so each schedule is run to its end, and the report has both
// the total time and the first epoch after which the test accuracy is at least 98 %.

import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { createTrainer, dense, optimizers, schedules, sequential, standardization } from "../../dist/index.js";
import { createNodeBackend, loadMnist } from "../../dist/node.js";
import { measureOptions, plannedRecipes } from "./recipes.mjs";

const METHOD = [
  "Network 784-width-10, relu, softmax cross-entropy; Adam, cosine schedule from learningRate to 0 over the whole run;",
  "inputs standardized with one mean and deviation; He normal and Xavier uniform weights, zero biases.",
  "Pixels are bytes on the GPU. The time is measured from the first submit to the end of the last step, including",
  "shuffling and uploading the order of each epoch. It excludes uploading the data and compiling the pipelines",
  "(both in compileSeconds), one epoch of warm-up with other weights, and the evaluation. Accuracies after each epoch",
  "come from a second, untimed run: the same seed gives the same bits (repeatable says whether it did).",
].join(" ");

/** @typedef {import("./recipes.mjs").Recipe} Recipe */

const { values } = parseArgs({ options: { ...measureOptions, out: { type: "string" } } });
const plan = plannedRecipes(values);
const data = await loadMnist({ directory: fileURLToPath(new URL("../../mnist", import.meta.url)) });
const backend = await createNodeBackend({ device: "webgpu" });
try {
  const runs = [];
  for (const recipe of plan.recipes) {
    runs.push(await measure(recipe));
    // Write after each recipe, so that an interrupted run leaves partial results.
    writeFileSync(values.out ?? "mnist.json", `${JSON.stringify(report(runs), undefined, 2)}\n`);
  }
} finally {
  backend.dispose();
}

function report(runs) {
  const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  const { name: adapter } = backend.adapter;
  return { program: "wgrad", version, node: process.version, adapter, method: METHOD, target: plan.target, runs };
}

/** @param {Recipe} recipe */
async function measure(recipe) {
  const warmup = await makeTrainer(recipe, 0);
  const { totalSteps: steps, dispatches } = warmup;
  await finish(warmup.fit({ maxSteps: warmup.stepsPerEpoch }));
  warmup.dispose();
  const seeds = [];
  for (let seed = 1; seed <= plan.seeds; seed++) {
    const result = await measureSeed(recipe, seed);
    seeds.push(result);
    const { seconds, imagesPerSecond, accuracy } = result;
    console.log(
      `wgrad, ${recipe.name}, seed ${seed}: ${steps} steps in ${seconds.toFixed(3)} s, ` +
        `${Math.round(imagesPerSecond)} images/s, test accuracy ${(100 * accuracy).toFixed(2)} %`,
    );
  }
  return { mode: "wgrad", ...recipe, steps, dispatchesPerStep: dispatches.length, seeds };
}

/** Times a run of the schedule, then repeats it for the accuracy after each epoch. */
async function measureSeed(recipe, seed) {
  const started = performance.now();
  const timed = await makeTrainer(recipe, seed);
  const compileSeconds = (performance.now() - started) / 1000;
  const events = await finish(timed.fit({ every: timed.stepsPerEpoch }));
  const { accuracy } = await timed.evaluate(data.test);
  timed.dispose();

  const repeated = await makeTrainer(recipe, seed);
  const accuracyAtEpoch = [];
  while (repeated.step < repeated.totalSteps) {
    await finish(repeated.fit({ maxSteps: repeated.stepsPerEpoch }));
    accuracyAtEpoch.push((await repeated.evaluate(data.test)).accuracy);
  }
  repeated.dispose();

  const { seconds, examplesPerSecond } = events.at(-1);
  return {
    seed,
    seconds,
    imagesPerSecond: examplesPerSecond,
    accuracy,
    repeatable: accuracyAtEpoch.at(-1) === accuracy,
    compileSeconds,
    secondsAtEpoch: events.map((event) => event.seconds),
    accuracyAtEpoch,
  };
}

/** @param {Recipe} recipe */
function makeTrainer({ batch, width, epochs, learningRate, maxSteps }, seed) {
  return createTrainer({
    model: sequential([dense(width, { activation: "relu" }), dense(10)], { inputShape: [784], seed }),
    dataset: data.train,
    backend,
    optimizer: optimizers.adam(),
    learningRate,
    schedule: schedules.cosine(),
    batchSize: batch,
    epochs,
    seed,
    normalization: standardization(data.train.features),
    ...(maxSteps !== undefined && { maxSteps }),
  });
}

/** Collects all events of a fit. */
async function finish(fit) {
  const events = [];
  for await (const event of fit) events.push(event);
  return events;
}
