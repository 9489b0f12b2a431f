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
import { modelFromConfig } from "../../nn/model-config.ts";
import type { Model } from "../../nn/sequential.ts";
import { loadModelFile, type TrainedModel } from "../../node/index.ts";
import type { TrainingSource } from "../data/data-source.ts";
import type { NetworkFlags } from "../options/options.ts";
import { field } from "../text/text.ts";

/** The model that a run starts from. */
export interface StartingModel {
  /** The model's file. */
  readonly path: string;
  readonly trained: TrainedModel;
}

type Architecture = Pick<NetworkFlags, "hidden" | "activation" | "dropout">;

/**
 * Reads the model of --init, and sets --hidden, --activation and --dropout to its values unless they are given.
 * @throws DataError for a file that is not a model; OptionError for a model that `wgrad train` cannot build
 */
export async function loadStartingModel(command: Command): Promise<StartingModel | undefined> {
  const { init: path } = command.opts<{ init?: string }>();
  if (path === undefined) return undefined;
  const trained = await loadModelFile(path);
  for (const [name, value] of Object.entries(architectureOf(trained.model, path))) {
    if (command.getOptionValueSource(name) === "default") command.setOptionValueWithSource(name, value, "init");
  }
  return { path, trained };
}

function architectureOf({ config }: Model, path: string): Partial<Architecture> {
  const refuse = (what: string) =>
    new OptionError({
      where: "--init",
      what: `${path} ${what}`,
      fix: "Use a model of dense layers that share one activation",
    });
  const layers = config.layers.map((layer) => {
    const summary = summarizeLayer(layer);
    if (!summary || isOnlyActivation(summary)) throw refuse(`has a layer of type ${excerpt(layer.type)}`);
    return summary;
  });
  const dense = layers.filter(({ units }) => units !== undefined);
  const hidden = dense.slice(0, -1);
  const [activation, ...others] = new Set(hidden.map((layer) => layer.activation as NetworkFlags["activation"]));
  if (dense.at(-1)?.activation !== "identity") throw refuse("has an activation after its last layer");
  if (others.length > 0) throw refuse(`has several activations, ${[activation, ...others].join(", ")}`);
  const { dropout } = layers.find((layer) => layer.dropout !== undefined) ?? {};
  return {
    hidden: hidden.map(({ units }) => units!),
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
export function dataForStart(data: TrainingSource, { path, trained }: StartingModel): TrainingSource {
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
function inUnitsOf(before: TableSchema, table: TableSchema, data: TrainingSource): TrainingSource {
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
function hasSameOutputs({ classes, outputs }: TrainedModel, data: Dataset): boolean {
  if (isRegression(data)) return outputs?.join("\n") === data.outputs.join("\n");
  return outputs === undefined && classes.join("\n") === data.classes.join("\n");
}

/**
 * A new network with the starting model's values in all layers, but in the last one only if the outputs have the same
 * meaning.
 * @throws OptionError if the hidden layers are not those of the model
 */
export function startedFrom(model: Model, flags: Architecture, { path, trained }: StartingModel, data: Dataset): Model {
  requireSameArchitecture(flags, architectureOf(trained.model, path), path);
  const kept = denseValues(trained.model);
  const isSameHead = hasSameOutputs(trained, data);
  const values = denseValues(model).flatMap((layer, index, all) => {
    const from = index < all.length - 1 || isSameHead ? kept[index]! : layer;
    // A layer without a bias gets a bias of zeros, which changes nothing.
    const bias = from.bias ?? { values: new Float32Array(layer.bias!.values.length) };
    return [[`${layer.name}.weight`, from.weight.values] as const, [`${layer.name}.bias`, bias.values] as const];
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
    if (now === then) continue;
    const what = `${now || "none"}, but ${path} has ${then || "none"}`;
    throw new OptionError({
      where: `--${name}`,
      what,
      fix: `Omit --${name}: it is taken from the model of --init`,
    });
  }
}

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
