/*
 * --init: starts a run from a saved model, to train for more epochs, on other data, or from imported weights.
 */
import type { Command } from "commander";
import { isRegression, type Dataset } from "../../data/dataset.ts";
import { standardizeTargets, targetsInUnits } from "../../data/table-data.ts";
import { featureNames, targetColumns, tableSchemaFrom, type TableSchema } from "../../data/table-schema.ts";
import { excerpt, OptionError } from "../../errors.ts";
import { initialValues } from "../../formats/model.ts";
import type { TensorValues } from "../../formats/safetensors.ts";
import { sizeOf } from "../../graph/tensor.ts";
import type { LayerSummary } from "../../nn/layers/layer.ts";
import { summarizeLayer } from "../../nn/layers/registry.ts";
import { layersToText } from "../../nn/index.ts";
import { modelFromConfig } from "../../nn/model-config.ts";
import { parameterPrefix, type Model } from "../../nn/sequential.ts";
import { loadModelFile, type TrainedModel } from "../../node/index.ts";
import type { ExampleSource } from "../data/data-source.ts";
import type { NetworkFlags } from "../options/network-options.ts";
import { isDenseNetwork } from "../text/network-text.ts";
import { field } from "../text/text.ts";
import { headOf } from "./network.ts";

/** The model that a run starts from. */
export interface StartingModel {
  /** The model's file. */
  readonly path: string;
  readonly trained: TrainedModel;
}

type Architecture = Pick<NetworkFlags, "hidden" | "activation" | "dropout" | "layers">;

/**
 * Reads the model of --init, and sets the options that describe a network to its layers: --hidden, --activation and
 * --dropout for dense layers that share one activation, and --layers for others.
 * @throws DataError for a file that is not a model; OptionError for a model that `wgrad train` cannot build, or a given
 * option that differs from the model
 */
export async function loadStartingModel(command: Command): Promise<StartingModel | undefined> {
  const { init: path } = command.opts<{ init?: string }>();
  if (path === undefined) return undefined;
  const trained = await loadModelFile(path);
  const architecture = architectureOf(trained.model, path);
  const { preset, layers } = command.opts<Pick<NetworkFlags, "preset" | "layers">>();
  if (preset !== undefined) throw otherArchitecture("preset", preset, path, "its own layers");
  if (layers !== undefined && layers !== architecture.layers)
    throw otherArchitecture("layers", layers, path, architecture.layers ?? "layers that --hidden describes");
  for (const [name, value] of Object.entries(architecture)) {
    if ([undefined, "default"].includes(command.getOptionValueSource(name)))
      command.setOptionValueWithSource(name, value, "init");
  }
  return { path, trained };
}

function architectureOf(model: Model, path: string): Partial<Architecture> {
  const dense = denseArchitecture(model);
  if (dense) return dense;
  const layers = layersToText(model.config.layers);
  if (layers !== undefined) return { layers };
  throw new OptionError({
    where: "--init",
    what: `${path} has custom layers or activations`,
    fix: "Use a model of the built-in layers, or train it with a program that has the custom ones",
  });
}

/** The options for dense layers that share one activation; undefined for other models. */
function denseArchitecture(model: Model): Partial<Architecture> | undefined {
  const layers = model.config.layers.map(summarizeLayer);
  if (!isDenseNetwork(model) || layers.some((layer) => isOnlyActivation(layer!))) return undefined;
  const dense = layers.filter((layer) => layer?.units !== undefined);
  const hidden = dense.slice(0, -1);
  const [activation, ...others] = new Set(hidden.map((layer) => layer!.activation as NetworkFlags["activation"]));
  if (dense.at(-1)?.activation !== "identity" || others.length > 0) return undefined;
  const { dropout } = layers.find((layer) => layer?.dropout !== undefined) ?? {};
  return {
    hidden: hidden.map((layer) => layer!.units!),
    ...(activation && { activation }),
    ...(dropout !== undefined && { dropout }),
  };
}

/** Whether a layer is an activation of its own; `buildNetwork` makes activations part of dense layers. */
const isOnlyActivation = ({ units, activation }: LayerSummary) => units === undefined && activation !== undefined;

/**
 * The data as the starting model expects them: with its normalization, and with its mean and deviation of the targets.
 * @throws OptionError with the first difference if the features are not those of the model
 */
export function dataForStart(data: ExampleSource, { path, trained }: StartingModel): ExampleSource {
  const before = trained.table && tableSchemaFrom(trained.table, path);
  const inputs = sizeOf(trained.model.inputShape);
  const refuse = (what: string) =>
    new OptionError({ where: "--init", what, fix: "Train on the same features as the model" });
  if (sizeOf(data.train.shape) !== inputs)
    throw refuse(`${path} expects ${inputs} features, but the examples have ${sizeOf(data.train.shape)}`);
  if (before && data.table) {
    const names = featureNames(data.table.columns);
    const at = featureNames(before.columns).findIndex((name, index) => name !== names[index]);
    if (at >= 0) {
      throw refuse(
        `feature ${at + 1} of ${path} is ${excerpt(featureNames(before.columns)[at])}, but that of the table is ${excerpt(names[at])}`,
      );
    }
  }
  const seen = { ...data, normalization: trained.normalization };
  return hasSameOutputs(trained, data.train) && before && data.table ? inUnitsOf(before, data.table, seen) : seen;
}

