/*
 * A trained model as a safetensors file: its parameters by their names, and in the metadata, as JSON, all else that is
 * needed to use it again.
 */
import type { Normalization } from "../data/dataset.ts";
import { isNormalization } from "../data/normalization.ts";
import { DataError, excerpt, OptionError, WgradError } from "../errors.ts";
import { requireDistinctNames, type StoredAttributes } from "../graph/leaves.ts";
import { sameShape, sizeOf } from "../graph/tensor.ts";
import type { ModelExtensions } from "../nn/extensions.ts";
import { losses, requireOutputs, requireTargets, type LossName, type TrainingLoss } from "../nn/losses.ts";
import { modelFromConfig, parametersOfConfig } from "../nn/model-config.ts";
import type { Model } from "../nn/sequential.ts";
import { version } from "../version.ts";
import { DIGEST, digestOf } from "./digest.ts";
import { parseJson } from "./json.ts";
import {
  readSafetensors,
  writeSafetensors,
  type NamedTensor,
  type Safetensors,
  type TensorValues,
} from "./safetensors.ts";

/** Plain facts for a reader; a number that is not finite becomes null in the file. */
export type Facts = Readonly<Record<string, string | number | boolean | null>>;

/** A trained model and how it came about. */
export interface TrainedModel {
  /** The network. Read from a file, its parameters have the file's values as their initial ones. */
  readonly model: Model;
  /** A name, or a loss of one's own, of which a file keeps the name. */
  readonly loss: LossName | TrainingLoss;
  /** What the model sees of a feature: feature · scale + offset, for all features or for each its own. */
  readonly normalization: Normalization;
  /** The name of each class; none of a model of quantities. */
  readonly classes: readonly string[];
  /** The names of the outputs of a model of quantities. */
  readonly outputs?: readonly string[];
  /** Steps that the parameters have seen. */
  readonly step: number;
  /** The options of the training. */
  readonly training: Facts;
  /** What every option of the command line was, as its configuration file would say it. */
  readonly configuration?: Readonly<Record<string, unknown>>;
  /** How a table's columns become features, as `TableSchema` describes it. */
  readonly table?: object;
  /** What the test set gave, if it was used. */
  readonly results?: Facts;
}

/** What stands behind the names in a model's file that are not wgrad's own. */
export interface FileExtensions extends ModelExtensions {
  readonly losses?: readonly TrainingLoss[];
}

/** The format of files with a digest. */
const FORMAT = "wgrad-2";

/** The format of earlier files, which have none. */
const FORMAT_WITHOUT_DIGEST = "wgrad";

/** Before the names of the optimizer's states in a checkpoint, which is a model as well. */
export const OPTIMIZER_PREFIX = "optimizer.";

const NOT_A_MODEL = "Give a model file that wgrad wrote; `wgrad import` makes one from a file of PyTorch";

/** Values by parameter. */
export type ParameterValues = Readonly<Record<string, TensorValues>>;

/** The values that the parameters have before a step, which of a model that was read are those of its file. */
export function initialValues({ parameters }: Model): ParameterValues {
  const entries = parameters.map(({ attributes, shape, size }) => {
    const { name, initial } = attributes as StoredAttributes;
    return [name, { shape, values: initial ?? new Float32Array(size) }] as const;
  });
  return Object.fromEntries(entries);
}

/**
 * Writes a model with the given values of its parameters, such as those of a snapshot.
 * @param parameters values for each of the model's parameters, by name
 * @returns the bytes of a safetensors file
 * @throws OptionError for what `loadModel` would refuse: naming the parameter, for values that are missing, too many or
 * of another shape than the model's config says; naming the entry, for facts that a file cannot keep; and for a loss of
 * one's own under a name of wgrad's. GraphError for two parameters of one name
 */
