/* The first steps of networks, compared with the CPU backend. */
import type { Backend } from "../../src/backends/backend.ts";
import { createCpuBackend } from "../../src/backends/cpu/index.ts";
import { builtInDigits } from "../../src/data/digits.ts";
import { characterTokenizer } from "../../src/data/text/characters.ts";
import { makeTextDataset } from "../../src/data/text/dataset.ts";
import { dense, layersFromText, models, optimizers, sequential } from "../../src/nn/index.ts";
import { createTrainer, type Trainer, type TrainerOptions } from "../../src/train/index.ts";

const STEPS = 5;

/** Rounding errors of the first steps of Adam, relative to the loss. */
const TOLERANCE = 1e-4;

/** In half precision, they may round a value to another float16. */
const HALF_TOLERANCE = 2 ** -11;

/** Options of all networks. */
const run = { learningRate: 0.001, epochs: 1, maxSteps: STEPS } as const;

const digits = () => builtInDigits({ train: 320, test: 10 }).train;

const denseTrainer = (backend: Backend, options: Pick<TrainerOptions, "precision" | "activationStorage"> = {}) =>
  createTrainer({
    ...run,
    ...options,
    backend,
    dataset: digits(),
    model: sequential([dense(128, { activation: "relu" }), dense(10)], { inputShape: [784], seed: 1 }),
    optimizer: optimizers.adam(),
    batchSize: 64,
    clipNorm: 1,
  });

const HALF = "784-128-10 with products and stored activations in float16";

const networks: Readonly<Record<string, (backend: Backend) => Promise<Pick<Trainer, "fit" | "dispose">>>> = {
  "784-128-10": (backend) => denseTrainer(backend),
  [HALF]: (backend) => denseTrainer(backend, { precision: "float16", activationStorage: "float16" }),
  "a convolutional network with batch normalization": (backend) =>
    createTrainer({
      ...run,
      backend,
      dataset: digits(),
      model: sequential(
        layersFromText("conv 8 3x3 bias=false, batchnorm, relu, maxpool 2, conv 16 3x3 relu, flatten, dense 10"),
        { inputShape: [28, 28], seed: 1 },
      ),
      optimizer: optimizers.adam(),
      batchSize: 32,
    }),
  "a small GPT": (backend) => {
    const text = "to be or not to be, that is the question. ".repeat(20);
    const tokenizer = characterTokenizer(text);
    return createTrainer({
      ...run,
      backend,
      dataset: makeTextDataset({ text, tokenizer, context: 16 }),
      model: models.gpt({ vocabulary: tokenizer.vocabularySize, context: 16, layers: 2, heads: 2, width: 32 }),
      optimizer: optimizers.adamW({ weightDecay: 0.1 }),
      batchSize: 8,
    });
  },
};

export const networkNames = Object.keys(networks);

async function lossesOf(name: string, backend: Backend): Promise<number[]> {
  const trainer = await networks[name]!(backend);
  const losses: number[] = [];
  for await (const { loss } of trainer.fit({ every: 1 })) losses.push(loss);
  trainer.dispose();
  return losses;
}

/**
 * Trains a network on a backend and on the CPU.
 * @returns the largest difference of the losses, as a fraction of what is allowed
 * @throws Error if it is above 1
 */
export async function networkErrors(name: string, backend: Backend): Promise<{ losses: number }> {
  const losses = await lossesOf(name, backend);
  const wanted = await lossesOf(name, createCpuBackend());
  const tolerance = name === HALF ? HALF_TOLERANCE : TOLERANCE;
  const errors = wanted.map((loss, step) => Math.abs(losses[step]! - loss) / Math.abs(loss) / tolerance);
  const largest = Math.max(...errors);
  if (losses.length === STEPS && largest <= 1) return { losses: largest };
  throw new Error(`${name}: the losses are ${losses.join(", ")}, on the CPU ${wanted.join(", ")}`);
}
