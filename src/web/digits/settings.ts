/*
 * What the visitor chooses on the Digits tab, as plain JSON, and the same as an address.
 */
import { activations, losses, type ActivationName, type LossName } from "../../index.ts";

export interface HiddenLayer {
  readonly units: number;
  readonly activation: ActivationName;
  /** The share of outputs dropped in training; 0 for none. */
  readonly dropout: number;
}

export const optimizerNames = ["sgd", "momentum", "nesterov", "rmsprop", "adam", "adamW"] as const;
export const scheduleNames = ["constant", "step", "exponential", "cosine", "warmup"] as const;
export const dataChoices = ["auto", "digits", "mnist"] as const;

export interface DigitsSettings {
  /** Hidden layers; the layer of ten outputs follows. */
  readonly layers: readonly HiddenLayer[];
  readonly loss: LossName;
  readonly optimizer: (typeof optimizerNames)[number];
  readonly learningRate: number;
  readonly schedule: (typeof scheduleNames)[number];
  readonly batchSize: number;
  readonly epochs: number;
  readonly seed: number;
  /** "auto" is MNIST where its files lie beside the page, else the built-in digits. */
  readonly data: (typeof dataChoices)[number];
}

export const mostLayers = 5;

/** The least and the most of each number. The widest network fits a browser's smallest buffers. */
export const ranges = {
  units: [1, 2048],
  dropout: [0, 0.9],
  learningRate: [1e-6, 10],
  batchSize: [1, 1024],
  epochs: [1, 1000],
  seed: [0, 2 ** 32 - 1],
} as const satisfies Record<string, readonly [number, number]>;

const relu = (units: number, dropout = 0): HiddenLayer => ({ units, activation: "relu", dropout });

export const defaultSettings: DigitsSettings = {
  layers: [relu(64)],
  loss: "softmaxCrossEntropy",
  optimizer: "adam",
  learningRate: 0.003,
  schedule: "cosine",
  batchSize: 64,
  epochs: 20,
  seed: 1,
  data: "auto",
};

/** Networks to begin with, by their names on the page. */
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

/** What a change of these needs: weights drawn anew, and all steps again. */
export function needsRestart(before: DigitsSettings, after: DigitsSettings): boolean {
  const fixed = ({ layers, loss, optimizer, seed, data }: DigitsSettings) => JSON.stringify([layers, loss, optimizer, seed, data]);
  return fixed(before) !== fixed(after);
}

/** Settings with the options of others: what may change while the network learns. */
export const withOptions = (settings: DigitsSettings, { learningRate, schedule, batchSize, epochs }: DigitsSettings): DigitsSettings => ({
  ...settings,
  learningRate,
  schedule,
  batchSize,
  epochs,
});

/** What is wrong with the settings, by field, in words for the visitor; nothing where all is well. */
export function faultsOf(settings: DigitsSettings): string[] {
  const { layers, learningRate, batchSize, epochs, seed } = settings;
  const inRange = (name: keyof typeof ranges, value: number, whole: boolean) => {
    const [least, most] = ranges[name];
    if (value >= least && value <= most && (!whole || Number.isInteger(value))) return [];
    return [`${names[name]} must be ${whole ? "a whole number" : "a number"} in ${least} … ${most}`];
  };
  return [
    ...(layers.length > mostLayers ? [`at most ${mostLayers} hidden layers`] : []),
    ...layers.flatMap(({ units, dropout }) => [...inRange("units", units, true), ...inRange("dropout", dropout, false)]),
    ...inRange("learningRate", learningRate, false),
    ...inRange("batchSize", batchSize, true),
    ...inRange("epochs", epochs, true),
    ...inRange("seed", seed, true),
  ];
}

const names: Record<keyof typeof ranges, string> = {
  units: "a layer's width",
  dropout: "dropout",
  learningRate: "the learning rate",
  batchSize: "the batch size",
  epochs: "epochs",
  seed: "the seed",
};

/** Such as `layers=128-relu-0.2,64-tanh&loss=…&optimizer=adam&rate=0.003&…`. */
export function formatSettings(settings: DigitsSettings): URLSearchParams {
  const { layers, loss, optimizer, learningRate, schedule, batchSize, epochs, seed, data } = settings;
  const written = layers.map(({ units, activation, dropout }) => [units, activation, ...(dropout > 0 ? [dropout] : [])].join("-"));
  return new URLSearchParams({
    layers: written.join(","),
    loss,
    optimizer,
    rate: String(learningRate),
    schedule,
    batch: String(batchSize),
    epochs: String(epochs),
    seed: String(seed),
    data,
  });
}

/**
 * Reads what `formatSettings` wrote. What is missing has its default; what makes no sense has it too, and is named.
 */
export function parseSettings(params: URLSearchParams): { settings: DigitsSettings; faults: string[] } {
  const faults: string[] = [];
  function read<Value>(name: string, usual: Value, valueOf: (text: string) => Value | undefined): Value {
    const text = params.get(name);
    if (text === null) return usual;
    const value = valueOf(text);
    if (value !== undefined) return value;
    faults.push(`${name}=${text}`);
    return usual;
  }
  const oneOf = <Name extends string>(known: readonly Name[]) => (text: string) => known.find((name) => name === text);
  const numberIn = (name: keyof typeof ranges) => (text: string) => numberOf(text, name);
  const usual = defaultSettings;
  const settings: DigitsSettings = {
    layers: read("layers", usual.layers, parseLayers),
    loss: read("loss", usual.loss, oneOf(Object.keys(losses) as LossName[])),
    optimizer: read("optimizer", usual.optimizer, oneOf(optimizerNames)),
    learningRate: read("rate", usual.learningRate, numberIn("learningRate")),
    schedule: read("schedule", usual.schedule, oneOf(scheduleNames)),
    batchSize: read("batch", usual.batchSize, numberIn("batchSize")),
    epochs: read("epochs", usual.epochs, numberIn("epochs")),
    seed: read("seed", usual.seed, numberIn("seed")),
    data: read("data", usual.data, oneOf(dataChoices)),
  };
  return { settings, faults };
}

function parseLayers(text: string): HiddenLayer[] | undefined {
  const parts = text === "" ? [] : text.split(",");
  if (parts.length > mostLayers) return undefined;
  const layers = parts.map((part) => {
    const match = /^(\d+)-([A-Za-z]+)(?:-([0-9.e-]+))?$/.exec(part);
    const [units, dropout] = [numberOf(match?.[1], "units"), numberOf(match?.[3] ?? "0", "dropout")];
    const activation = match?.[2] ?? "";
    if (units === undefined || dropout === undefined || !Object.hasOwn(activations, activation)) return undefined;
    return { units, activation: activation as ActivationName, dropout };
  });
  return layers.every((layer) => layer !== undefined) ? layers : undefined;
}

function numberOf(text: string | undefined, name: keyof typeof ranges): number | undefined {
  const value = text === undefined || text.trim() === "" ? NaN : Number(text);
  const [least, most] = ranges[name];
  const whole = name !== "learningRate" && name !== "dropout";
  return value >= least && value <= most && (!whole || Number.isInteger(value)) ? value : undefined;
}
