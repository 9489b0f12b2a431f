/*
 * Training on a stream: digits are drawn while the device trains, so that no two steps have the same ones and nothing is
 * kept. Each batch depends on its step only, so the stream can be read from any step on. Augmentations, which run on the
 * device, turn and shift the digits, by random numbers that depend on the step too. So a run that is stopped and resumed
 * from a snapshot has the numbers of one that was not, to the last bit.
 */
import {
  augmentations,
  augmentedExamples,
  builtInDigits,
  createTrainer,
  dense,
  flatten,
  makeStream,
  randomKey,
  schedules,
  sequential,
  unitScale,
  type Backend,
  type ClassificationDataset,
  type DataStream,
  type Snapshot,
  type Trainer,
} from "../src/index.ts";
import { tiles } from "./lib/digits.ts";
import { colors, line, picture, points, type Point } from "./lib/picture.ts";
import type { Stage } from "./lib/stage.ts";

const BATCH = 50;
const STEPS_PER_EPOCH = 10;

/** New digits for a step. */
const digitsOf = (step: number, count: number) =>
  builtInDigits({ train: count, test: 1, seed: randomKey(23, step) }).train;

/** An endless stream of digits. A source that is slow would be an `async *batches`, which is read ahead. */
export const makeDigitStream = (): DataStream =>
  makeStream({
    name: "digits",
    tensors: { features: { shape: [28, 28], dtype: "uint8" }, labels: { shape: [], dtype: "uint32" } },
    classes: [..."0123456789"],
    stepsPerEpoch: STEPS_PER_EPOCH,
    *batches(fromStep, batchSize) {
      for (let step = fromStep; ; step++) {
        const { features, labels } = digitsOf(step, batchSize);
        yield { features, labels };
      }
    },
  });

/** As many digits as an epoch of the stream has, the same ones in each epoch. */
export const fixedDigits = (): ClassificationDataset => digitsOf(0, STEPS_PER_EPOCH * BATCH);

const changes = [
  augmentations.affine({ rotate: 15, shift: { pixels: 2 }, scale: [0.9, 1.1] }),
  augmentations.cutout({ size: 6 }),
];

export interface Source {
  readonly dataset: DataStream | ClassificationDataset;
  readonly augment: boolean;
  readonly epochs: number;
  readonly resumeFrom?: Snapshot;
}

export const makeTrainer = (backend: Backend, { augment, ...source }: Source): Promise<Trainer> =>
  createTrainer({
    model: sequential([flatten(), dense(64, { activation: "relu" }), dense(10)], { inputShape: [28, 28], seed: 1 }),
    ...source,
    backend,
    batchSize: BATCH,
    learningRate: 0.003,
    normalization: unitScale,
    schedule: schedules.cosine(),
    augment: augment ? changes : [],
  });

/** The training loss of each epoch, and the test accuracy after it. */
export interface Curves {
  readonly losses: readonly number[];
  readonly accuracies: readonly number[];
}

export async function train(backend: Backend, source: Source, test: ClassificationDataset): Promise<Curves> {
  const trainer = await makeTrainer(backend, source);
  const [losses, accuracies]: [number[], number[]] = [[], []];
  for await (const { loss } of trainer.fit({ every: STEPS_PER_EPOCH, pauseEvery: STEPS_PER_EPOCH })) {
    losses.push(loss);
    accuracies.push((await trainer.evaluate(test)).accuracy);
  }
  trainer.dispose();
  return { losses, accuracies };
}

/** The losses of all steps, and the final weights, of a run that is stopped after some steps and resumed by a new trainer. */
export async function trainInParts(backend: Backend, source: Source, stopAfter: readonly number[]) {
  const losses: number[] = [];
  let snapshot: Snapshot | undefined;
  for (const end of [...stopAfter, source.epochs * STEPS_PER_EPOCH]) {
    const trainer = await makeTrainer(backend, { ...source, ...(snapshot && { resumeFrom: snapshot }) });
    for await (const { loss } of trainer.fit({ every: 1, maxSteps: end - trainer.step })) losses.push(loss);
    snapshot = await trainer.snapshot();
    trainer.dispose();
  }
  return { losses, parameters: snapshot!.parameters };
}

