/*
 * Transfer learning: a convolutional network learns the digits 0 … 4 from many examples. Its convolutions are then used for
 * the digits 5 … 9, of which there are few examples. Three trainings are compared: of a new last layer alone, with the copied
 * convolutions frozen; of the whole network from the copied values; and of the same network from random values.
 */
import {
  builtInDigits,
  createTrainer,
  dense,
  flatten,
  layers,
  makeClassificationDataset,
  sequential,
  startFrom,
  takeExamples,
  unitScale,
  type Backend,
  type ClassificationDataset,
  type Model,
  type NamedValues,
} from "../src/index.ts";
import { colors, line, picture, type Point } from "./lib/picture.ts";
import type { Stage } from "./lib/stage.ts";

const CLASSES = 5;
const digits = builtInDigits({ train: 2000, test: 1000 });

/** Examples of the digits `first` … `first + 4`, the same number of each, with labels 0 … 4. Example i shows digit i mod 10. */
export function digitsFrom(first: number, perDigit: number, { train = true } = {}): ClassificationDataset {
  const rows = Uint32Array.from(
    { length: CLASSES * perDigit },
    (_, at) => 10 * Math.floor(at / CLASSES) + first + (at % CLASSES),
  );
  const name = `digits ${first} … ${first + CLASSES - 1}`;
  const { features, labels, shape } = takeExamples(train ? digits.train : digits.test, rows, name);
  return makeClassificationDataset({
    name,
    features,
    shape,
    labels: labels.map((label) => label - first),
    classes: Array.from({ length: CLASSES }, (_, index) => String(first + index)),
  });
}

/** The name of the last layer, which is new for each task. */
const HEAD = "layers.4";

export const makeModel = (seed: number): Model =>
  sequential(
    [
      layers.averagePool2d(2),
      layers.conv2d(16, 5, { stride: 2, activation: "relu" }),
      layers.conv2d(24, 3, { activation: "relu" }),
      flatten(),
      dense(CLASSES),
    ],
    { inputShape: [28, 28], seed },
  );

/** The parameters at the end of a training, and the test accuracy there and every four epochs before. */
export interface Fit {
  readonly values: NamedValues;
  readonly marks: readonly { readonly epoch: number; readonly accuracy: number }[];
}

export const accuracyOf = ({ marks }: Fit): number => marks.at(-1)!.accuracy;

interface Task {
  readonly model: Model;
  readonly dataset: ClassificationDataset;
  readonly test: ClassificationDataset;
  readonly epochs: number;
  readonly learningRate: number;
  readonly frozen?: readonly string[];
}

async function fit(backend: Backend, { test, ...task }: Task): Promise<Fit> {
  const trainer = await createTrainer({ ...task, backend, normalization: unitScale, batchSize: 10 });
  const marks: { epoch: number; accuracy: number }[] = [];
  for await (const { epoch } of trainer.fit({ every: 4 * trainer.stepsPerEpoch })) {
    marks.push({ epoch, accuracy: (await trainer.evaluate(test)).accuracy });
  }
  const { parameters: values } = await trainer.snapshot();
  trainer.dispose();
  return { values, marks };
}

/** Learns the digits 0 … 4. */
export function pretrain(backend: Backend, seed: number, perDigit: number): Promise<Fit> {
  const [dataset, test] = [digitsFrom(0, perDigit), digitsFrom(0, 100, { train: false })];
  return fit(backend, { model: makeModel(seed), dataset, test, epochs: 5, learningRate: 0.003 });
}

export const methods = ["frozen", "fine-tuned", "from scratch"] as const;
export type Method = (typeof methods)[number];

/** Learns the digits 5 … 9 from few examples. All methods begin with the same last layer. */
export function transfer(
  backend: Backend,
  pretrained: NamedValues,
  { method, seed, perDigit, epochs = 20 }: { method: Method; seed: number; perDigit: number; epochs?: number },
): Promise<Fit> {
  const [dataset, test] = [digitsFrom(5, perDigit), digitsFrom(5, 100, { train: false })];
  const task = { dataset, test, epochs, learningRate: 0.01 };
  const model = makeModel(seed);
  if (method === "from scratch") return fit(backend, { ...task, model });
  const withoutHead = Object.entries(pretrained).filter(([name]) => !name.startsWith(`${HEAD}.`));
  const start = startFrom(model, Object.fromEntries(withoutHead));
  return fit(backend, { ...task, model: start.model, ...(method === "frozen" && { frozen: start.copied }) });
}

export async function main({ backend, print, draw }: Stage): Promise<void> {
  const pretrained = await pretrain(backend, 2, 200);
  print(`digits 0 … 4, 200 examples each: test accuracy ${(100 * accuracyOf(pretrained)).toFixed(1)} %`);
  const sizes = [5, 10, 20, 40];
  const fits: Record<Method, Fit[]> = { frozen: [], "fine-tuned": [], "from scratch": [] };
  for (const perDigit of sizes) {
    for (const method of methods)
      fits[method].push(await transfer(backend, pretrained.values, { method, seed: 3, perDigit }));
    const found = methods.map((method) => `${method} ${(100 * accuracyOf(fits[method].at(-1)!)).toFixed(1)} %`);
    print(`digits 5 … 9, ${String(perDigit).padStart(2)} examples each: ${found.join(", ")}`);
  }
  const palette = { frozen: colors.blue, "fine-tuned": colors.green, "from scratch": colors.orange };
  const curves = (pointsOf: (method: Method) => Point[]) =>
    methods.map((method) => line(method, pointsOf(method), { color: palette[method] }));
  await draw(
    picture("21", [
      {
        title: "Digits 5 … 9, ten examples each",
        x: { name: "epoch", min: 0 },
        y: { name: "test accuracy, %", max: 100 },
        series: curves((method) => fits[method][1]!.marks.map(({ epoch, accuracy }) => [epoch, 100 * accuracy])),
      },
      {
        title: "After 20 epochs",
        x: { name: "examples of each digit", min: 0 },
        y: { name: "test accuracy, %", max: 100 },
        series: curves((method) => fits[method].map((one, index) => [sizes[index]!, 100 * accuracyOf(one)])),
      },
    ]),
  );
}
