/*
 * The settings of the Digits tab, as plain JSON and as parameters of the address.
 */
import {
  choice,
  fallbacks,
  keyed,
  list,
  range,
  readFields,
  record,
  writeFields,
  type RangeField,
  type Settings,
} from "../shared/address/codec.ts";
import { activationNames, lossNames } from "../shared/names.ts";
import { batchSizeField, learningRateField, optimizerNames } from "../shared/training-fields.ts";

export const scheduleNames = ["constant", "step", "exponential", "cosine", "warmup"] as const;

/** "auto" is MNIST if its files are beside the page, and otherwise the built-in digits. */
const dataChoices = ["auto", "digits", "mnist"] as const;

export const MOST_LAYERS = 5;

/** A hidden layer. The widest network fits the default buffer limits of WebGPU. */
export const layerFields = {
  units: range(1, 2048, 1, 64),
  activation: choice(activationNames, "relu"),
  /** The probability that training drops an output. */
  dropout: range(0, 0.9, 0.05, 0),
};

export type HiddenLayer = Settings<typeof layerFields>;

const relu = (units: number, dropout = 0): HiddenLayer => ({ units, activation: "relu", dropout });

/** All settings in the order of the address: `layers=128-relu-0.2,64-tanh&loss=…&optimizer=adam&rate=0.003&…`. */
export const fields = {
  /** The hidden layers; the layer of ten outputs follows them. */
  layers: list(record(layerFields, { between: "-", required: 2 }), { between: ",", none: "", most: MOST_LAYERS }, [
    relu(64),
  ]),
  loss: choice(lossNames, "softmaxCrossEntropy"),
  optimizer: choice(optimizerNames, "adam"),
  learningRate: keyed("rate", learningRateField(0.003)),
  schedule: choice(scheduleNames, "cosine"),
  batchSize: keyed("batch", batchSizeField(64)),
  epochs: range(1, 1000, 1, 20),
  seed: range(0, 2 ** 32 - 1, 1, 1),
  data: choice(dataChoices, "auto"),
};

/** What the address has only if it differs from the default. */
export const rareFields = {
  /** How often an epoch has each drawing that the visitor has kept. */
  drawingCopies: keyed("drawings", range(0, 100, 1, 0)),
};

export type DigitsSettings = Settings<typeof fields> & Settings<typeof rareFields>;

export const defaultSettings: DigitsSettings = { ...fallbacks(fields), ...fallbacks(rareFields) };

/** Example networks, by their names on the page. */
export const presets: Readonly<Record<string, DigitsSettings>> = {
  "Small (64)": defaultSettings,
  "Classic (128)": { ...defaultSettings, layers: [relu(128)], learningRate: 0.002 },
  "Deep (128, 64, 32)": { ...defaultSettings, layers: [relu(128), relu(64), relu(32)], learningRate: 0.002 },
  "Wide, dropout (512)": { ...defaultSettings, layers: [relu(512, 0.3)], learningRate: 0.001, batchSize: 128 },
  "No hidden layer": { ...defaultSettings, layers: [], learningRate: 0.005 },
  "1986 (sigmoid, momentum)": {
    ...defaultSettings,
    layers: [{ units: 30, activation: "sigmoid", dropout: 0 }],
    loss: "halfSumOfSquares",
    optimizer: "momentum",
    learningRate: 0.02,
    schedule: "constant",
    batchSize: 16,
  },
};

/** Whether a change of settings needs new weights and a restart at step 0. */
export function needsRestart(before: DigitsSettings, after: DigitsSettings): boolean {
  const fixed = ({ layers, loss, optimizer, seed, data }: DigitsSettings) =>
    JSON.stringify([layers, loss, optimizer, seed, data]);
  return fixed(before) !== fixed(after);
}

/** Messages about settings that are not allowed. */
export function faultsOf(settings: DigitsSettings): string[] {
  const { layers, learningRate, batchSize, epochs, seed, drawingCopies } = settings;
  const outside = (name: string, { min, max, whole, allows }: RangeField, value: number) =>
    allows(value) ? [] : [`${name} must be ${whole ? "a whole number" : "a number"} from ${min} to ${max}`];
  return [
    ...(layers.length > MOST_LAYERS ? [`A network has at most ${MOST_LAYERS} hidden layers`] : []),
    ...layers.flatMap(({ units, dropout }) => [
      ...outside("Units", layerFields.units, units),
      ...outside("Dropout", layerFields.dropout, dropout),
    ]),
    ...outside("Learning rate", fields.learningRate, learningRate),
    ...outside("Batch size", fields.batchSize, batchSize),
    ...outside("Epochs", fields.epochs, epochs),
    ...outside("Seed", fields.seed, seed),
    ...outside("Copies of a drawing", rareFields.drawingCopies, drawingCopies),
  ];
}

/** All settings as parameters of the address. Most of them are there even if they have their defaults. */
export function formatSettings(settings: DigitsSettings): URLSearchParams {
  const params = new URLSearchParams();
  writeFields(params, fields, settings, { all: true });
  writeFields(params, rareFields, settings);
  return params;
}

/** Reads what `formatSettings` wrote. What is missing or not allowed gets its default; `faults` names what is not allowed. */
export function parseSettings(params: URLSearchParams): { settings: DigitsSettings; faults: string[] } {
  const faults: string[] = [];
  return { settings: { ...readFields(params, fields, faults), ...readFields(params, rareFields, faults) }, faults };
}