/** The data with the targets standardized as for the starting model, so that its outputs keep their meaning. */
function inUnitsOf(before: TableSchema, table: TableSchema, data: ExampleSource): ExampleSource {
  const [from, to] = [targetColumns(table), targetColumns(before)];
  if (from.length === 0 || to.length !== from.length) return data;
  const again = (part: Dataset): Dataset =>
    isRegression(part) ? { ...part, targets: standardizeTargets(targetsInUnits(part.targets, from), to) } : part;
  const [label, ...otherLabels] = from.map((column, index) => ({
    ...column,
    mean: to[index]!.mean,
    deviation: to[index]!.deviation,
  }));
  return {
    ...data,
    train: again(data.train),
    validation: data.validation && again(data.validation),
    test: data.test && again(data.test),
    table: { ...table, label: label!, ...(otherLabels.length > 0 && { otherLabels }) },
  };
}

/** Whether a model's classes or targets are those of the data, in the same order. */
export function hasSameOutputs({ classes, outputs }: TrainedModel, data: Dataset): boolean {
  if (isRegression(data)) return outputs?.join("\n") === data.outputs.join("\n");
  return outputs === undefined && classes.join("\n") === data.classes.join("\n");
}

/**
 * A new network with the starting model's values in all layers, but in the last one with weights only if the outputs
 * have the same meaning.
 * @throws OptionError if the hidden layers are not those of the model
 */
export function startedFrom(model: Model, flags: Architecture, { path, trained }: StartingModel, data: Dataset): Model {
  const before = architectureOf(trained.model, path);
  requireSameArchitecture(flags, before, path);
  const isSameHead = hasSameOutputs(trained, data);
  if (before.layers !== undefined) return withValuesOf(model, trained.model, isSameHead);
  const kept = denseValues(trained.model);
  const values = denseValues(model).flatMap((layer, index, all) => {
    const from = index < all.length - 1 || isSameHead ? kept[index]! : layer;
    // A layer without a bias gets a bias of zeros, which changes nothing.
    const bias = from.bias ?? { values: new Float32Array(layer.bias!.values.length) };
    return [[`${layer.name}.weight`, from.weight.values] as const, [`${layer.name}.bias`, bias.values] as const];
  });
  return modelFromConfig(model.config, Object.fromEntries(values));
}

/** A model with the values of another one with the same layers, except those of the last dense layer if it is new. */
function withValuesOf(model: Model, trained: Model, isSameHead: boolean): Model {
  const prefix = parameterPrefix(trained.config);
  const head = `layers.${headOf(model.config.layers)}.`;
  const before = initialValues(trained);
  const values = Object.entries(initialValues(model)).map(([name, own]) => {
    const from = !isSameHead && name.startsWith(head) ? own : before[prefix + name]!;
    return [name, from.values] as const;
  });
  return modelFromConfig(model.config, Object.fromEntries(values));
}

/** The lines of a run's summary about its starting model. */
export function startText({ path, trained }: StartingModel, data: Dataset): string[] {
  if (hasSameOutputs(trained, data)) return field("start", path);
  const before = trained.outputs ?? trained.classes;
  const now = isRegression(data) ? data.outputs : data.classes;
  const named = (names: readonly string[]) =>
    names.length > 4 ? `${names.slice(0, 3).join(", ")}, … (${names.length})` : names.join(", ");
  return field("start", `${path}, with a new last layer:`, ` its outputs were ${named(before)}, now ${named(now)}`);
}

function requireSameArchitecture(flags: Architecture, before: Partial<Architecture>, path: string): void {
  for (const name of ["hidden", "activation"] as const) {
    const [now, then] = [String(flags[name]), String(before[name] ?? flags[name])];
    if (now !== then) throw otherArchitecture(name, now || "none", path, then || "none");
  }
}

const otherArchitecture = (option: string, now: string, path: string, then: string) =>
  new OptionError({
    where: `--${option}`,
    what: `${now}, but ${path} has ${then}`,
    fix: `Omit --${option}: the network is that of the model of --init`,
  });

interface DenseValues {
  /** The name of the layer, such as "layers.1". */
  readonly name: string;
  readonly weight: TensorValues;
  readonly bias: TensorValues | undefined;
}

/** The values of the dense layers, in their order. */
function denseValues(model: Model): DenseValues[] {
  const values = initialValues(model);
  return Object.keys(values)
    .filter((name) => name.endsWith(".weight"))
    .map((weight) => {
      const name = weight.slice(0, -".weight".length);
      return { name, weight: values[weight]!, bias: values[`${name}.bias`] };
    });
}
