/*
 * XOR, which no line separates: the perceptron never converges and never classifies all four cases correctly, while a network
 * with one hidden layer does (Minsky and Papert 1969; Rumelhart, Hinton and Williams 1986).
 */
import { createTrainer, dense, makeClassificationDataset, optimizers, sequential, type Backend } from "../src/index.ts";
import { train as trainPerceptron, type Epoch } from "./02-perceptron.ts";
import { inputs } from "./01-neuron.ts";
import {
  classPoints,
  colors,
  fieldPlaces,
  filledContours,
  line,
  picture,
  probabilityColors,
  probabilityThresholds,
  type Point,
} from "./lib/picture.ts";
import type { Stage } from "./lib/stage.ts";

const features = Float32Array.from(inputs.flat());
const labels = Uint32Array.from(inputs, ([a, b]) => Number(a !== b));

/** The number of misclassified cases before each epoch. */
export function perceptron(backend: Backend, epochs: number): Promise<Epoch[]> {
  const classes = Array.from(labels, (label) => (label === 1 ? 1 : -1));
  return trainPerceptron(
    backend,
    { features, width: 2, classes },
    { weights: [0.3, -0.2], bias: 0.1, learningRate: 0.1 },
    epochs,
  );
}

export interface XorNetwork {
  /** The number of correct predictions at each step. */
  readonly correct: readonly number[];
  /** The probability of class 1 for each of the four cases. */
  readonly probabilities: readonly number[];
  /** The probability of class 1 at the given points. */
  readonly field: readonly number[];
}

/** A 2-4-1 network with tanh, trained by gradient descent with momentum on all four cases. */
export async function network(backend: Backend, steps: number, places = features): Promise<XorNetwork> {
  const trainer = await createTrainer({
    model: sequential([dense(4, { activation: "tanh" }), dense(1)], { inputShape: [2], seed: 1 }),
    dataset: makeClassificationDataset({ name: "XOR", features, shape: [2], labels, classes: ["0", "1"] }),
    backend,
    loss: "sigmoidBinaryCrossEntropy",
    optimizer: optimizers.momentum(),
    learningRate: 0.2,
    batchSize: "full",
    epochs: steps,
  });
  const correct: number[] = [];
  for await (const { accuracy } of trainer.fit({ every: 1 })) correct.push(Math.round(4 * accuracy));
  const probabilities = async (rows: Float32Array) =>
    [...(await trainer.predict(rows))].map((logit) => 1 / (1 + Math.exp(-logit)));
  const found = { correct, probabilities: await probabilities(features), field: await probabilities(places) };
  trainer.dispose();
  return found;
}

export async function main({ backend, print, draw }: Stage): Promise<void> {
  const square = { x: [-0.5, 1.5], y: [-0.5, 1.5], size: 60 } as const;
  const alone = (await perceptron(backend, 100)).map(({ mistakes }) => 4 - mistakes);
  const { correct, probabilities, field } = await network(backend, 100, fieldPlaces(square));
  print(`perceptron: at most ${Math.max(...alone)} of 4 correct in ${alone.length - 1} epochs`);
  print(`with a hidden layer: ${correct.at(-1)} of 4 correct after ${correct.length} steps`);
  inputs.forEach(([a, b], index) => print(`${a} XOR ${b}: ${probabilities[index]!.toFixed(3)}`));
  const curve = (values: readonly number[]) => values.map((value, step): Point => [step, value]);
  await draw(
    picture("03", [
      {
        title: "Correct predictions out of four",
        x: { name: "epoch", max: 100 },
        y: { min: 0, max: 4.2 },
        series: [
          line("perceptron", curve(alone), { color: colors.orange, width: 1 }),
          line("with a hidden layer", curve(correct), { color: colors.blue }),
        ],
      },
      {
        title: "With a hidden layer: probability of class 1",
        x: { name: "x₁", min: -0.5, max: 1.5 },
        y: { name: "x₂", min: -0.5, max: 1.5 },
        series: [
          filledContours({ ...square, values: field, thresholds: probabilityThresholds, colors: probabilityColors }),
          ...classPoints(features, labels, 14),
        ],
      },
    ]),
  );
}
