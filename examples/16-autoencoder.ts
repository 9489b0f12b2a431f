/*
 * An autoencoder: a network whose targets are its inputs. Between its two halves it has only two numbers, the code, so it
 * must find two numbers that describe a digit (Hinton and Salakhutdinov 2006). A linear autoencoder finds the plane of the
 * two largest principal components (Baldi and Hornik 1989); with hidden layers, the network bends the plane.
 */
import {
  createTrainer,
  dense,
  flatten,
  functionalModel,
  layers,
  meanSquaredError,
  schedules,
  type Backend,
  type ClassificationDataset,
  type Layer,
} from "../src/index.ts";
import { loadMnist } from "../src/node/index.ts";
import { digitAt, digitPoints, SIDE, smallDigits, tiles } from "./lib/digits.ts";
import { colors, line, picture, type Point } from "./lib/picture.ts";
import type { Stage } from "./lib/stage.ts";

const PIXELS = SIDE * SIDE;

/** The layers before and after the code. */
export const architectures = {
  linear: { encoder: [dense(2)], decoder: [dense(PIXELS)] },
  network: {
    encoder: [dense(64, { activation: "relu" }), dense(32, { activation: "relu" }), dense(2)],
    decoder: [
      dense(32, { activation: "relu" }),
      dense(64, { activation: "relu" }),
      dense(PIXELS, { activation: "sigmoid" }),
    ],
  },
} as const;

export type Architecture = keyof typeof architectures;

export function makeAutoencoder(architecture: Architecture) {
  const { encoder, decoder } = architectures[architecture];
  return functionalModel({ inputs: { image: [SIDE, SIDE] }, seed: 1 }, ({ image }, { use }) => {
    const apply = (x: typeof image, chain: readonly Layer[]) => chain.reduce((value, layer) => use(layer, value), x);
    const code = apply(image, [flatten(), ...encoder]);
    return { code, image: apply(code, [...decoder, layers.reshape([SIDE, SIDE])]) };
  });
}

export interface Trained {
  /** The mean loss of each epoch. */
  readonly losses: readonly number[];
  /** The mean squared error on the test digits. */
  readonly testLoss: number;
  /** Two numbers for each test digit. */
  readonly codes: Float32Array;
  /** The test digits that the network makes of the codes. */
  readonly images: Float32Array;
}

export async function trainAutoencoder(
  backend: Backend,
  architecture: Architecture,
  { train, test, epochs }: { train: ClassificationDataset; test: ClassificationDataset; epochs: number },
): Promise<Trained> {
  const trainer = await createTrainer({
    model: makeAutoencoder(architecture),
    backend,
    dataset: train,
    epochs,
    batchSize: 50,
    learningRate: 0.01,
    schedule: schedules.cosine(),
    loss: ({ image }, { features }) => meanSquaredError(image, features!, "none"),
  });
  const losses: number[] = [];
  for await (const { loss } of trainer.fit({ every: trainer.stepsPerEpoch })) losses.push(loss);
  const { loss: testLoss } = await trainer.evaluate(test);
  const { code, image } = await trainer.predict(test.features);
  trainer.dispose();
  return { losses, testLoss, codes: code, images: image };
}

export async function main({ backend, print, draw }: Stage): Promise<void> {
  const digits = await loadMnist();
  const [train, test] = [smallDigits(digits.train, 10_000), smallDigits(digits.test, 400)];
  const found = {} as Record<Architecture, Trained>;
  for (const architecture of ["linear", "network"] as const) {
    found[architecture] = await trainAutoencoder(backend, architecture, { train, test, epochs: 10 });
    print(
      `${architecture}: mean squared error on ${test.count} test digits ${found[architecture].testLoss.toFixed(4)}`,
    );
  }
  const { linear, network } = found;
  const rebuilt = ({ images }: Trained) => ({ ...test, features: images });
  const rows = [0, 5].flatMap((first) =>
    [test, rebuilt(linear), rebuilt(network)].flatMap((images) =>
      [0, 1, 2, 3, 4].map((digit) => digitAt(images, test.labels.indexOf(first + digit))),
    ),
  );
  const curve = (name: string, { losses }: Trained, color: string) =>
    line(
      name,
      losses.map((loss, epoch): Point => [epoch + 1, loss]),
      { color },
    );
  const panels = [
    tiles("digits, and what both make of their codes", rows, { columns: 5 }),
    {
      title: "mean squared error",
      x: { name: "epoch", min: 1 },
      series: [curve("linear", linear, colors.orange), curve("network", network, colors.blue)],
    },
    { title: "codes of the linear autoencoder", series: digitPoints(linear.codes, test.labels) },
    { title: "codes of the network", series: digitPoints(network.codes, test.labels) },
  ];
  await draw(picture("16", panels, 2, { width: 420, height: 400, left: 58, right: 18, top: 70, bottom: 46 }));
}
