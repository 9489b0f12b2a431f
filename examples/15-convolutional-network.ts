/*
 * Handwritten digits with a small convolutional network: two convolutions with 3 × 3 windows, each with batch normalization
 * (Ioffe and Szegedy 2015), relu and max pooling, and a dense layer. Batch normalization subtracts the mean of each
 * channel, so the convolutions before it need no biases.
 */
import {
  activation,
  createTrainer,
  defineGraph,
  dense,
  firstExamples,
  flatten,
  input,
  layers,
  predictedClasses,
  probabilities,
  schedules,
  sequential,
  standardization,
  summary,
  type Backend,
  type ClassificationDataset,
  type Model,
  type Trainer,
} from "../src/index.ts";
import { loadMnist } from "../src/node/index.ts";
import { digitAt, tiles } from "./lib/digits.ts";
import { colors, grays, line, picture, points, signColors, type Point } from "./lib/picture.ts";
import type { Stage } from "./lib/stage.ts";

const { batchNorm, conv2d, maxPool2d } = layers;

/** A convolution, batch normalization, relu, and pooling to half the size. */
const block = (channels: number) => [
  conv2d(channels, 3, { bias: false }),
  batchNorm(),
  activation("relu"),
  maxPool2d(2),
];

export const makeNetwork = (inputShape: readonly number[]): Model =>
  sequential([...block(8), ...block(16), flatten(), dense(10)], { inputShape, seed: 1 });

export interface Trained {
  readonly trainer: Trainer;
  /** The test accuracy after each epoch. */
  readonly accuracies: readonly number[];
}

/** The learning rate rises to 0.02 and falls to 0, which trains such a network within a few epochs (Smith 2018). */
export async function trainNetwork(
  backend: Backend,
  model: Model,
  { train, test, epochs }: { train: ClassificationDataset; test: ClassificationDataset; epochs: number },
): Promise<Trained> {
  const trainer = await createTrainer({
    model,
    backend,
    dataset: train,
    epochs,
    batchSize: 64,
    learningRate: 0.02,
    normalization: standardization(train.features),
    schedule: schedules.oneCycle(),
  });
  const accuracies: number[] = [];
  const epoch = trainer.stepsPerEpoch;
  for await (const _ of trainer.fit({ every: epoch, pauseEvery: epoch })) {
    accuracies.push((await trainer.evaluate(test)).accuracy);
  }
  return { trainer, accuracies };
}

/** The filters of the first convolution, and what they make of an image: the maps after relu and pooling. */
export async function lookInside({ session }: Trainer, model: Model, pixels: Float32Array) {
  const x = input("image", [1, ...model.inputShape]);
  const executable = await session.compile(defineGraph({ maps: model.applyEach(x)[3]! }));
  session.write(x, pixels);
  await executable.run(0, 1);
  // Channels are the last axis of both.
  const ofChannels = (values: ArrayLike<number>) =>
    [0, 1, 2, 3, 4, 5, 6, 7].map((channel) => Array.from(values).filter((_, at) => at % 8 === channel));
  const filters = await session.read(model.parameters[0]!);
  return { filters: ofChannels(filters), maps: ofChannels(await executable.read("maps")) };
}

export interface Mistake {
  readonly index: number;
  readonly predicted: number;
  readonly probability: number;
}

/** The wrong predictions, the most confident ones first. */
export async function mistakesOf(trainer: Trainer, test: ClassificationDataset): Promise<Mistake[]> {
  const logits = await trainer.predict(test.features);
  const shares = probabilities(logits, 10);
  const found = Array.from(predictedClasses(logits, 10), (predicted, index) => {
    return { index, predicted, probability: shares[10 * index + predicted]! };
  });
  return found
    .filter(({ index, predicted }) => predicted !== test.labels[index])
    .sort((a, b) => b.probability - a.probability);
}

export async function main({ backend, print, draw }: Stage): Promise<void> {
  const { train: all, test, source } = await loadMnist();
  const train = firstExamples(all, 20_000);
  const model = makeNetwork(train.shape);
  print(`${source}: ${train.count} training and ${test.count} test images`);
  print(summary(model).text);
  const { trainer, accuracies } = await trainNetwork(backend, model, { train, test, epochs: 3 });
  accuracies.forEach((share, epoch) => print(`epoch ${epoch + 1}: test accuracy ${(100 * share).toFixed(2)} %`));
  const [mistakes, { scale, offset }] = [await mistakesOf(trainer, test), standardization(train.features)];
  const shown = Float32Array.from(digitAt(test, 0), (pixel) => pixel * scale + offset);
  const { filters, maps } = await lookInside(trainer, model, shown);
  trainer.dispose();
  print(`${mistakes.length} of ${test.count} test images are classified wrongly`);
  const [weight, level] = [filters, maps].map((values) => Math.max(...values.flat().map(Math.abs))) as [number, number];
  const scores = accuracies.map((share, epoch): Point => [epoch, 100 * share]);
  const panels = [
    tiles("the 8 filters of the first layer", filters, {
      columns: 3,
      range: [-weight, weight],
      colors: signColors,
      gap: 0,
    }),
    tiles(`their maps of a ${test.labels[0]}`, maps, { columns: 3, range: [0, level], colors: grays }),
    {
      title: "test accuracy",
      x: { name: "epoch", categories: accuracies.map((_, epoch) => String(epoch + 1)) },
      y: { name: "%" },
      series: [line("", scores, { color: colors.gray }), points("", scores)],
    },
    ...mistakes.slice(0, 3).map(({ index, predicted, probability }) =>
      tiles(
        `a ${test.labels[index]} taken for a ${predicted} (${(100 * probability).toFixed(1)} %)`,
        [digitAt(test, index)],
        {
          range: [0, 255],
          colors: grays,
        },
      ),
    ),
  ];
  await draw(picture("15", panels, 3, { width: 300, height: 300, left: 58, right: 18, top: 38, bottom: 38 }));
}
