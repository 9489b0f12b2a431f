/*
 * Every setting of the Playground tab, with its default and the values it allows. The interface to the worker and the
 * address of the page both follow from these fields.
 */
import {
  choice,
  list,
  range,
  record,
  tuple,
  type Field,
  type RangeField,
  type Settings,
} from "../shared/address/codec.ts";
import { batchSizeField, learningRateField, optimizerNames } from "../shared/training-fields.ts";
import { curveFeatures, planeFeatures, type CurveFeature, type PlaneFeature } from "./features.ts";

export const activationNames = [
  "tanh",
  "relu",
  "sigmoid",
  "leakyRelu",
  "elu",
  "gelu",
  "silu",
  "softplus",
  "identity",
] as const;

/** The pictures show −EXTENT … EXTENT along either axis, and all points are within it. */
export const EXTENT = 1.25;

/** The decimals of a coordinate, enough to distinguish the pixels of the pictures. */
const DECIMALS = 3;

/** A coordinate with the precision that the address keeps. */
export const rounded = (value: number): number => Number(value.toFixed(DECIMALS)) + 0;

/** A coordinate within ±extent. */
function coordinate(extent: number, fallback = 0): RangeField {
  const field = range(-extent, extent, "any", fallback);
  const parse = (text: string) => {
    const value = field.parse(text);
    return value === undefined ? undefined : rounded(value);
  };
  return { ...field, format: (value) => String(rounded(value)), parse };
}

const pointCoordinate = coordinate(EXTENT);

/** Coordinates and a class, 0 or 1. For regression, the class is 0. */
export type Point = readonly [x: number, y: number, label: number];

/** The most points of the visitor's own. With more, the address would be too long for some browsers. */
export const MOST_POINTS = 300;

/** "_" and "*" are not escaped in an address. */
const pointList = list<Point>(
  tuple<Point>([pointCoordinate, pointCoordinate, choice<number>([0, 1], 0)], "_"),
  { between: "*", none: "", most: MOST_POINTS },
  [],
);

export const MOST_LAYERS = 4;

/** A hidden layer. */
export const layerFields = {
  units: range(1, 16, 1, 4),
  activation: choice(activationNames, "tanh"),
};

export type HiddenLayer = Settings<typeof layerFields>;

/** Hidden layers such as "8-tanh_4-relu". */
const layerList = (fallback: readonly HiddenLayer[]): Field<readonly HiddenLayer[]> =>
  list(record(layerFields, { between: "-", required: 2 }), { between: "_", none: "none", most: MOST_LAYERS }, fallback);

/** At least one of some names, such as "x_xy", in the order in which all of them are listed. */
function subset<Name extends string>(all: Readonly<Record<Name, unknown>>, fallback: readonly Name[]) {
  const names = Object.keys(all) as Name[];
  return {
    names,
    fallback,
    format: (chosen: readonly Name[]) => chosen.join("_"),
    parse(text: string): readonly Name[] | undefined {
      const parts = text.split("_");
      const chosen = names.filter((name) => parts.includes(name));
      return chosen.length === parts.length ? chosen : undefined;
    },
  };
}

/** Steps per second; "full" is as fast as possible. */
const speeds = ["2", "10", "30", "100", "300", "1000", "full"] as const;

const seed = range(1, 9999, 1, 1);
const momentum = range(0, 0.99, 0.01, 0.9);

const points = {
  noise: range(0, 0.5, 0.01, 0.1),
  /** Half the number of training and test points together. */
  count: range(10, 400, 10, 200),
  /** The percentage of the points that the network is trained with. The others are test points. */
  share: range(10, 90, 10, 50),
  seed,
  points: pointList,
};

/** The numbers of training and test points. */
export function pointCounts({ count, share }: { readonly count: number; readonly share: number }) {
  const train = Math.round((2 * count * share) / 100);
  return { train, test: 2 * count - train };
}

const regularizationRates = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3] as const;

const optimization = {
  optimizer: choice(optimizerNames, "adam"),
  momentum,
  weightDecay: choice([0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3], 0.01),
  regularization: choice(["none", "l1", "l2"], "none"),
  regularizationRate: choice(regularizationRates, 0.01),
  /** At least the number of training points stands for all of them. */
  batch: batchSizeField(32),
};

const planes = ["circles", "xor", "moons", "spirals", "linear", "own"] as const;

export const classifyFields = {
  data: choice(planes, "circles"),
  ...points,
  features: subset<PlaneFeature>(planeFeatures, ["x", "y"]),
  layers: layerList([
    { units: 6, activation: "tanh" },
    { units: 4, activation: "tanh" },
  ]),
  loss: choice(["sigmoidBinaryCrossEntropy", "softmaxCrossEntropy", "meanSquaredError"], "sigmoidBinaryCrossEntropy"),
  ...optimization,
  learningRate: learningRateField(0.01),
  speed: choice(speeds, "100"),
};

export const regressFields = {
  data: choice(["sine", "polynomial", "line", "own"], "sine"),
  ...points,
  count: range(10, 400, 10, 80),
  features: subset<CurveFeature>(curveFeatures, ["x"]),
  layers: layerList([
    { units: 8, activation: "tanh" },
    { units: 8, activation: "tanh" },
  ]),
  loss: choice(["meanSquaredError", "halfSumOfSquares"], "meanSquaredError"),
  ...optimization,
  learningRate: learningRateField(0.01),
  speed: choice(speeds, "100"),
};

export const neuronFields = {
  data: choice(planes, "linear"),
  ...points,
  noise: range(0, 0.5, 0.01, 0),
  count: range(10, 400, 10, 60),
  /** With this seed, the initial line puts nine of ten points on the wrong side. */
  seed: range(1, 9999, 1, 6),
  /** Rosenblatt's rule, or a logistic neuron, which lowers the cross-entropy. */
  rule: choice(["perceptron", "logistic"], "perceptron"),
  learningRate: learningRateField(0.1),
  batch: batchSizeField(1),
  speed: choice(speeds, "10"),
};

export const surfaceFields = {
  /** y = a·x + b; the logistic neuron with cross-entropy and with squares; y = b·tanh(a·x), which has a saddle. */
  model: choice(["line", "logistic", "squared", "saddle"], "line"),
  noise: range(0, 0.5, 0.01, 0.2),
  seed,
  /** Where descent starts, as a share of the picture's extent. */
  start: tuple<readonly [number, number]>([coordinate(1, -0.7), coordinate(1, 0.8)], "_"),
  optimizer: choice(
    optimizerNames.filter((name) => name !== "adamW"),
    "momentum",
  ),
  momentum,
  learningRate: learningRateField(0.1),
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

/** A mode with its settings, as the worker takes them. */
export type PlaygroundConfig =
  | ({ readonly mode: "classify" } & ClassifySettings)
  | ({ readonly mode: "regress" } & RegressSettings)
  | ({ readonly mode: "neuron" } & NeuronSettings)
  | ({ readonly mode: "surface" } & SurfaceSettings);
