/*
 * Handwritten digits with plain loops: a 784-200-10 network with two sigmoid layers and no biases, half the squared error and
 * plain SGD. The digits come from a CSV file (after Rashid, Make Your Own Neural Network, 2016).
 *
 *   a¹ = σ(W¹ x)    a² = σ(W² a¹)    E = ½ Σ (a² − y)²
 *   δ² = (a² − y) ∘ a² (1 − a²)    δ¹ = (W²ᵀ δ²) ∘ a¹ (1 − a¹)    W² ← W² − ε δ² a¹ᵀ    W¹ ← W¹ − ε δ¹ xᵀ
 *
 * The same network in the library makes the same steps.
 */
import { createReadStream } from "node:fs";
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import {
  createTrainer,
  dense,
  epochOrder,
  initializers,
  makeClassificationDataset,
  optimizers,
  sequential,
  unitScale,
  type Backend,
  type ClassificationDataset,
  type Model,
} from "../src/index.ts";
import { loadMnist } from "../src/node/index.ts";
import { colors, line, picture, type Point } from "./lib/picture.ts";
import type { Stage } from "./lib/stage.ts";

const HIDDEN = 200;
const CLASSES = 10;

/** Writes the first `count` examples, one per line: the label, then the pixels 0 … 255. */
export async function writeCsv(
  path: string,
  { features, labels, shape }: ClassificationDataset,
  count: number,
): Promise<void> {
  const width = shape.reduce((product, size) => product * size, 1);
  const file = await open(path, "w");
  try {
    for (let row = 0; row < count; row++)
      await file.write(`${labels[row]},${features.subarray(row * width, (row + 1) * width).join()}\n`);
  } finally {
    await file.close();
  }
}

/** Reads what `writeCsv` wrote. */
export async function readCsv(path: string): Promise<ClassificationDataset> {
  const [labels, pixels]: [number[], number[][]] = [[], []];
  for await (const text of createInterface({ input: createReadStream(path) })) {
    const [label, ...rest] = text.split(",").map(Number);
    labels.push(label!);
    pixels.push(rest);
  }
  const classes = Array.from({ length: CLASSES }, (_, digit) => String(digit));
  return makeClassificationDataset({
    name: path,
    features: Uint8Array.from(pixels.flat()),
    shape: [pixels[0]!.length],
    labels: Uint32Array.from(labels),
    classes,
  });
}

/** The network as a model of the library. Both trainings start from its weights. */
export function makeModel(inputs: number): Model {
  const layer = (units: number, fanIn: number) =>
    dense(units, { activation: "sigmoid", bias: false, weights: initializers.normal(fanIn ** -0.5) });
  return sequential([layer(HIDDEN, inputs), layer(CLASSES, HIDDEN)], { inputShape: [inputs], seed: 1 });
}

const sigmoid = (z: number) => 1 / (1 + Math.exp(-z));

/** The network as plain loops. W is stored as [inputs, units]. */
export class HandwrittenNetwork {
  readonly weights1: Float64Array;
  readonly weights2: Float64Array;
  readonly #hidden = new Float64Array(HIDDEN);
  readonly #outputs = new Float64Array(CLASSES);
  readonly #delta2 = new Float64Array(CLASSES);
  readonly #delta1 = new Float64Array(HIDDEN);

  constructor({ parameters }: Model) {
    const initial = (index: number) =>
      Float64Array.from((parameters[index]!.attributes as { initial: Float32Array }).initial);
    this.weights1 = initial(0);
    this.weights2 = initial(1);
  }

