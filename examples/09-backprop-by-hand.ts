/*
 * Backpropagation written out in plain loops and compared with the library's gradients, for a network of two layers:
 *
 *   z¹ = W¹ x + b¹    a¹ = σ(z¹)    z² = W² a¹ + b²    p = softmax(z²)    loss = −ln p[label]
 *   δ² = p − y        δ¹ = (W²ᵀ δ²) ∘ σ′(z¹)           σ′(z) = σ(z) (1 − σ(z))
 *   ∂loss/∂W² = δ² a¹ᵀ   ∂loss/∂b² = δ²   ∂loss/∂W¹ = δ¹ xᵀ   ∂loss/∂b¹ = δ¹
 *
 * for a 5-16-2 classifier with cross-entropy, trained sample by sample by SGD with learning rate 0.01. The library stores
 * W as [inputs, units], so the loops do too.
 */
import {
  constant,
  createTrainer,
  defineGraph,
  dense,
  epochOrder,
  gradients,
  makeClassificationDataset,
  optimizers,
  Random,
  sequential,
  softmaxCrossEntropy,
  type Backend,
  type ClassificationDataset,
  type Model,
} from "../src/index.ts";
import { colors, line, picture, points, type Point } from "./lib/picture.ts";
import type { Stage } from "./lib/stage.ts";

const [INPUTS, HIDDEN, CLASSES] = [5, 16, 2];
export const LEARNING_RATE = 0.01;

/** Five numbers each; class 1 where x₀² + x₁ x₂ > 0.4 x₃ − 0.2 x₄ + 0.3. */
export function samples(count = 60): ClassificationDataset {
  const random = new Random(9);
  const features = Float32Array.from({ length: count * INPUTS }, () => random.uniform(-1, 1));
  const labels = Uint32Array.from({ length: count }, (_, row) => {
    const [a, b, c, d, e] = features.subarray(row * INPUTS, (row + 1) * INPUTS) as unknown as [
      number,
      number,
      number,
      number,
      number,
    ];
    return Number(a * a + b * c > 0.4 * d - 0.2 * e + 0.3);
  });
  return makeClassificationDataset({ name: "five numbers", features, shape: [INPUTS], labels, classes: ["0", "1"] });
}

export const makeModel = (): Model =>
  sequential([dense(HIDDEN, { activation: "sigmoid" }), dense(CLASSES)], { inputShape: [INPUTS], seed: 3 });

/** W¹, b¹, W² and b², or the gradients with respect to them; row after row, in float64. */
export interface Parameters {
  readonly weights1: Float64Array;
  readonly biases1: Float64Array;
  readonly weights2: Float64Array;
  readonly biases2: Float64Array;
}

/** The initial values of a model, as arrays for the loops. */
export function initialParameters(model: Model): Parameters {
  const [weights1, biases1, weights2, biases2] = model.parameters.map(({ attributes }) =>
    Float64Array.from((attributes as { initial: Float32Array }).initial),
  ) as [Float64Array, Float64Array, Float64Array, Float64Array];
  return { weights1, biases1, weights2, biases2 };
}

const sigmoid = (z: number) => 1 / (1 + Math.exp(-z));

/** The loss of one sample and its gradients, by hand. */
export function backpropagate(
  parameters: Parameters,
  x: ArrayLike<number>,
  label: number,
): { loss: number; gradient: Parameters } {
  const { weights1, biases1, weights2, biases2 } = parameters;
  const a1 = new Float64Array(HIDDEN);
  for (let j = 0; j < HIDDEN; j++) {
    let z1 = biases1[j]!;
    for (let i = 0; i < INPUTS; i++) z1 += weights1[i * HIDDEN + j]! * x[i]!;
    a1[j] = sigmoid(z1);
  }
  const exponentials = new Float64Array(CLASSES);
  for (let k = 0; k < CLASSES; k++) {
    let z2 = biases2[k]!;
    for (let j = 0; j < HIDDEN; j++) z2 += weights2[j * CLASSES + k]! * a1[j]!;
    exponentials[k] = Math.exp(z2);
  }
  const total = exponentials.reduce((sum, value) => sum + value, 0);
  const delta2 = exponentials.map((value, k) => value / total - Number(k === label));
  const delta1 = new Float64Array(HIDDEN);
  for (let j = 0; j < HIDDEN; j++) {
    let back = 0;
    for (let k = 0; k < CLASSES; k++) back += weights2[j * CLASSES + k]! * delta2[k]!;
    delta1[j] = back * a1[j]! * (1 - a1[j]!);
  }
  const gradient = {
    weights1: weights1.map((_, at) => x[Math.floor(at / HIDDEN)]! * delta1[at % HIDDEN]!),
    biases1: delta1,
    weights2: weights2.map((_, at) => a1[Math.floor(at / CLASSES)]! * delta2[at % CLASSES]!),
    biases2: delta2,
  };
  return { loss: -Math.log(exponentials[label]! / total), gradient };
}

/** One step of SGD in place. */
function descend(parameters: Parameters, gradient: Parameters): void {
  for (const name of ["weights1", "biases1", "weights2", "biases2"] as const) {
    for (let at = 0; at < parameters[name].length; at++) parameters[name][at]! -= LEARNING_RATE * gradient[name][at]!;
  }
}

