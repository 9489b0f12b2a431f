/* Every setting of the tab: what it may be and what it is at first. The worker's contract and the URL both follow. */
import { choice, layerList, place, pointList, range, type Settings } from "../shared/address/codec.ts";

export const activationNames = ["tanh", "relu", "sigmoid", "leakyRelu", "elu", "gelu", "silu", "softplus", "identity"] as const;

export const optimizerNames = ["sgd", "momentum", "nesterov", "rmsprop", "adam", "adamW"] as const;

const learningRates = [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3] as const;

/** How far a point may lie from the origin along either axis, and what the plots show. */
export const EXTENT = 1.25;

/** Steps each second; "full" is as fast as it goes. */
const speeds = ["2", "10", "30", "100", "300", "1000", "full"] as const;

const seed = range(1, 9999, 1, 1);
const momentum = range(0, 0.99, 0.01, 0.9);

const points = {
  noise: range(0, 0.5, 0.01, 0.1),
  count: range(10, 400, 10, 200),
  seed,
  points: pointList(EXTENT),
};

const optimization = {
  optimizer: choice(optimizerNames, "adam"),
  momentum,
  weightDecay: choice([0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3], 0.01),
  batch: choice(["1", "8", "16", "32", "64", "full"], "32"),
};

const planes = ["circles", "xor", "moons", "spirals", "linear", "own"] as const;

export const classifyFields = {
  data: choice(planes, "circles"),
  ...points,
  layers: layerList(activationNames, [
    { units: 6, activation: "tanh" },
    { units: 4, activation: "tanh" },
  ]),
  loss: choice(["sigmoidBinaryCrossEntropy", "softmaxCrossEntropy", "meanSquaredError"], "sigmoidBinaryCrossEntropy"),
  ...optimization,
  learningRate: choice(learningRates, 0.01),
  speed: choice(speeds, "100"),
};

export const regressFields = {
  data: choice(["sine", "polynomial", "line", "own"], "sine"),
  ...points,
  count: range(10, 400, 10, 80),
  layers: layerList(activationNames, [
    { units: 8, activation: "tanh" },
    { units: 8, activation: "tanh" },
  ]),
  loss: choice(["meanSquaredError", "halfSumOfSquares"], "meanSquaredError"),
  ...optimization,
  learningRate: choice(learningRates, 0.01),
  speed: choice(speeds, "100"),
};

export const neuronFields = {
  data: choice(planes, "linear"),
  ...points,
  noise: range(0, 0.5, 0.01, 0),
  count: range(10, 400, 10, 60),
  /** At first the line that begins with nine of ten points on the wrong side. */
  seed: range(1, 9999, 1, 6),
  /** Rosenblatt's rule, or a logistic neuron, which lowers the cross-entropy. */
  rule: choice(["perceptron", "logistic"], "perceptron"),
  learningRate: choice(learningRates, 0.1),
  batch: choice(["1", "8", "full"], "1"),
  speed: choice(speeds, "10"),
};

export const surfaceFields = {
  /** y = a·x + b; the logistic neuron with cross-entropy and with squares; y = b·tanh(a·x), which has a saddle. */
  model: choice(["line", "logistic", "squared", "saddle"], "line"),
  noise: range(0, 0.5, 0.01, 0.2),
  seed,
  /** Where descent starts, as shares of what the picture shows. */
  start: place([-0.7, 0.8]),
  optimizer: choice(optimizerNames.filter((name) => name !== "adamW"), "momentum"),
  momentum,
  learningRate: choice(learningRates, 0.1),
  speed: choice(speeds, "10"),
};

/** The fields of each mode. */
export const modes = {
  classify: classifyFields,
  regress: regressFields,
  neuron: neuronFields,
  surface: surfaceFields,
} as const;

export type Mode = keyof typeof modes;

export type ClassifySettings = Settings<typeof classifyFields>;
export type RegressSettings = Settings<typeof regressFields>;
export type NeuronSettings = Settings<typeof neuronFields>;
export type SurfaceSettings = Settings<typeof surfaceFields>;

/** What the worker is told: a mode with its settings. */
export type PlaygroundConfig =
  | ({ readonly mode: "classify" } & ClassifySettings)
  | ({ readonly mode: "regress" } & RegressSettings)
  | ({ readonly mode: "neuron" } & NeuronSettings)
  | ({ readonly mode: "surface" } & SurfaceSettings);
