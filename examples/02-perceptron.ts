/*
 * Rosenblatt's perceptron: z = x · w + c, with classes y = ±1, by stochastic gradient descent on
 * D(w, c) = −Σ y z over the misclassified samples. Misclassified means y z ≤ 0: a comparison, which is constant under
 * differentiation, so each misclassified sample moves w by ε y x and c by ε y, and the other samples have no effect.
 */
import {
  add,
  defineGraph,
  epochOrder,
  gradients,
  input,
  lessEqual,
  matmul,
  multiply,
  negate,
  parameter,
  stepScalar,
  subtract,
  sum,
  takeBatch,
  type Backend,
  type Tensor,
} from "../src/index.ts";
import { linear } from "../src/data/points.ts";
import { classPoints, colors, line, picture, points, type Point } from "./lib/picture.ts";
import type { Stage } from "./lib/stage.ts";

/** Samples of `width` features, and the class of each, 1 or −1. */
export interface Samples {
  readonly features: Float32Array;
  readonly width: number;
  readonly classes: readonly number[];
}

export interface Start {
  readonly weights: readonly number[];
  readonly bias: number;
  readonly learningRate: number;
}

/** The state before an epoch: the parameters, and the number of misclassified samples. */
export interface Epoch {
  readonly weights: readonly number[];
  readonly bias: number;
  readonly mistakes: number;
}

const misclassified = (z: Tensor, y: Tensor) => lessEqual(multiply(y, z), 0);

/** D(w, c) of a batch of samples. */
export const perceptronLoss = (z: Tensor, y: Tensor): Tensor =>
  negate(sum(multiply(misclassified(z, y), multiply(y, z))));

/** Visits the samples one by one, in a new order in each epoch, until there are no mistakes or the last epoch has ended. */
export async function train(backend: Backend, samples: Samples, start: Start, epochs: number): Promise<Epoch[]> {
  const { features, width, classes } = samples;
  const count = classes.length;
  const [x, y, order] = [input("x", [count, width]), input("y", [count, 1]), input("order", [count], "uint32")];
  const w = parameter("w", [width, 1], start.weights);
  const c = parameter("c", [1], [start.bias]);
  const outputOf = (rows: Tensor) => add(matmul(rows, w), c);
  const place = { order, start: stepScalar("start", (step) => step % count, "uint32"), count: 1 };
  const loss = perceptronLoss(outputOf(takeBatch(x, place)), takeBatch(y, place));
  const [dw, dc] = gradients(loss, [w, c]);
  const descend = (from: Tensor, gradient: Tensor) => ({
    target: from,
    value: subtract(from, multiply(gradient, start.learningRate)),
  });
  const session = backend.createSession();
  const step = await session.compile(defineGraph({ loss }, [descend(w, dw), descend(c, dc)]));
  const counting = await session.compile(defineGraph({ mistakes: sum(misclassified(outputOf(x), y)) }));
  session.write(x, features);
  session.write(y, Float32Array.from(classes));
  const history: Epoch[] = [];
  for (let epoch = 0; epoch <= epochs; epoch++) {
    const [{ mistakes }, weights, [bias]] = await Promise.all([counting.run(0, 1), session.read(w), session.read(c)]);
    history.push({ weights: [...weights], bias: bias!, mistakes: mistakes![0]! });
    if (mistakes![0] === 0) break;
    session.write(order, epochOrder(count, 1, epoch));
    await step.run(epoch * count, count);
  }
  session.dispose();
  return history;
}

/** The worked case: only x = 2 is misclassified (z = 0), and one update, to w = 0.7 and c = −0.9, corrects it. */
export const workedCase: Samples = { features: Float32Array.of(2, -1, 0.5), width: 1, classes: [1, -1, -1] };
export const workedStart: Start = { weights: [0.5], bias: -1, learningRate: 0.1 };

/** Points on both sides of a line. */
export function separablePoints(count = 60): Samples {
  const { features, labels } = linear({ count, seed: 3 });
  return {
    features: features as Float32Array,
    width: 2,
    classes: Array.from(labels, (label) => (label === 1 ? 1 : -1)),
  };
}

export const planeStart: Start = { weights: [-1, 1], bias: 0.5, learningRate: 0.1 };

export async function main({ backend, print, draw }: Stage): Promise<void> {
  const worked = await train(backend, workedCase, workedStart, 10);
  for (const { weights, bias, mistakes } of worked) {
    print(`w = ${weights[0]!.toFixed(1)}, c = ${bias.toFixed(1)}: ${mistakes} of 3 misclassified`);
  }
  const samples = separablePoints();
  const epochs = await train(backend, samples, planeStart, 100);
  epochs.forEach(({ mistakes }, epoch) =>
    print(`points in the plane, epoch ${epoch}: ${mistakes} of 60 misclassified`),
  );
  const outputOf = ({ weights, bias }: Epoch) => [-1.5, 2.5].map((x): Point => [x, weights[0]! * x + bias]);
  const boundaryOf = ({ weights: [first, second], bias }: Epoch) =>
    [-1, 1].map((x): Point => [x, -(first! * x + bias) / second!]);
  const labels = samples.classes.map((one) => Number(one > 0));
  const sides = [1, -1].map((wanted) =>
    workedCase.classes.flatMap((one, index): Point[] => (one === wanted ? [[workedCase.features[index]!, 0]] : [])),
  );
  await draw(
    picture("02", [
      {
        title: "One update classifies all samples correctly",
        x: { name: "x", min: -1.5, max: 2.5 },
        y: { name: "z = x w + c", min: -2, max: 1 },
        series: [
          line("before", outputOf(worked[0]!), { color: colors.gray, dashed: true }),
          line("after", outputOf(worked.at(-1)!), { color: colors.black }),
          points("y = −1", sides[1]!, { color: colors.orange, size: 11 }),
          points("y = 1", sides[0]!, { color: colors.blue, symbol: "rect", size: 10 }),
        ],
      },
      {
        title: `No mistakes after ${epochs.length - 1} epochs`,
        x: { name: "x₁", min: -1, max: 1 },
        y: { name: "x₂", min: -1, max: 1 },
        series: [
          ...epochs
            .slice(0, -1)
            .map((epoch) => line("boundary before each epoch", boundaryOf(epoch), { color: colors.gray, width: 1 })),
          line("final boundary", boundaryOf(epochs.at(-1)!), { color: colors.black }),
          ...classPoints(samples.features, labels),
        ],
      },
    ]),
  );
}