  /** a² for one example's pixels. */
  forward(pixels: ArrayLike<number>): Float64Array {
    const { weights1, weights2 } = this;
    const [a1, a2] = [this.#hidden.fill(0), this.#outputs.fill(0)];
    for (let i = 0; i < pixels.length; i++) {
      const x = pixels[i]! / 255;
      for (let j = 0; j < HIDDEN; j++) a1[j]! += weights1[i * HIDDEN + j]! * x;
    }
    for (let j = 0; j < HIDDEN; j++) a1[j] = sigmoid(a1[j]!);
    for (let j = 0; j < HIDDEN; j++) for (let k = 0; k < CLASSES; k++) a2[k]! += weights2[j * CLASSES + k]! * a1[j]!;
    for (let k = 0; k < CLASSES; k++) a2[k] = sigmoid(a2[k]!);
    return a2;
  }

  /**
   * Adds `factor` times the gradient of one example's error to two arrays of the sizes of the weights. For a step of SGD,
   * `factor` is −ε and the arrays are the weights themselves.
   * @returns the error before the step
   */
  addGradient(
    pixels: ArrayLike<number>,
    label: number,
    factor: number,
    into1: Float64Array,
    into2: Float64Array,
  ): number {
    const { weights2 } = this;
    const [a2, a1, delta2, delta1] = [this.forward(pixels), this.#hidden, this.#delta2, this.#delta1];
    let error = 0;
    for (let k = 0; k < CLASSES; k++) {
      const difference = a2[k]! - Number(k === label);
      error += difference ** 2 / 2;
      delta2[k] = difference * a2[k]! * (1 - a2[k]!);
    }
    for (let j = 0; j < HIDDEN; j++) {
      let back = 0;
      for (let k = 0; k < CLASSES; k++) back += weights2[j * CLASSES + k]! * delta2[k]!;
      delta1[j] = back * a1[j]! * (1 - a1[j]!);
    }
    for (let j = 0; j < HIDDEN; j++)
      for (let k = 0; k < CLASSES; k++) into2[j * CLASSES + k]! += factor * a1[j]! * delta2[k]!;
    for (let i = 0; i < pixels.length; i++) {
      const x = (factor * pixels[i]!) / 255;
      for (let j = 0; j < HIDDEN; j++) into1[i * HIDDEN + j]! += x * delta1[j]!;
    }
    return error;
  }

  /** One step of SGD on one example. */
  trainSample(pixels: ArrayLike<number>, label: number, learningRate: number): number {
    return this.addGradient(pixels, label, -learningRate, this.weights1, this.weights2);
  }

  /** One step along the mean gradient of all examples. */
  trainBatch({ features, labels, count, shape: [width = 0] }: ClassificationDataset, learningRate: number): number {
    const [gradient1, gradient2] = [new Float64Array(this.weights1.length), new Float64Array(this.weights2.length)];
    let error = 0;
    for (let row = 0; row < count; row++) {
      const pixels = features.subarray(row * width, (row + 1) * width);
      error += this.addGradient(pixels, labels[row]!, 1 / count, gradient1, gradient2) / count;
    }
    for (let at = 0; at < gradient1.length; at++) this.weights1[at]! -= learningRate * gradient1[at]!;
    for (let at = 0; at < gradient2.length; at++) this.weights2[at]! -= learningRate * gradient2[at]!;
    return error;
  }

  /** The share of examples whose largest output is that of their label. */
  accuracy({ features, labels, count }: Pick<ClassificationDataset, "features" | "labels" | "count">): number {
    const width = features.length / count;
    let right = 0;
    for (let row = 0; row < count; row++) {
      const a2 = this.forward(features.subarray(row * width, (row + 1) * width));
      if (a2.indexOf(Math.max(...a2)) === labels[row]) right++;
    }
    return right / count;
  }
}

export interface Recipe {
  /** One example per step, or all of them. */
  readonly batchSize: 1 | "full";
  readonly learningRate: number;
  readonly steps: number;
}

export const sampleBySample: Recipe = { batchSize: 1, learningRate: 0.2, steps: 3000 };
export const fullBatch: Recipe = { batchSize: "full", learningRate: 1, steps: 20 };

/** The error of each step, and the accuracy on a test set at the end. */
export interface Training {
  readonly losses: readonly number[];
  readonly testAccuracy: number;
}

export function trainByHand(
  train: ClassificationDataset,
  test: ClassificationDataset,
  { batchSize, learningRate, steps }: Recipe,
): Training {
  const network = new HandwrittenNetwork(makeModel(train.shape[0]!));
  const width = train.shape[0]!;
  const losses = Array.from({ length: steps }, (_, step) => {
    if (batchSize === "full") return network.trainBatch(train, learningRate);
    const row = epochOrder(train.count, 1, Math.floor(step / train.count))[step % train.count]!;
    return network.trainSample(
      train.features.subarray(row * width, (row + 1) * width),
      train.labels[row]!,
      learningRate,
    );
  });
  return { losses, testAccuracy: network.accuracy(test) };
}

export async function trainByLibrary(
  backend: Backend,
  train: ClassificationDataset,
  test: ClassificationDataset,
  recipe: Recipe,
): Promise<Training> {
  const { batchSize, learningRate, steps } = recipe;
  const trainer = await createTrainer({
    model: makeModel(train.shape[0]!),
    dataset: train,
    backend,
    loss: "halfSumOfSquares",
    optimizer: optimizers.sgd(),
    normalization: unitScale,
    learningRate,
    batchSize,
    epochs: steps,
    maxSteps: steps,
  });
  const losses: number[] = [];
  for await (const { loss } of trainer.fit({ every: 1 })) losses.push(loss);
  const { accuracy: testAccuracy } = await trainer.evaluate(test);
  trainer.dispose();
  return { losses, testAccuracy };
}

/** The first examples of a data set, written to a CSV file in a folder and read back. */
export async function throughCsv(
  folder: string,
  dataset: ClassificationDataset,
  count: number,
): Promise<ClassificationDataset> {
  const path = join(folder, "digits.csv");
  await writeCsv(path, dataset, count);
  return readCsv(path);
}

export async function main({ backend, print, draw }: Stage): Promise<void> {
  const { train: all, test: allTest, source } = await loadMnist();
  const folder = await mkdtemp(join(tmpdir(), "wgrad-example-"));
  try {
    const train = await throughCsv(folder, all, 1000);
    const test = await throughCsv(folder, allTest, 1000);
    print(`${train.count} training and ${test.count} test examples of ${source}, read from CSV files`);
    const panels = [];
    for (const [name, recipe] of [
      ["one example per step", sampleBySample],
      ["all 1,000 examples per step", fullBatch],
    ] as const) {
      const byHand = trainByHand(train, test, recipe);
      const byLibrary = await trainByLibrary(backend, train, test, recipe);
      const difference = Math.max(...byHand.losses.map((loss, step) => Math.abs(loss - byLibrary.losses[step]!)));
      const accuracies = [byHand, byLibrary].map(({ testAccuracy }) => `${(100 * testAccuracy).toFixed(1)} %`);
      print(`${name}, ${recipe.steps} steps: test accuracy ${accuracies[0]} by hand, ${accuracies[1]} by the library`);
      print(`  the losses differ by at most ${difference.toExponential(1)}`);
      const part = recipe.batchSize === 1 ? 100 : 1;
      panels.push({
        title: `${name}: test accuracy ${accuracies[0]}`,
        x: { name: "step", max: recipe.steps },
        y: { name: "half the squared error", min: 0 },
        series: [
          line("by hand", meansOf(byHand.losses, part), { color: colors.sky, width: 6, opacity: 0.6 }),
          line("by the library", meansOf(byLibrary.losses, part), { color: colors.black, width: 1.5 }),
        ],
      });
    }
    await draw(picture("11", panels));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The mean loss of every `length` consecutive steps. */
function meansOf(losses: readonly number[], length: number): Point[] {
  return Array.from({ length: Math.floor(losses.length / length) }, (_, index) => {
    const part = losses.slice(index * length, (index + 1) * length);
    return [(index + 1) * length, part.reduce((sum, loss) => sum + loss, 0) / length];
  });
}
