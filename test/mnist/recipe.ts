import type { Backend } from "../../src/backends/backend.ts";
import { standardization, type ClassificationDataset } from "../../src/data/dataset.ts";
import { dense, optimizers, schedules, sequential } from "../../src/nn/index.ts";
import { loadMnist, type MnistSource } from "../../src/node/mnist-source.ts";
import { createTrainer, type Trainer, type TrainerOptions } from "../../src/train/index.ts";

/**
 * Loads MNIST from MNIST_DIR (where a missing file is an error) or another source, or the built-in digits, with a message.
 */
export function loadDigits(): Promise<MnistSource> {
  return loadMnist({ log: (line) => console.log(line) });
}

/** A trainer with the README's recipe, 784-128-10, and the changes of a test. */
export function recipe(
  backend: Backend,
  dataset: ClassificationDataset,
  seed: number,
  changes: Partial<TrainerOptions> = {},
): Promise<Trainer> {
  return createTrainer({
    model: sequential([dense(128, { activation: "relu" }), dense(10)], { inputShape: [784], seed }),
    dataset,
    backend,
    optimizer: optimizers.adam(),
    learningRate: 2e-3,
    schedule: schedules.cosine(),
    batchSize: 64,
    epochs: 3,
    seed,
    normalization: standardization(dataset.features),
    ...changes,
  });
}
