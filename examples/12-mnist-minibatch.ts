/*
 * Handwritten digits with the library: 784-200-10 with relu, softmax cross-entropy, minibatches and Adam, compared with the
 * loops of example 11. Both are timed in the same run on the same data.
 */
import {
  createTrainer,
  dense,
  epochOrder,
  flatten,
  schedules,
  sequential,
  standardization,
  type Backend,
  type ClassificationDataset,
  type Trainer,
} from "../src/index.ts";
import { adapterText } from "../src/cli/text/text.ts";
import { loadMnist } from "../src/node/index.ts";
import { HandwrittenNetwork, makeModel } from "./11-mnist-from-scratch.ts";
import { colors, line, picture, type Point } from "./lib/picture.ts";
import type { Stage } from "./lib/stage.ts";

/** The test accuracy after some seconds of training, without the time of the evaluation. */
export interface Mark {
  readonly seconds: number;
  readonly accuracy: number;
}

export interface Contestant {
  readonly name: string;
  readonly steps: number;
  /** Measured during training, the last one at the end. */
  readonly marks: readonly Mark[];
}

export interface Contest {
  readonly train: ClassificationDataset;
  readonly test: ClassificationDataset;
  /** Passes over the training set, for both. */
  readonly epochs: number;
  /** The number of marks to take. */
  readonly marks: number;
}

const widthOf = ({ shape }: ClassificationDataset) => shape.reduce((product, size) => product * size, 1);

/** With loops: two sigmoid layers, no biases, half the squared error, SGD with learning rate 0.1, one example per step. */
export function byHand({ train, test, epochs, marks }: Contest): Contestant {
  const width = widthOf(train);
  const network = new HandwrittenNetwork(makeModel(width));
  const steps = epochs * train.count;
  const taken: Mark[] = [];
  let [seconds, step] = [0, 0];
  for (let mark = 1; mark <= marks; mark++) {
    const began = performance.now();
    for (; step < Math.floor((steps * mark) / marks); step++) {
      const row = orderOf(train.count, Math.floor(step / train.count))[step % train.count]!;
      network.trainSample(train.features.subarray(row * width, (row + 1) * width), train.labels[row]!, 0.1);
    }
    seconds += (performance.now() - began) / 1000;
    taken.push({ seconds, accuracy: network.accuracy(test) });
  }
  return { name: "by hand", steps, marks: taken };
}

const orders = new Map<string, Uint32Array>();

/** The order of each epoch, computed once. */
function orderOf(count: number, epoch: number): Uint32Array {
  const key = `${count} ${epoch}`;
  const order = orders.get(key) ?? epochOrder(count, 1, epoch);
  orders.set(key, order);
  return order;
}

/** With wgrad: relu, softmax cross-entropy, Adam with a cosine schedule from 0.002, batch size 64, standardized inputs. */
export async function byFramework(backend: Backend, { train, test, epochs, marks }: Contest): Promise<Contestant> {
  const trainer = await createTrainer({
    model: sequential([flatten(), dense(200, { activation: "relu" }), dense(10)], { inputShape: train.shape, seed: 1 }),
    dataset: train,
    backend,
    normalization: standardization(train.features),
    learningRate: 0.002,
    schedule: schedules.cosine(),
    batchSize: 64,
    epochs,
  });
  const taken: Mark[] = [];
  let seconds = 0;
  for (let mark = 1; mark <= marks; mark++) {
    const maxSteps = Math.floor((trainer.totalSteps * mark) / marks) - trainer.step;
    const began = performance.now();
    await finish(trainer.fit({ maxSteps, every: maxSteps }));
    seconds += (performance.now() - began) / 1000;
    taken.push({ seconds, accuracy: (await trainer.evaluate(test)).accuracy });
  }
  const found = { name: "by wgrad", steps: trainer.totalSteps, marks: taken };
  trainer.dispose();
  return found;
}

/** Trains to the end and ignores the events. */
async function finish(events: ReturnType<Trainer["fit"]>): Promise<void> {
  while (!(await events.next()).done);
}

/** The comparison as a table in Markdown. */
export function table(contestants: readonly Contestant[]): string[] {
  const rows = contestants.map(({ name, steps, marks }) => {
    const { seconds, accuracy } = marks.at(-1)!;
    return `| ${name.padEnd(8)} | ${String(steps).padStart(7)} | ${seconds.toFixed(1).padStart(7)} | ${(100 * accuracy).toFixed(2).padStart(11)} % |`;
  });
  return [
    "|          |   steps | seconds | test accuracy |",
    "|----------|--------:|--------:|--------------:|",
    ...rows,
  ];
}

export async function main({ backend, print, draw }: Stage): Promise<void> {
  const { train, test, source } = await loadMnist();
  const contest: Contest = { train, test, epochs: 3, marks: 6 };
  print(`${source}: ${train.count} training and ${test.count} test examples, ${contest.epochs} epochs`);
  print("784-200-10 by hand: sigmoid, half the squared error, SGD, one example per step, loops on one core");
  print("784-200-10 by wgrad: relu, softmax cross-entropy, Adam, 64 examples per step");
  const contestants = [byHand(contest), await byFramework(backend, contest)];
  for (const row of table(contestants)) print(row);
  const palette = [colors.orange, colors.blue];
  const curves = contestants.map(({ name, marks }, index) =>
    line(
      name,
      marks.map(({ seconds, accuracy }): Point => [seconds, 100 * accuracy]),
      { color: palette[index]! },
    ),
  );
  const title = "Test accuracy over training time";
  await draw(
    picture(
      "12",
      [
        {
          title,
          x: { name: `training time in seconds (wgrad on ${adapterText(backend)})`, min: 0 },
          y: { name: "test accuracy, %" },
          series: curves,
        },
      ],
      1,
      wide,
    ),
  );
}

const wide = { width: 600, height: 340, left: 58, right: 24, top: 58, bottom: 46 };
