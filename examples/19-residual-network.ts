/*
 * A residual network (He et al. 2015): each block adds its input to its output, so that it only learns a change, and the
 * gradient reaches every block through the additions. Without these skip connections, a network of as many layers learns
 * slowly. The network is written as a function, with the connections as they are drawn, and as layers in sequence. Both
 * have the same dispatches, and the same losses from the same initial values.
 */
import {
  activation,
  add,
  createTrainer,
  dense,
  functionalModel,
  initialValues,
  layers,
  relu,
  schedules,
  sequential,
  startFrom,
  type AnyModel,
  type Backend,
  type ClassificationDataset,
  type FunctionalModel,
  type Model,
  type StoredAttributes,
  type Tensor,
  type Trainer,
} from "../src/index.ts";
import { loadMnist } from "../src/node/index.ts";
import { SIDE, smallDigits } from "./lib/digits.ts";
import { colors, line, picture, type Panel, type Point } from "./lib/picture.ts";
import type { Stage } from "./lib/stage.ts";

const { batchNorm, globalAveragePool2d, residual } = layers;

const conv = (channels: number, stride = 1) => layers.conv2d(channels, 3, { stride, padding: "same", bias: false });
const projection = (channels: number, stride: number) => layers.conv2d(channels, 1, { stride, bias: false });

/** The channels of each block, and its stride. A block with stride 2 halves the images. */
export const blocks = (count: number): [channels: number, stride: number][] =>
  Array.from({ length: count }, (_, block) => (block < count / 2 ? [8, 1] : [16, block === count / 2 ? 2 : 1]));

/** As a function. */
export const byFunction = (count: number, { skip = true } = {}): FunctionalModel<"image", "logits"> =>
  functionalModel({ inputs: { image: [SIDE, SIDE] }, seed: 1 }, ({ image }, { use }) => {
    const block = (x: Tensor, [channels, stride]: [number, number]) => {
      const hidden = relu(use(batchNorm(), use(conv(channels, stride), x)));
      const change = use(batchNorm(), use(conv(channels), hidden));
      if (!skip) return relu(change);
      return relu(add(change, stride === 1 ? x : use(projection(channels, stride), x)));
    };
    const first = relu(use(batchNorm(), use(conv(8, 2), image)));
    return { logits: use(dense(10), use(globalAveragePool2d(), blocks(count).reduce(block, first))) };
  });

/** The same network as layers in sequence. */
export const bySequence = (count: number): Model =>
  sequential(
    [
      conv(8, 2),
      batchNorm(),
      activation("relu"),
      ...blocks(count).flatMap(([channels, stride]) => {
        const change = [conv(channels, stride), batchNorm(), activation("relu"), conv(channels), batchNorm()];
        const options = stride === 1 ? {} : { projection: [projection(channels, stride)] };
        return [residual(change, options), activation("relu")];
      }),
      globalAveragePool2d(),
      dense(10),
    ],
    { inputShape: [SIDE, SIDE], seed: 1 },
  );

/** A model with the initial values of another one that has the same parameters, in the same order, under other names. */
export function withValuesOf<Kind extends AnyModel>(other: AnyModel, model: Kind): Kind {
  const [names, others] = [model, other].map(({ parameters, states }) =>
    [...parameters, ...states].map(({ attributes }) => (attributes as StoredAttributes).name),
  );
  return startFrom(model, initialValues(other), { nameOf: (name) => others![names!.indexOf(name)]! }).model;
}

export interface Trained {
  readonly dispatches: Trainer["dispatches"];
  /** The training loss of each step. */
  readonly losses: readonly number[];
  readonly testAccuracy: number;
}

export async function trainNetwork(
  backend: Backend,
  model: AnyModel,
  { train, test, epochs }: { train: ClassificationDataset; test: ClassificationDataset; epochs: number },
): Promise<Trained> {
  const trainer = await createTrainer({
    model,
    backend,
    dataset: train,
    epochs,
    batchSize: 32,
    learningRate: 0.003,
    schedule: schedules.cosine(),
  });
  const losses: number[] = [];
  for await (const { loss } of trainer.fit({ every: 1 })) losses.push(loss);
  const found = { losses, dispatches: trainer.dispatches };
  const { accuracy: testAccuracy } = await trainer.evaluate(test);
  trainer.dispose();
  return { ...found, testAccuracy };
}

export async function main({ backend, print, draw }: Stage): Promise<void> {
  const digits = await loadMnist();
  const [train, test] = [smallDigits(digits.train, 2000), smallDigits(digits.test, 1000)];
  const options = { train, test, epochs: 3 };
  const panels: Panel[] = [];
  for (const count of [2, 8]) {
    const found = {
      "with skip connections": await trainNetwork(backend, byFunction(count), options),
      without: await trainNetwork(backend, byFunction(count, { skip: false }), options),
    };
    for (const [name, { testAccuracy }] of Object.entries(found)) {
      print(`${2 * count + 2} layers ${name}: test accuracy ${(100 * testAccuracy).toFixed(1)} %`);
    }
    const [blue, orange] = [colors.blue, colors.orange];
    panels.push({
      title: `Training loss, ${count} blocks, means of ten steps`,
      x: { name: "step" },
      y: { min: 0, max: 2.5 },
      series: Object.entries(found).map(([name, { losses }], index) =>
        line(name, meansOfTen(losses), { color: index === 0 ? blue : orange }),
      ),
    });
  }
  const sequence = bySequence(2);
  const model = withValuesOf(sequence, byFunction(2));
  const [one, other] = [await trainNetwork(backend, model, options), await trainNetwork(backend, sequence, options)];
  const difference = Math.max(...one.losses.map((loss, step) => Math.abs(loss - other.losses[step]!)));
  print(`by function ${one.dispatches.length} dispatches a step, by sequence ${other.dispatches.length}`);
  print(`largest difference of their losses in ${one.losses.length} steps: ${difference}`);
  await draw(picture("19", panels));
}

const meansOfTen = (losses: readonly number[]) =>
  Array.from({ length: Math.floor(losses.length / 10) }, (_, part): Point => {
    const some = losses.slice(10 * part, 10 * (part + 1));
    return [10 * (part + 1), some.reduce((total, loss) => total + loss, 0) / some.length];
  });
