/*
 * A variational autoencoder (Kingma and Welling 2014): a decoder makes digits of normal random numbers z, and an encoder
 * finds for each digit the distribution of the z that make it, a normal one with mean μ and variance σ² in each of its
 * dimensions. Training draws z = μ + σ ε, with new ε ~ N(0, 1) in each step, and minimizes
 *
 *   −ln p(digit | z) + β · KL,   with KL = ½ Σ (μ² + σ² − 1 − ln σ²), the divergence of N(μ, σ²) from N(0, 1).
 *
 * With β = 1 it bounds −ln p(digit) from above. β rises from 0 in the first half of the training, or the encoder would first
 * learn to ignore the digits, for which KL is 0 (Bowman et al. 2016).
 */
import {
  add,
  createEvaluator,
  createTrainer,
  dense,
  exp,
  flatten,
  functionalModel,
  layers,
  multiply,
  Random,
  randomNormal,
  schedules,
  sigmoid,
  sigmoidBinaryCrossEntropy,
  square,
  startFrom,
  subtract,
  sum,
  type Backend,
  type ClassificationDataset,
  type NamedTensors,
  type Tensor,
} from "../src/index.ts";
import { loadMnist } from "../src/node/index.ts";
import { digitAt, SIDE, smallDigits, tiles } from "./lib/digits.ts";
import { colors, line, picture, type Point } from "./lib/picture.ts";
import type { Stage } from "./lib/stage.ts";

/** The number of dimensions of z. */
export const LATENT = 8;

const relu = { activation: "relu" } as const;
const encoder = [flatten(), dense(64, relu)];
const decoder = layers.sequential([dense(64, relu), dense(SIDE * SIDE), layers.reshape([SIDE, SIDE])]);

/** Both halves. Outside training, z is the mean. */
export const makeModel = () =>
  functionalModel({ inputs: { image: [SIDE, SIDE] }, seed: 1 }, ({ image }, { use, training, randomKey }) => {
    const hidden = encoder.reduce((x, layer) => use(layer, x), image);
    const mean = use(dense(LATENT), hidden, "mean");
    const logVariance = use(dense(LATENT), hidden, "logVariance");
    const noise = () => multiply(exp(multiply(logVariance, 0.5)), randomNormal(mean.shape, randomKey()));
    const z = training ? add(mean, noise()) : mean;
    return { mean, logVariance, logits: use(decoder, z, "decoder") };
  });

/** The decoder by itself. Its layers have the same names. */
const makeDecoder = () =>
  functionalModel({ inputs: { z: [LATENT] } }, ({ z }, { use }) => ({ image: sigmoid(use(decoder, z, "decoder")) }));

type Decoder = ReturnType<typeof makeDecoder>;

type Outputs = NamedTensors<"mean" | "logVariance" | "logits">;

/** −ln p(digit | z), one per digit: each pixel is the probability that it is white. */
const reconstruction = ({ logits }: Outputs, { features }: NamedTensors): Tensor =>
  sigmoidBinaryCrossEntropy(logits, features!, "none");

/** KL, one per digit. */
const divergence = ({ mean, logVariance }: Outputs): Tensor =>
  multiply(0.5, sum(subtract(add(square(mean), exp(logVariance)), add(logVariance, 1)), { axes: 1 }));

/** Means over the steps of an epoch. */
export interface Epoch {
  readonly loss: number;
  readonly reconstruction: number;
  readonly divergence: number;
}

export interface Trained {
  readonly epochs: readonly Epoch[];
  /** The distributions of z for the test digits, [digits, LATENT] each. */
  readonly mean: Float32Array;
  readonly logVariance: Float32Array;
  readonly test: Epoch;
  readonly decoder: Decoder;
}

export async function trainVae(
  backend: Backend,
  { train, test, epochs }: { train: ClassificationDataset; test: ClassificationDataset; epochs: number },
): Promise<Trained> {
  const trainer = await createTrainer({
    model: makeModel(),
    backend,
    dataset: train,
    epochs,
    batchSize: 50,
    learningRate: 0.003,
    schedule: schedules.cosine(),
    stepInputs: { beta: (step, totalSteps) => Math.min(1, step / (totalSteps / 2)) },
    loss: (outputs, batch) => add(reconstruction(outputs, batch), multiply(batch.beta, divergence(outputs))),
    metrics: { reconstruction, divergence },
  });
  const found: Epoch[] = [];
  for await (const { loss, metrics } of trainer.fit({ every: trainer.stepsPerEpoch })) {
    found.push({ loss, reconstruction: metrics!.reconstruction, divergence: metrics!.divergence });
  }
  const { loss, metrics } = await trainer.evaluate(test);
  const { mean, logVariance } = await trainer.predict(test.features);
  const { model } = startFrom(makeDecoder(), (await trainer.snapshot()).parameters);
  trainer.dispose();
  return {
    epochs: found,
    mean,
    logVariance,
    test: { loss, reconstruction: metrics!.reconstruction, divergence: metrics!.divergence },
    decoder: model,
  };
}

/** The digits that a decoder makes of z. */
export async function decode(backend: Backend, model: Decoder, z: Float32Array): Promise<Float32Array> {
  const session = backend.createSession();
  const { image } = await createEvaluator({ model, backend, session }).predict({ z });
  session.dispose();
  return image;
}

/** Random z for a number of digits. */
export function drawLatents(count: number, seed: number): Float32Array {
  const random = new Random(seed);
  return Float32Array.from({ length: count * LATENT }, () => random.normal());
}

export async function main({ backend, print, draw }: Stage): Promise<void> {
  const digits = await loadMnist();
  const [train, test] = [smallDigits(digits.train, 20_000), smallDigits(digits.test, 400)];
  const found = await trainVae(backend, { train, test, epochs: 10 });
  for (const [name, { loss, ...parts }] of [
    ["last epoch", found.epochs.at(-1)!],
    ["test digits", found.test],
  ] as const) {
    const { reconstruction: distance, divergence: kl } = parts;
    print(`${name}: loss ${loss.toFixed(1)}, of which reconstruction ${distance.toFixed(1)} and KL ${kl.toFixed(1)}`);
  }
  const rebuilt = await decode(backend, found.decoder, found.mean);
  const drawn = await decode(backend, found.decoder, drawLatents(36, 1));
  const pairs = [0, 5].flatMap((first) =>
    [test, { ...test, features: rebuilt }].flatMap((images) =>
      [0, 1, 2, 3, 4].map((digit) => digitAt(images, test.labels.indexOf(first + digit))),
    ),
  );
  const samples = Array.from({ length: 36 }, (_, index) => digitAt({ ...test, features: drawn }, index));
  const curve = (name: "reconstruction" | "divergence", color: string) =>
    line(
      name,
      found.epochs.map((epoch, index): Point => [index + 1, epoch[name]]),
      { color },
    );
  const panels = [
    tiles("digits from random numbers", samples, { columns: 6 }),
    tiles("test digits, and digits from their means", pairs, { columns: 5 }),
    {
      title: "both parts of the loss",
      x: { name: "epoch", min: 1 },
      y: { min: 0 },
      series: [curve("reconstruction", colors.blue), curve("divergence", colors.orange)],
    },
  ];
  await draw(picture("17", panels, 3, { width: 320, height: 320, left: 48, right: 18, top: 58, bottom: 46 }));
}
