/*
 * Converts the visitor's settings to the library's models and options, and a loaded model to settings.
 */
import {
  dense,
  dropout,
  optimizers,
  schedules,
  sequential,
  type LayerConfig,
  type LayerSummary,
  type Model,
  type Optimizer,
  type Schedule,
  type Tensor,
  type TrainedModel,
} from "../../../index.ts";
import { byFolder } from "../../../nn/layers/by-folder.ts";
import type { LayerType } from "../../../nn/layers/layer.ts";
import { optimizerNames } from "../../shared/training-fields.ts";
import { defaultSettings, scheduleNames, type DigitsSettings, type HiddenLayer } from "../settings.ts";

/** The number of warm-up steps of the schedule with warm-up. */
const WARMUP_STEPS = 100;

export function modelOf({ layers, seed }: DigitsSettings, features: number, classes: number): Model {
  const hidden = layers.flatMap(({ units, activation, dropout: rate }) => [
    dense(units, { activation }),
    ...(rate > 0 ? [dropout(rate)] : []),
  ]);
  return sequential([...hidden, dense(classes)], { inputShape: [features], seed });
}

/** Named one by one, so that the page carries no other optimizers and schedules. */
const usedOptimizers = {
  sgd: optimizers.sgd,
  momentum: optimizers.momentum,
  nesterov: optimizers.nesterov,
  rmsprop: optimizers.rmsprop,
  adam: optimizers.adam,
  adamW: optimizers.adamW,
} satisfies Record<DigitsSettings["optimizer"], () => Optimizer>;

const usedSchedules = {
  constant: schedules.constant,
  step: schedules.step,
  exponential: schedules.exponential,
  cosine: schedules.cosine,
  warmup: () => schedules.warmup(WARMUP_STEPS, schedules.cosine()),
} satisfies Record<DigitsSettings["schedule"], () => Schedule>;

export function optimizerOf({ optimizer }: DigitsSettings): Optimizer {
  return usedOptimizers[optimizer]();
}

export function scheduleOf({ schedule }: DigitsSettings): Schedule {
  return usedSchedules[schedule]();
}

/** The weights of a chain of dense layers. Only the first ones, if the rest is no such chain; none, if the first are no matrix. */
export function denseWeights([first, ...others]: readonly Tensor[]): readonly Tensor[] {
  if (first?.shape.length !== 2) return [];
  const matrices = [first, ...others].filter(({ shape }) => shape.length !== 1);
  const isChain = matrices.every(
    ({ shape }, index) => shape.length === 2 && (index === 0 || shape[0] === matrices[index - 1]!.shape[1]),
  );
  return isChain ? matrices : [first];
}

/** The settings that a model file records about its training. */
export function factsOf({ optimizer, learningRate, schedule, batchSize, epochs, seed }: DigitsSettings, data: string) {
  return { optimizer, learningRate, schedule, batchSize, epochs, seed, data };
}

/** The settings for a loaded model: those that its file contains, and the previous ones for the rest. */
export function settingsOf({ model, loss, training }: TrainedModel, before: DigitsSettings): DigitsSettings {
  const known = <Name extends string>(names: readonly Name[], value: unknown, usual: Name) =>
    names.find((name) => name === value) ?? usual;
  const numberOf = (name: "learningRate" | "batchSize" | "epochs") => {
    const value = training[name];
    return typeof value === "number" && value > 0 ? value : before[name];
  };
  return {
    layers: hiddenLayers(model.config.layers),
    loss: typeof loss === "string" ? loss : before.loss,
    optimizer: known(optimizerNames, training["optimizer"], defaultSettings.optimizer),
    learningRate: numberOf("learningRate"),
    schedule: known(scheduleNames, training["schedule"], defaultSettings.schedule),
    batchSize: numberOf("batchSize"),
    epochs: numberOf("epochs"),
    seed: model.seed,
    data: before.data,
    drawingCopies: before.drawingCopies,
  };
}

/** The types of layers with a summary. The library's `summarizeLayer` would load all others. */
const summarizedTypes = byFolder<LayerType>(
  import.meta.glob("../../../nn/layers/{activation,dense,dropout,flatten}/index.ts", {
    eager: true,
    import: "layerType",
  }),
);

/** Summarizes a layer of a network of dense layers. */
export const summarizeLayer = (config: LayerConfig): LayerSummary | undefined =>
  Object.hasOwn(summarizedTypes, config.type) ? summarizedTypes[config.type]!.summarize?.(config) : undefined;

/** The hidden layers as the editor shows them: activation and dropout layers belong to the dense layer before them. */
export function hiddenLayers(configs: readonly LayerConfig[]): HiddenLayer[] {
  const layers: HiddenLayer[] = [];
  for (const config of configs) {
    const summary = summarizeLayer(config);
    if (summary?.units !== undefined) layers.push({ activation: "identity", dropout: 0, ...summary } as HiddenLayer);
    else if (layers.length > 0) layers.push({ ...layers.pop()!, ...summary } as HiddenLayer);
  }
  return layers.slice(0, -1);
}
