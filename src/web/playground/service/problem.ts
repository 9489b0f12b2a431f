/*
 * Converts settings to a data set, a model, a loss and an optimizer. Runs in the worker.
 */
import {
  add,
  dense,
  losses,
  makeClassificationDataset,
  makeRegressionDataset,
  multiply,
  negate,
  optimizers,
  points,
  relu,
  reshape,
  sequential,
  sigmoid,
  softmax,
  matmul,
  constant,
  step,
  toFloat,
  type ClassificationLoss,
  type ClassificationDataset,
  type LossName,
  type Model,
  type Optimizer,
  type RegressionDataset,
  type Tensor,
  type Dataset,
  type TrainingLoss,
} from "../../../index.ts";
import type { ClassifySettings, NeuronSettings, PlaygroundConfig, Point, RegressSettings } from "../settings.ts";

const { circles, xor, moons, spirals, linear, line, polynomial, sine } = points;
const planes = { circles, xor, moons, spirals, linear };
const curves = { line, polynomial, sine };

/** A network and its data, loss and optimizer. */
export interface NetworkProblem {
  readonly model: Model;
  /** Generated and added points; undefined if there are none. */
  readonly train: Dataset | undefined;
  /** Points of the same distribution; undefined if all points are the visitor's own. */
  readonly test: Dataset | undefined;
  readonly loss: LossName | TrainingLoss;
  readonly optimizer: Optimizer;
  /** Converts the model's outputs to the values that the page draws: [points, outputs] → [points, 1]. */
  readonly shown: (outputs: Tensor) => Tensor;
}

/**
 * The perceptron criterion max(0, −t z) with t = ±1. A gradient step on one example is Rosenblatt's rule: if the prediction
 * is wrong, w ← w + ε t x (Rosenblatt 1958; Bishop 2006, equations 4.54 and 4.55).
 */
const perceptron: ClassificationLoss = {
  name: "perceptron",
  takesSingleOutput: true,
  perExample(outputs, labels) {
    const sides = add(multiply(toFloat(labels), 2), -1);
    return relu(negate(multiply(reshape(outputs, labels.shape), sides)));
  },
  correct: losses.sigmoidBinaryCrossEntropy.correct,
};

/** @param config of any mode but "surface" */
export function networkProblem(config: Exclude<PlaygroundConfig, { mode: "surface" }>): NetworkProblem {
  switch (config.mode) {
    case "classify":
      return classification(config);
    case "regress":
      return regression(config);
    case "neuron":
      return neuron(config);
  }
}

function classification(settings: ClassifySettings): NetworkProblem {
  const { layers, loss, seed } = settings;
  const outputs = loss === "softmaxCrossEntropy" ? 2 : 1;
  const hidden = layers.map(({ units, activation }) => dense(units, { activation }));
  // Selects the second of two probabilities.
  const second = constant([0, 1], [2, 1]);
  const shown = {
    sigmoidBinaryCrossEntropy: sigmoid,
    softmaxCrossEntropy: (logits: Tensor) => matmul(softmax(logits), second),
    meanSquaredError: (values: Tensor) => values,
  }[loss];
  return {
    model: sequential([...hidden, dense(outputs)], { inputShape: [2], seed }),
    ...planeData(settings),
    loss,
    optimizer: optimizerOf(settings),
    shown,
  };
}

function neuron(settings: NeuronSettings): NetworkProblem {
  const isPerceptron = settings.rule === "perceptron";
  return {
    model: sequential([dense(1)], { inputShape: [2], seed: settings.seed }),
    ...planeData(settings),
    loss: isPerceptron ? perceptron : "sigmoidBinaryCrossEntropy",
    optimizer: optimizers.sgd(),
    shown: isPerceptron ? step : sigmoid,
  };
}

function regression(settings: RegressSettings): NetworkProblem {
  const { data, noise, count, seed, layers, loss } = settings;
  const hidden = layers.map(({ units, activation }) => dense(units, { activation }));
  const generate = data === "own" ? undefined : curves[data];
  return {
    model: sequential([...hidden, dense(1)], { inputShape: [1], seed }),
    train: curvePoints(generate?.({ noise, count, seed }), settings.points),
    test: generate?.({ noise, count, seed: testSeed(seed) }),
    loss,
    optimizer: optimizerOf(settings),
    shown: (values) => values,
  };
}

/** A seed for the test points, outside the range that a visitor may choose. */
const testSeed = (seed: number): number => 1_000_000 + seed;

function planeData({ data, noise, count, seed, points: added }: ClassifySettings | NeuronSettings) {
  const generate = data === "own" ? undefined : planes[data];
  return {
    train: planePoints(generate?.({ noise, count, seed }), added),
    test: generate?.({ noise, count, seed: testSeed(seed) }),
  };
}

function planePoints(
  generated: ClassificationDataset | undefined,
  added: readonly Point[],
): ClassificationDataset | undefined {
  if (added.length === 0) return generated;
  return makeClassificationDataset({
    name: "points",
    features: Float32Array.from([...(generated?.features ?? []), ...added.flatMap(([x, y]) => [x, y])]),
    shape: [2],
    labels: Uint32Array.from([...(generated?.labels ?? []), ...added.map(([, , label]) => label)]),
    classes: ["0", "1"],
  });
}

function curvePoints(generated: RegressionDataset | undefined, added: readonly Point[]): RegressionDataset | undefined {
  if (added.length === 0) return generated;
  return makeRegressionDataset({
    name: "points",
    features: Float32Array.from([...(generated?.features ?? []), ...added.map(([x]) => x)]),
    shape: [1],
    targets: Float32Array.from([...(generated?.targets ?? []), ...added.map(([, y]) => y)]),
    outputs: ["y"],
  });
}

interface OptimizerSettings {
  readonly optimizer: ClassifySettings["optimizer"];
  readonly momentum: number;
  readonly weightDecay?: number;
}

/** Creates the chosen optimizer with the options that it takes. */
export function optimizerOf({ optimizer, momentum, weightDecay = 0 }: OptimizerSettings): Optimizer {
  switch (optimizer) {
    case "momentum":
      return optimizers.momentum({ momentum });
    case "nesterov":
      return optimizers.nesterov({ momentum });
    case "adamW":
      return optimizers.adamW({ weightDecay });
    case "rmsprop":
      return optimizers.rmsprop();
    case "adam":
      return optimizers.adam();
    case "sgd":
      return optimizers.sgd();
  }
}

/** The first `count` points of a data set as rows of x, y, class. */
export function rowsOf(data: Dataset, count = data.count): Float32Array {
  const rows = Array.from({ length: count }, (_, index) =>
    "targets" in data
      ? [data.features[index]!, data.targets[index]!, 0]
      : [data.features[2 * index]!, data.features[2 * index + 1]!, data.labels[index]!],
  );
  return Float32Array.from(rows.flat());
}