const rowOf = ({ features }: ClassificationDataset, row: number) => features.subarray(row * INPUTS, (row + 1) * INPUTS);

/** The gradients of one sample's loss by the library, in the order W¹, b¹, W², b². */
export async function libraryGradients(
  backend: Backend,
  model: Model,
  dataset: ClassificationDataset,
  row: number,
): Promise<number[]> {
  const x = constant([...rowOf(dataset, row)], [1, INPUTS]);
  const loss = softmaxCrossEntropy(model.apply(x), constant(dataset.labels[row]!, [1], "uint32"));
  const names = Object.fromEntries(
    gradients(loss, model.parameters).map((gradient, index) => [`gradient ${index}`, gradient]),
  );
  const session = backend.createSession();
  const executable = await session.compile(defineGraph(names));
  await executable.run(0, 1);
  const found = await Promise.all(Object.keys(names).map((name) => executable.read(name)));
  session.dispose();
  return found.flatMap((values) => [...values]);
}

/** The same gradients by hand, in the same order. */
export function gradientsByHand(model: Model, dataset: ClassificationDataset, row: number): number[] {
  const { gradient } = backpropagate(initialParameters(model), rowOf(dataset, row), dataset.labels[row]!);
  return [gradient.weights1, gradient.biases1, gradient.weights2, gradient.biases2].flatMap((values) => [...values]);
}

/** The loss of each step, sample by sample in each epoch's order, by hand. */
export function trainByHand(model: Model, dataset: ClassificationDataset, epochs: number): number[] {
  const parameters = initialParameters(model);
  const losses: number[] = [];
  for (let epoch = 0; epoch < epochs; epoch++) {
    for (const row of epochOrder(dataset.count, 1, epoch)) {
      const { loss, gradient } = backpropagate(parameters, rowOf(dataset, row), dataset.labels[row]!);
      descend(parameters, gradient);
      losses.push(loss);
    }
  }
  return losses;
}

/** The same by the library: SGD with one sample per step. */
export async function trainByLibrary(
  backend: Backend,
  model: Model,
  dataset: ClassificationDataset,
  epochs: number,
): Promise<number[]> {
  const options = { optimizer: optimizers.sgd(), learningRate: LEARNING_RATE, batchSize: 1, epochs, seed: 1 };
  const trainer = await createTrainer({ model, dataset, backend, ...options });
  const losses: number[] = [];
  for await (const { loss } of trainer.fit({ every: 1 })) losses.push(loss);
  trainer.dispose();
  return losses;
}

const largestDifference = (a: readonly number[], b: readonly number[]) =>
  Math.max(...a.map((value, index) => Math.abs(value - b[index]!)));

export async function main({ backend, print, draw }: Stage): Promise<void> {
  const [model, dataset] = [makeModel(), samples()];
  const byHand = gradientsByHand(model, dataset, 0);
  const byLibrary = await libraryGradients(backend, model, dataset, 0);
  print(
    `${byHand.length} gradients by hand and by the library: they differ by at most ${largestDifference(byHand, byLibrary).toExponential(1)}`,
  );
  const epochs = 100;
  const lossesByHand = trainByHand(model, dataset, epochs);
  const losses = await trainByLibrary(backend, model, dataset, epochs);
  print(
    `${losses.length} steps of SGD: the losses differ by at most ${largestDifference(lossesByHand, losses).toExponential(1)}`,
  );
  const perEpoch = (values: readonly number[]) =>
    Array.from({ length: epochs }, (_, epoch): Point => {
      const part = values.slice(epoch * dataset.count, (epoch + 1) * dataset.count);
      return [epoch + 1, part.reduce((sum, value) => sum + value, 0) / part.length];
    });
  print(
    `mean loss of the first epoch ${perEpoch(losses)[0]![1].toFixed(4)}, of the last ${perEpoch(losses).at(-1)![1].toFixed(4)}`,
  );
  const ends = [Math.min(...byHand), Math.max(...byHand)];
  await draw(
    picture("09", [
      {
        title: `The ${byHand.length} gradients of one sample`,
        x: { name: "by hand" },
        y: { name: "by the library" },
        series: [
          line(
            "equal",
            ends.map((value): Point => [value, value]),
            { color: colors.gray },
          ),
          points(
            "∂loss/∂W¹, b¹",
            byHand.slice(0, 96).map((value, index): Point => [value, byLibrary[index]!]),
            { color: colors.blue, size: 6 },
          ),
          points(
            "∂loss/∂W², b²",
            byHand.slice(96).map((value, index): Point => [value, byLibrary[96 + index]!]),
            { color: colors.orange, size: 6 },
          ),
        ],
      },
      {
        title: "Training loss",
        x: { name: "epoch", max: epochs },
        y: { name: "mean cross-entropy of the epoch" },
        series: [
          line("by hand", perEpoch(lossesByHand), { color: colors.sky, width: 6, opacity: 0.6 }),
          line("by the library", perEpoch(losses), { color: colors.black, width: 1.5 }),
        ],
      },
    ]),
  );
}
