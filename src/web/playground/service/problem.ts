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
import type { Problem } from "../contract.ts";
import { curveFeatures, featureRows, planeFeatures, type InputFeature, type Place } from "../features.ts";
import { curves, planes, rowsOf } from "../points.ts";
import {
  pointCounts,
  type ClassifySettings,
  type NeuronSettings,
  type PlaygroundConfig,
  type Point,
  type RegressSettings,
} from "../settings.ts";

/** A network and its data, loss and optimizer. */
export interface NetworkProblem extends ProblemData {
  readonly model: Model;
  /** What the model's inputs are. */
  readonly features: readonly InputFeature[];
  readonly loss: LossName | TrainingLoss;
  readonly optimizer: Optimizer;
  /** Converts the model's outputs to the values that the page draws: [points, outputs] → [points, 1]. */
  readonly shown: (outputs: Tensor) => Tensor;
}

interface ProblemData {
  /** Generated and added points; undefined if there are none. */
  readonly train: Dataset | undefined;
  /** Points of the same distribution; undefined if all points are the visitor's own. */
  readonly test: Dataset | undefined;
  /** The generated points. The page already has those that the visitor added. */
  readonly shownPoints: Problem;
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
  const features = settings.features.map((name) => planeFeatures[name]);
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
    model: sequential([...hidden, dense(outputs)], { inputShape: [features.length], seed }),
    features,
    ...planeData(settings, features),
    loss,
    optimizer: optimizerOf(settings),
    shown,
  };
}

function neuron(settings: NeuronSettings): NetworkProblem {
  const isPerceptron = settings.rule === "perceptron";
  const features = [planeFeatures.x, planeFeatures.y];
  return {
    model: sequential([dense(1)], { inputShape: [2], seed: settings.seed }),
    features,
    ...planeData(settings, features),
    loss: isPerceptron ? perceptron : "sigmoidBinaryCrossEntropy",
    optimizer: optimizers.sgd(),
    shown: isPerceptron ? step : sigmoid,
  };
}

function regression(settings: RegressSettings): NetworkProblem {
  const { data, noise, seed, layers, loss } = settings;
  const features = settings.features.map((name) => curveFeatures[name]);
  const hidden = layers.map(({ units, activation }) => dense(units, { activation }));
  const generate = data === "own" ? undefined : curves[data];
  const counts = pointCounts(settings);
  const train = generate?.({ noise, count: counts.train, seed });
  const test = generate?.({ noise, count: counts.test, seed: testSeed(seed) });
  return {
    model: sequential([...hidden, dense(1)], { inputShape: [features.length], seed }),
    features,
    train: curvePoints(train, settings.points, features),
    test: test && curvePoints(test, [], features),
    shownPoints: shownPoints(train, test),
    loss,
    optimizer: optimizerOf(settings),
    shown: (values) => values,
  };
}

/** A seed for the test points, outside the range that a visitor may choose. */
const testSeed = (seed: number): number => 1_000_000 + seed;

const shownPoints = (train: Dataset | undefined, test: Dataset | undefined): Problem => ({
  points: train ? rowsOf(train) : new Float32Array(),
  test: test ? rowsOf(test) : new Float32Array(),
});

function planeData(settings: ClassifySettings | NeuronSettings, features: readonly InputFeature[]): ProblemData {
  const { data, noise, seed } = settings;
  const generate = data === "own" ? undefined : planes[data];
  const counts = pointCounts(settings);
  const train = generate?.({ noise, count: counts.train, seed });
  const test = generate?.({ noise, count: counts.test, seed: testSeed(seed) });
  return {
    train: planePoints(train, settings.points, features),
    test: test && planePoints(test, [], features),
    shownPoints: shownPoints(train, test),
  };
}

/** Generated and added points, with the features of each. */
function planePoints(
  generated: ClassificationDataset | undefined,
  added: readonly Point[],
  features: readonly InputFeature[],
): ClassificationDataset | undefined {
  const labels = [...(generated?.labels ?? []), ...added.map(([, , label]) => label)];
  if (labels.length === 0) return undefined;
  const drawn = Array.from(generated?.labels ?? [], (_, index): Place => {
    const [x, y] = generated!.features.slice(2 * index, 2 * index + 2);
    return [x!, y!];
  });
  return makeClassificationDataset({
    name: "points",
    features: featureRows(features, [...drawn, ...added.map(([x, y]): Place => [x, y])]),
    shape: [features.length],
    labels: Uint32Array.from(labels),
    classes: ["0", "1"],
  });
}

function curvePoints(
  generated: RegressionDataset | undefined,
  added: readonly Point[],
  features: readonly InputFeature[],
): RegressionDataset | undefined {
  const places = [...(generated?.features ?? []), ...added.map(([x]) => x)].map((x): Place => [x, 0]);
  if (places.length === 0) return undefined;
  return makeRegressionDataset({
    name: "points",
    features: featureRows(features, places),
    shape: [features.length],
    targets: Float32Array.from([...(generated?.targets ?? []), ...added.map(([, y]) => y)]),
    outputs: ["y"],
  });
}

interface OptimizerSettings {
  readonly optimizer: ClassifySettings["optimizer"];
  readonly momentum: number;
  readonly weightDecay?: number;
  readonly regularization?: ClassifySettings["regularization"];
  readonly regularizationRate?: number;
}

/** Creates the chosen optimizer with the options that it takes, and with the chosen regularization. */
export function optimizerOf(settings: OptimizerSettings): Optimizer {
  const { regularization = "none", regularizationRate = 0 } = settings;
  const plain = withoutRegularization(settings);
  return regularization === "none" ? plain : optimizers.regularized(plain, { [regularization]: regularizationRate });
}

function withoutRegularization({ optimizer, momentum, weightDecay = 0 }: OptimizerSettings): Optimizer {
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