export function saveModel(trained: TrainedModel, parameters: ParameterValues): Uint8Array {
  const metadata = modelMetadata(trained);
  requireLoadable(trained, parameters, metadata);
  const tensors = Object.entries(parameters).map(([name, { shape, values }]) => ({ name, shape, values }));
  return writeModelFile(tensors, metadata);
}

/** @throws OptionError, or GraphError for two parameters of one name, for what `loadModel` would refuse */
function requireLoadable(
  trained: TrainedModel,
  parameters: ParameterValues,
  metadata: Readonly<Record<string, string>>,
): void {
  const { model, loss } = trained;
  requireDistinctNames("saveModel", model.parameters);
  requireParameters(model, parameters);
  const described = parametersOfConfig(model.config);
  if (described) requireParameters({ parameters: described }, parameters);
  try {
    trainedOf(model, new Metadata(metadata, "saveModel"), "saveModel", typeof loss === "object" ? [loss] : []);
  } catch (cause) {
    if (!(cause instanceof DataError)) throw cause;
    throw new OptionError(
      { where: "saveModel", what: cause.what, fix: "Correct it: loadModel would refuse the file" },
      { cause },
    );
  }
}

/** A safetensors file of a model, with a digest of all that it says. */
export function writeModelFile(
  tensors: readonly NamedTensor[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  return writeSafetensors(tensors, { ...metadata, [DIGEST]: digestOf(tensors, metadata) });
}

/** Whether a file's metadata are those of a model of wgrad's. */
export function isModelFile({ metadata }: Pick<Safetensors, "metadata">): boolean {
  return metadata["format"] === FORMAT || metadata["format"] === FORMAT_WITHOUT_DIGEST;
}

/** @throws OptionError naming the parameter, for values that are missing, too many or of another shape than the model's */
export function requireParameters({ parameters: wanted }: Pick<Model, "parameters">, given: ParameterValues): void {
  const fix = "Give the values of this model's parameters";
  const shapes = new Map(wanted.map(({ attributes, shape }) => [(attributes as StoredAttributes).name, shape]));
  for (const [where, shape] of shapes) {
    const found = Object.hasOwn(given, where) ? given[where] : undefined;
    if (!found) throw new OptionError({ where, what: "the values of this parameter are missing", fix });
    if (!sameShape(found.shape, shape) || found.values.length !== sizeOf(shape)) {
      const what = `${found.values.length} values of shape [${found.shape.join(", ")}] for shape [${shape.join(", ")}]`;
      throw new OptionError({ where, what, fix });
    }
  }
  const extra = Object.keys(given).find((name) => !shapes.has(name));
  if (extra !== undefined)
    throw new OptionError({ where: excerpt(extra), what: "the model has no such parameter", fix });
}

/** All of a model but its parameters, as a file's metadata. */
export function modelMetadata(trained: TrainedModel): Record<string, string> {
  const { model, loss, normalization, classes, outputs, step, training, configuration, table, results } = trained;
  return {
    format: FORMAT,
    version,
    loss: lossName(loss),
    model: JSON.stringify(model.config),
    normalization: JSON.stringify(normalization),
    ...(outputs ? { outputs: JSON.stringify(outputs) } : { classes: JSON.stringify(classes) }),
    step: JSON.stringify(step),
    training: JSON.stringify(training),
    ...(configuration && { configuration: JSON.stringify(configuration) }),
    ...(table && { table: JSON.stringify(table) }),
    ...(results && { results: JSON.stringify(results) }),
  };
}

/**
 * Reads a file that `saveModel` wrote.
 * @param bytes the whole file
 * @param where the file's name, for messages
 * @param extensions what layers, activations and losses of one's own are, where the model has any
 * @throws DataError for anything that `readSafetensors` refuses; for a safetensors file that is no model of wgrad, or
 * whose contents are not those of its digest (files of versions before the digest have none, and are read without);
 * naming the entry, for metadata that is missing or not what it should be; and naming the tensor and both shapes, for
 * tensors that are not the network's parameters
 */
export function loadModel(bytes: Uint8Array, where: string, extensions: FileExtensions = {}): TrainedModel {
  return modelOfFile(readSafetensors(bytes, where), where, extensions);
}

/** The same of a file that is read already. */
export function modelOfFile(file: Safetensors, where: string, extensions: FileExtensions = {}): TrainedModel {
  if (!isModelFile(file)) {
    throw new DataError({ where, what: "this is a safetensors file, but no model that wgrad wrote", fix: NOT_A_MODEL });
  }
  requireDigest(file, where);
  return restoreTrained(file, where, extensions);
}

/** @throws DataError where a file does not say what it said when it was written */
function requireDigest({ tensors, metadata }: Safetensors, where: string): void {
  if (metadata["format"] === FORMAT_WITHOUT_DIGEST) return;
  const named = Array.from(tensors, ([name, tensor]) => ({ name, ...tensor }));
  const found = digestOf(named, metadata);
  if (metadata[DIGEST] === found) return;
  const what = `the file is damaged: its contents have the digest ${found}, but it was written with ${excerpt(metadata[DIGEST])}`;
  throw new DataError({ where, what, fix: "Take another copy of the file" });
}

/**
 * The model that metadata such as `modelMetadata` makes describes.
 * @param tensors the parameters' values
 * @param where the file's name, for messages
 * @throws DataError, as `loadModel` does
 */
export function restoreTrained(
  { tensors, metadata }: Safetensors,
  where: string,
  extensions: FileExtensions = {},
): TrainedModel {
  const entries = new Metadata(metadata, where);
  const model = restoreModel(entries.json("model", isFilled), { tensors, where, extensions });
  return trainedOf(model, entries, where, extensions.losses);
}

/** A model with what the metadata say of it. */
function trainedOf(model: Model, entries: Metadata, where: string, ownLosses: FileExtensions["losses"]): TrainedModel {
  const loss = lossNamed(entries.text("loss", isText), where, ownLosses);
  const outputNames = entries.has("outputs")
    ? { classes: [], outputs: entries.json("outputs", isNames) }
    : { classes: entries.json("classes", isNames) };
  requireOutputNames(model, loss, outputNames, where);
  return {
    model,
    loss,
    normalization: entries.json("normalization", (value): value is Normalization =>
      isNormalization(value, sizeOf(model.inputShape)),
    ),
    ...outputNames,
    step: entries.json("step", isStep),
    training: entries.json("training", isFacts),
    ...(entries.has("configuration") && { configuration: entries.json("configuration", isRecord) }),
    ...(entries.has("table") && { table: entries.json("table", isRecord) }),
    ...(entries.has("results") && { results: entries.json("results", isFacts) }),
  };
}

/** What the names of a model's outputs stand for. */
type OutputNames = Pick<TrainedModel, "classes" | "outputs">;

/** @throws DataError where the network's outputs are not those that the names and the loss speak of */
export function requireOutputNames(
  { outputShape }: Model,
  loss: LossName | TrainingLoss,
  { classes, outputs }: OutputNames,
  where: string,
): void {
  const chosen: TrainingLoss = typeof loss === "string" ? losses[loss] : loss;
  try {
    if (outputs) requireTargets(chosen, outputShape, outputs.length);
    else requireOutputs(chosen, outputShape, classes.length);
  } catch (cause) {
    if (!(cause instanceof WgradError)) throw cause;
    throw new DataError({ where, what: `${cause.where}: ${cause.what}`, fix: NOT_A_MODEL }, { cause });
  }
}

interface ModelFile extends Pick<Safetensors, "tensors"> {
  readonly where: string;
  readonly extensions: FileExtensions;
}

function restoreModel(config: object, { tensors, where, extensions }: ModelFile): Model {
  const ofModel = [...tensors].filter(([name]) => !name.startsWith(OPTIMIZER_PREFIX));
  const values = Object.fromEntries(ofModel.map(([name, tensor]) => [name, tensor.values]));
  let model: Model;
  try {
    model = modelFromConfig(config, values, extensions);
  } catch (cause) {
    if (!(cause instanceof WgradError)) throw cause;
    const { shape } = tensors.get(cause.where ?? "") ?? {};
    const found = shape ? ` (the file gives it shape [${shape.join(", ")}])` : "";
    const what = `the network and the tensors do not fit: ${cause.where}: ${cause.what}${found}`;
    throw new DataError({ where, what, fix: NOT_A_MODEL }, { cause });
  }
  for (const parameter of model.parameters) {
    const { name } = parameter.attributes as StoredAttributes;
    const { shape } = tensors.get(name)!;
    if (shape.join() !== parameter.shape.join()) {
      const what = `its shape is [${shape.join(", ")}], but the network's is [${parameter.shape.join(", ")}]`;
      throw new DataError({ where: `${where}, tensor ${excerpt(name)}`, what, fix: NOT_A_MODEL });
    }
  }
  return model;
}

/** The metadata's entries, each checked as it is read. */
class Metadata {
  readonly #entries: Readonly<Record<string, string>>;
  readonly #file: string;

  constructor(entries: Readonly<Record<string, string>>, file: string) {
    this.#entries = entries;
    this.#file = file;
  }

  has(name: string): boolean {
    return this.#entries[name] !== undefined;
  }

  text<Value extends string>(name: string, isValid: (value: unknown) => value is Value): Value {
    return this.#checked(name, this.#entries[name], isValid);
  }

  json<Value>(name: string, isValid: (value: unknown) => value is Value): Value {
    const text = this.#entries[name];
    const parsed = text === undefined ? { value: undefined } : parseJson(text);
    if ("fault" in parsed) throw this.#refusal(name, parsed.fault);
    return this.#checked(name, parsed.value, isValid);
  }

  #checked<Value>(name: string, value: unknown, isValid: (value: unknown) => value is Value): Value {
    if (value === undefined) throw this.#refusal(name, "is missing");
    if (!isValid(value)) throw this.#refusal(name, `is ${excerpt(value)}, not what wgrad writes`);
    return value;
  }

  #refusal(name: string, what: string): DataError {
    return new DataError({ where: this.#file, what: `the metadata's entry "${name}" ${what}`, fix: NOT_A_MODEL });
  }
}

const isFilled = (value: unknown): value is object => typeof value === "object" && value !== null;

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  isFilled(value) && !Array.isArray(value);

const isText = (value: unknown): value is string => typeof value === "string";

const isLossName = (name: string): name is LossName => Object.hasOwn(losses, name);

/** @throws OptionError for a loss of one's own under a name of wgrad's */
export function lossName(loss: LossName | TrainingLoss): string {
  if (typeof loss === "string") return loss;
  const { name } = loss;
  if (!isLossName(name) || losses[name] === loss) return name;
  throw new OptionError({
    where: "loss",
    what: `"${name}" is the name of a loss of wgrad's own`,
    fix: "Give yours another name",
  });
}

function lossNamed(name: string, where: string, own: FileExtensions["losses"] = []): LossName | TrainingLoss {
  const found = own.find((loss) => loss.name === name) ?? (isLossName(name) ? name : undefined);
  if (found !== undefined) return found;
  const what = `the metadata's entry "loss" is ${JSON.stringify(name)}, which is none of wgrad's losses; one of your own is given as { losses: [loss] }`;
  throw new DataError({ where, what, fix: NOT_A_MODEL });
}

const isNames = (value: unknown): value is string[] =>
  Array.isArray(value) && value.length > 0 && value.every((name) => typeof name === "string");

const isStep = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

const isFacts = (value: unknown): value is Facts =>
  isFilled(value) && Object.values(value).every((fact) => fact === null || typeof fact !== "object");
