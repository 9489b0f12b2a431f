import {
  isRegression,
  makeClassificationDataset,
  standardization,
  unitScale,
  type ClassificationDataset,
  type Normalization,
  type Dataset,
} from "../../data/dataset.ts";
import { OptionError } from "../../errors.ts";
import { fanInUniform } from "../../nn/initializers.ts";
import { layersFromPartialConfigs } from "../../nn/layer-text/partial-config.ts";
import { layersFromText, models, type Layer, type LayerConfig } from "../../nn/index.ts";
import { dense, dropout as dropoutLayer, flatten } from "../../nn/layers/index.ts";
import { summarizeLayer } from "../../nn/layers/registry.ts";
import type { AdamWOptions, MomentumOptions, Optimizer } from "../../nn/optimizers.ts";
import { sequential, type Model } from "../../nn/sequential.ts";
import type { TrainerOptions } from "../../train/index.ts";
import type { TextDataset } from "../../data/text/dataset.ts";
import { adams, decayingOptimizers, optimizers } from "../options/options.ts";
import type { NetworkFlags } from "../options/network-options.ts";
import { refusedAs } from "../options/refused.ts";
import { networkText, parametersText, widthsText } from "../text/network-text.ts";
import { counted } from "../text/text.ts";
import { presetGpt, presetLayers } from "./presets.ts";

/** How `buildNetwork` builds a network. */
interface NetworkOptions {
  /** Whether to use PyTorch's initial values: a table has few features, for which He initialization is too large. */
  readonly isTable: boolean;
  /** Whether to replace the last dense layer of --layers by one with as many outputs as the data need. */
  readonly replacesHead?: boolean;
}

/**
 * Builds the network that the options describe, with the inputs and outputs of a data set.
 * @throws OptionError if the layers do not fit each other or the data
 */
export function buildNetwork(flags: NetworkFlags, data: Dataset, { isTable, replacesHead }: NetworkOptions): Model {
  const { hidden, activation, dropout, seed, layers, preset } = flags;
  const outputs = (isRegression(data) ? data.outputs : data.classes).length;
  const text = layers ?? presetLayers(preset, outputs);
  if (text !== undefined) {
    const made = layersFromText(text);
    return modelOf(replacesHead ? withOutputs(made, outputs) : made, data, {
      seed,
      outputs,
      where: layers === undefined ? `--preset ${preset}` : "--layers",
    });
  }
  const initial = isTable ? { weights: fanInUniform, biases: fanInUniform } : {};
  const inner = hidden.flatMap((width) => [
    dense(width, { activation, ...initial }),
    ...(dropout > 0 ? [dropoutLayer(dropout)] : []),
  ]);
  return sequential([flatten(), ...inner, dense(outputs, initial)], { inputShape: data.shape, seed });
}

/**
 * Builds the network that the options describe for a text: from [context] tokens to [context, vocabulary] logits.
 * @throws OptionError if the layers do not fit each other or the text
 */
export function buildTextNetwork(flags: NetworkFlags, { context, tokenizer }: TextDataset): Model {
  const { layers, preset, dropout, seed } = flags;
  const { vocabularySize: vocabulary } = tokenizer;
  const inputShape = [context];
  const sizes = presetGpt(preset);
  if (sizes) {
    const layer = refusedAs("--preset", () => models.gptLayer({ vocabulary, context, ...sizes, dropout }));
    return sequential([layer], { inputShape, seed });
  }
  const model = refusedAs("--layers", () => sequential(layersFromText(layers!), { inputShape, seed }));
  if (model.outputShape.join() === [context, vocabulary].join()) return model;
  throw new OptionError({
    where: "--layers",
    what: `the last layer has an output of shape [${model.outputShape.join(", ")}], not [${context}, ${vocabulary}]: the context and the vocabulary`,
    fix: `Give layers such as tied(gru 64 sequences=true) ${vocabulary} 64`,
  });
}

interface ModelParts {
  readonly seed: number;
  readonly outputs: number;
  /** The option with the layers, for messages. */
  readonly where: string;
}

/** @throws OptionError if the layers do not fit each other or the data */
function modelOf(layers: readonly Layer[], data: Dataset, { seed, outputs, where }: ModelParts): Model {
  const model = refusedAs(where, () => sequential(layers, { inputShape: data.shape, seed }));
  const { outputShape } = model;
  // A loss for two classes may take a single output; the trainer checks this.
  const isSingle = outputs === 2 && !isRegression(data) && outputShape.join() === "1";
  if (outputShape.join() === String(outputs) || isSingle) return model;
  const needed = counted(outputs, isRegression(data) ? "target" : "class", isRegression(data) ? "targets" : "classes");
  throw new OptionError({
    where,
    what: `the last layer has an output of shape [${outputShape.join(", ")}], but the data have ${needed}`,
    fix: `Let the layers end with ${outputShape.length > 1 ? "flatten, " : ""}dense ${outputs}`,
  });
}

