/*
 * nanoGPT's recipe for CPUs, with wgrad on WebAssembly and with PyTorch. `node bench/nanogpt/run.mjs --help`
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { environment, pythonWithTorch } from "../peers/runtimes/pytorch.mjs";

const HELP = `node bench/nanogpt/run.mjs [options]

Trains nanoGPT's network for CPUs (4 layers, 4 heads, width 128, context 64, batch 12) on tinyshakespeare.txt,
which is read from TEXT_DIR, and prints the loss over the whole validation text (its last tenth), the seconds of
the training and the milliseconds of a step. wgrad is read from dist/ (npm run build).

  --seeds A,B      seeds of wgrad's runs (default: 1,2); PyTorch has one run, with the first seed
  --steps N        training steps (default: 2000)
  --threads N      wgrad's threads (default: 2); PyTorch has one
  --only NAME      run only wgrad or only pytorch
`;

/** @typedef {{ name: string, loss: number, seconds: number }} Result */

const recipe = {
  layers: 4,
  heads: 4,
  width: 128,
  bias: false,
  context: 64,
  batch: 12,
  learningRate: 1e-3,
  warmup: 100,
};

function readOptions() {
  const { values } = parseArgs({
    options: {
      seeds: { type: "string", default: "1,2" },
      steps: { type: "string", default: "2000" },
      threads: { type: "string", default: "2" },
      only: { type: "string", default: "wgrad,pytorch" },
      help: { type: "boolean" },
    },
  });
  const seeds = values.seeds.split(",").map(Number);
  const [steps, threads] = [Number(values.steps), Number(values.threads)];
  const isWhole = (value) => Number.isInteger(value) && value >= 1;
  if (![...seeds, steps, threads].every(isWhole) || steps <= recipe.warmup)
    throw new Error(`seeds, steps and threads are whole numbers, and there are more than ${recipe.warmup} steps`);
  return { ...values, seeds, steps, threads };
}

/** @returns {Promise<Result>} */
async function runWgrad({ text, seed, steps, threads }) {
  const { wgrad, wgradNode } = await import("../peers/runtimes/wgrad.mjs");
  const { characterTokenizer, createTrainer, makeTextDataset, models, optimizers, schedules, splitText } = wgrad;
  const { layers, heads, width, bias, context, batch, learningRate, warmup } = recipe;
  const tokenizer = characterTokenizer(text);
  const { train, validation } = splitText(makeTextDataset({ text, tokenizer, context }), { validation: 0.1 });
  const backend = await wgradNode.createNodeBackend({ device: "wasm", threads });
  const trainer = await createTrainer({
    model: models.gpt({ vocabulary: tokenizer.vocabularySize, context, layers, heads, width, bias, seed }),
    backend,
    dataset: train,
    seed,
    learningRate,
    batchSize: batch,
    clipNorm: 1,
    optimizer: optimizers.adamW({ beta2: 0.99, weightDecay: 0.1 }),
    schedule: schedules.warmup(warmup, schedules.cosine({ final: 0.1 })),
    epochs: Math.ceil((steps * batch) / train.count) + 1,
    maxSteps: steps,
  });
  let seconds = 0;
  for await (const event of trainer.fit()) ({ seconds } = event);
  const { loss } = await trainer.evaluate(validation);
  trainer.dispose();
  backend.dispose();
  return { name: `wgrad, ${threads} threads, seed ${seed}`, loss, seconds };
}

/** @returns {Result} */
function runPytorch({ text, seed, steps, python }) {
  const points = [...new Set(text)].sort();
  const tokens = Uint8Array.from(text, (character) => points.indexOf(character));
  const folder = mkdtempSync(join(tmpdir(), "wgrad-nanogpt-"));
  try {
    const end = Math.floor(0.9 * tokens.length);
    const paths = { train: join(folder, "train"), validation: join(folder, "validation") };
    writeFileSync(paths.train, tokens.subarray(0, end));
    writeFileSync(paths.validation, tokens.subarray(end));
    const options = { ...recipe, ...paths, vocabulary: points.length, seed, steps, threads: 1 };
    const script = fileURLToPath(new URL("pytorch.py", import.meta.url));
    const { status, stdout, stderr } = spawnSync(python, [script, JSON.stringify(options)], {
      env: environment(),
      encoding: "utf8",
    });
    if (status !== 0) throw new Error(`PyTorch failed: ${stderr}`);
    const { loss, seconds, version } = JSON.parse(stdout);
    return { name: `PyTorch ${version}, 1 thread, seed ${seed}`, loss, seconds };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function main() {
  const options = readOptions();
  if (options.help) return console.log(HELP);
  const { seeds, steps, threads, only } = options;
  const path = join(process.env.TEXT_DIR ?? "", "tinyshakespeare.txt");
  if (!existsSync(path)) throw new Error(`${path} is missing; give the folder of tinyshakespeare.txt as TEXT_DIR`);
  const text = readFileSync(path, "utf8");
  const python = only.includes("pytorch") ? pythonWithTorch() : undefined;
  if (only.includes("pytorch") && python === undefined) console.log("PyTorch: no python3 has torch and numpy");
  const results = [];
  const show = (result) => {
    const { name, loss, seconds } = result;
    const perStep = (1000 * seconds) / steps;
    console.log(`${name}: loss ${loss.toFixed(4)}, ${seconds.toFixed(1)} s, ${perStep.toFixed(1)} ms a step`);
    results.push(result);
  };
  if (only.includes("wgrad")) for (const seed of seeds) show(await runWgrad({ text, seed, steps, threads }));
  if (python !== undefined) show(runPytorch({ text, seed: seeds[0], steps, python }));
  const own = results.filter(({ name }) => name.startsWith("wgrad"));
  if (own.length === 0) return;
  const mean = (values) => values.reduce((total, value) => total + value, 0) / values.length;
  const loss = mean(own.map((result) => result.loss));
  const seconds = mean(own.map((result) => result.seconds));
  const peer = results.find(({ name }) => name.startsWith("PyTorch"));
  const beside = peer === undefined ? "" : `, ${(peer.seconds / seconds).toFixed(2)} × the speed of PyTorch`;
  console.log(`wgrad, mean of ${own.length}: loss ${loss.toFixed(4)}, ${seconds.toFixed(1)} s${beside}`);
}

try {
  await main();
} catch (error) {
  console.error(`error: ${error.message}`);
  process.exitCode = 1;
}