/** Digits as the augmentations change them at some steps. */
export async function augmentedDigits(backend: Backend, dataset: ClassificationDataset, steps: readonly number[]) {
  const rows: number[][] = [];
  for (const step of steps) {
    const options = { backend, dataset, augment: changes, normalization: unitScale, step };
    rows.push([...(await augmentedExamples(options))["features"]!]);
  }
  return rows;
}

/** The four sources of the picture. */
export const sources = (epochs: number): Record<string, Source> => ({
  "500 digits": { dataset: fixedDigits(), augment: false, epochs },
  "500 digits, augmented": { dataset: fixedDigits(), augment: true, epochs },
  "new digits": { dataset: makeDigitStream(), augment: false, epochs },
  "new digits, augmented": { dataset: makeDigitStream(), augment: true, epochs },
});

export async function main({ backend, print, draw }: Stage): Promise<void> {
  const { test } = builtInDigits({ train: 1, test: 1000 });
  const found: (readonly [name: string, curves: Curves])[] = [];
  for (const [name, source] of Object.entries(sources(80))) {
    const curves = await train(backend, source, test);
    const [loss, accuracy] = [curves.losses.at(-1)!.toFixed(3), (100 * curves.accuracies.at(-1)!).toFixed(1)];
    print(`${name}: training loss ${loss}, test accuracy ${accuracy} %`);
    found.push([name, curves]);
  }
  const [source, stops] = [sources(6)["new digits, augmented"]!, [20, 45]];
  const [whole, resumed] = [await trainInParts(backend, source, []), await trainInParts(backend, source, stops)];
  const difference = Math.max(...whole.losses.map((loss, step) => Math.abs(loss - resumed.losses[step]!)));
  print(`stopped after ${stops.join(" and ")} of ${whole.losses.length} steps: the losses differ by ${difference}`);

  const digits = digitsOf(0, 3);
  const rows = [
    Array.from(digits.features, (level) => level / 255),
    ...(await augmentedDigits(backend, digits, [1, 2, 3])),
  ];
  const images = rows.flatMap((row) => [0, 1, 2].map((index) => row.slice(784 * index, 784 * (index + 1))));
  const palette = [colors.orange, colors.gold, colors.sky, colors.blue];
  const curves = (valuesOf: (one: Curves) => readonly number[]) =>
    found.map(([name, one], index) =>
      line(
        name,
        valuesOf(one).map((value, epoch): Point => [STEPS_PER_EPOCH * (epoch + 1), value]),
        { color: palette[index]! },
      ),
    );
  const inSteps = (losses: readonly number[]) => losses.map((loss, step): Point => [step + 1, loss]);
  const parts = [0, ...stops].map((from, part) =>
    points(`part ${part + 1}`, inSteps(resumed.losses).slice(from, stops[part]), { color: palette[part]!, size: 5 }),
  );
  const panels = [
    tiles("digits, and three augmentations of each", images, { columns: 3 }),
    {
      title: "a run at once, and one in three parts",
      x: { name: "step" },
      y: { name: "loss" },
      series: [line("at once", inSteps(whole.losses), { color: colors.gray }), ...parts],
    },
    { title: "training loss", x: { name: "step" }, y: { min: 0 }, series: curves(({ losses }) => losses) },
    {
      title: "test accuracy, %",
      x: { name: "step" },
      y: { min: 50, max: 100 },
      series: curves(({ accuracies }) => accuracies.map((share) => 100 * share)),
    },
  ];
  await draw(picture("23", panels, 2, { width: 420, height: 400, left: 58, right: 18, top: 70, bottom: 46 }));
}
