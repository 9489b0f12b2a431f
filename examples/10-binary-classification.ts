/*
 * Two moons, classified by one sigmoid output: the network outputs a logit z, the loss is the binary cross-entropy of
 * p = σ(z), and the decision boundary is where p = ½.
 */
import { createTrainer, dense, sequential, type Backend } from "../src/index.ts";
import { moons } from "../src/data/points.ts";
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

export const training = moons({ count: 200, noise: 0.09, seed: 1 });
export const test = moons({ count: 400, noise: 0.09, seed: 2 });

export interface MoonsFit {
  readonly losses: readonly number[];
  readonly testLoss: number;
  readonly testAccuracy: number;
  /** The probability of class 1 at each place. */
  readonly probabilities: readonly number[];
}

/** 2-16-16-1 with tanh, by Adam in batches of 20. */
export async function fitMoons(backend: Backend, epochs: number, places: Float32Array): Promise<MoonsFit> {
  const layers = [dense(16, { activation: "tanh" }), dense(16, { activation: "tanh" }), dense(1)];
  const trainer = await createTrainer({
    model: sequential(layers, { inputShape: [2], seed: 1 }),
    dataset: training,
    backend,
    loss: "sigmoidBinaryCrossEntropy",
    learningRate: 0.01,
    batchSize: 20,
    epochs,
  });
  const losses: number[] = [];
  for await (const { loss } of trainer.fit({ every: trainer.stepsPerEpoch })) losses.push(loss);
  const { loss: testLoss, accuracy: testAccuracy } = await trainer.evaluate(test);
  const probabilities = [...(await trainer.predict(places))].map((logit) => 1 / (1 + Math.exp(-logit)));
  trainer.dispose();
  return { losses, testLoss, testAccuracy, probabilities };
}

export async function main({ backend, print, draw }: Stage): Promise<void> {
  const square = { x: [-1.4, 1.4], y: [-1.2, 1.2], size: 60 } as const;
  const { losses, testLoss, testAccuracy, probabilities } = await fitMoons(backend, 60, fieldPlaces(square));
  print(`training loss ${losses.at(-1)!.toFixed(4)} after ${losses.length} epochs`);
  print(`test loss ${testLoss.toFixed(4)}, test accuracy ${(100 * testAccuracy).toFixed(1)} %`);
  await draw(
    picture("10", [
      {
        title: "Probability of class 1, with the training set",
        x: { name: "x₁", min: square.x[0], max: square.x[1] },
        y: { name: "x₂", min: square.y[0], max: square.y[1] },
        series: [
          filledContours({
            ...square,
            values: probabilities,
            thresholds: probabilityThresholds,
            colors: probabilityColors,
          }),
          ...classPoints(training.features, training.labels, 6),
        ],
      },
      {
        title: "Training loss",
        x: { name: "epoch", max: losses.length },
        y: { name: "binary cross-entropy", log: true },
        series: [
          line(
            "training loss",
            losses.map((loss, epoch): Point => [epoch + 1, loss]),
            { color: colors.blue },
          ),
        ],
      },
    ]),
  );
}