/** The index of the last layer whose number of outputs can be chosen, a dense layer; -1 if there is none. */
export const headOf = (layers: readonly LayerConfig[]): number =>
  layers.findLastIndex((config) => summarizeLayer(config)?.units !== undefined);

/** Layers whose last dense layer has this number of outputs. */
function withOutputs(layers: readonly Layer[], outputs: number): Layer[] {
  const head = headOf(layers.map(({ config }) => config));
  return layers.flatMap((layer, index) =>
    index === head ? layersFromPartialConfigs("--layers", [{ ...layer.config, units: outputs }]) : [layer],
  );
}

/** A network in words, such as "784-128-10 relu, 101,770 parameters", with the precision if it is not float32. */
export function describeNetwork(flags: NetworkFlags, model: Model): string {
  const { hidden, activation, dropout, precision } = flags;
  const products = precision === "float32" ? "" : `, ${precision} products`;
  const gpt = presetGpt(flags.preset);
  const dropped = dropout > 0 ? `, dropout ${dropout}` : "";
  if (gpt) {
    const { layers, heads, width } = gpt;
    const sizes = `${counted(layers, "block")} of ${counted(heads, "head")}, width ${width}`;
    return `${flags.preset}, ${sizes}${dropped}, ${parametersText(model)}${products}`;
  }
  if (flags.layers !== undefined || presetLayers(flags.preset, 1) !== undefined) return networkText(model) + products;
  const left = hidden.length > 0 ? dropped : "";
  const between = hidden.length > 0 ? ` ${activation}` : ", linear";
  return `${widthsText(model)}${between}${left}, ${parametersText(model)}${products}`;
}

/** The batch size: by default 64, or all examples if there are fewer. */
export const batchOf = ({ batch }: Pick<NetworkFlags, "batch">, examples: number): number | "full" =>
  batch ?? Math.min(64, examples);

/** The number of examples of a batch. */
export function batchSizeOf(flags: Pick<NetworkFlags, "batch">, examples: number): number {
  const batch = batchOf(flags, examples);
  return batch === "full" ? examples : batch;
}

type StepOptions = Pick<
  TrainerOptions,
  "loss" | "optimizer" | "batchSize" | "seed" | "clipNorm" | "precision" | "recompute" | "activationStorage"
>;

/** The options of a trainer that follow from the network's options and the number of examples. */
export function stepOptions(flags: NetworkFlags, examples: number): StepOptions & Pick<TrainerOptions, "batchSize"> {
  const { loss, clipNorm, seed, precision, recompute, activationStorage } = flags;
  return {
    optimizer: optimizerOf(flags),
    batchSize: batchOf(flags, examples),
    seed,
    precision,
    loss,
    clipNorm,
    recompute,
    activationStorage,
  };
}

/** Creates the optimizer that the options describe. */
export function optimizerOf(flags: NetworkFlags): Optimizer {
  const { optimizer = "adam", weightDecay, beta2, momentumForm } = flags;
  const hasForm = optimizer === "momentum" || optimizer === "nesterov";
  if (momentumForm !== undefined && !hasForm) {
    throw new OptionError({
      where: "--momentum-form",
      what: `${optimizer} has no momentum`,
      fix: "Use --optimizer momentum or nesterov",
    });
  }
  if (weightDecay !== undefined && !(optimizer in decayingOptimizers))
    throw withoutNumber("--weight-decay", `${optimizer} has no weight decay`, decayingOptimizers);
  if (beta2 !== undefined && !(optimizer in adams))
    throw withoutNumber("--beta2", `${optimizer} has no second moment`, adams);
  const make: (options: AdamWOptions & MomentumOptions) => Optimizer = optimizers[optimizer];
  return make({ weightDecay, beta2, form: momentumForm });
}

const withoutNumber = (where: string, what: string, having: object) =>
  new OptionError({ where, what, fix: `Use --optimizer ${Object.keys(having).join(" or ")}` });

/** The normalization of images: standardized, or scaled to 0 … 1. */
export function normalizationOf(
  { standardize }: Pick<NetworkFlags, "standardize">,
  { features }: Dataset,
): Normalization {
  return standardize ? standardization(features) : unitScale;
}

/** A black data set of MNIST's size, for commands that depend only on shapes. */
export function blankMnist(): ClassificationDataset {
  const [examples, side] = [60_000, 28];
  return makeClassificationDataset({
    name: "blank images",
    features: new Uint8Array(examples * side * side),
    shape: [side, side],
    labels: new Uint32Array(examples),
    classes: Array.from({ length: 10 }, (_, digit) => String(digit)),
  });
}
