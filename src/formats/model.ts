/*
 * A trained model as a safetensors file: its parameters by their names, and in the metadata, as JSON, all else that is
 * needed to use it again.
 */
import { DataError, WgradError } from "../errors.ts";
import { sizeOf } from "../graph/tensor.ts";
import { losses, type LossName } from "../nn/losses.ts";
import { modelFromConfig, type Model } from "../nn/sequential.ts";
import { version } from "../version.ts";
import { readSafetensors, writeSafetensors, type Safetensors, type TensorValues } from "./safetensors.ts";

/** Plain facts for a reader; a number that is not finite becomes null in the file. */
export type Facts = Readonly<Record<string, string | number | boolean | null>>;

/** A trained model and how it came about. */
export interface TrainedModel {
  /** The network. Read from a file, its parameters have the file's values as their initial ones. */
  readonly model: Model;
  readonly loss: LossName;
  /** What the model sees of a feature: feature · scale + offset, for all features or for each its own. */
  readonly normalization: {
    readonly scale: number | readonly number[];
    readonly offset: number | readonly number[];
  };
  /** The name of each class; none of a model of quantities. */
  readonly classes: readonly string[];
  /** The names of the outputs of a model of quantities. */
  readonly outputs?: readonly string[];
  /** Steps that the parameters have seen. */
  readonly step: number;
  /** The options of the training. */
  readonly training: Facts;
  /** What the test set gave, if it was used. */
  readonly results?: Facts;
}

const FORMAT = "wgrad";

/** Before the names of the optimizer's states in a checkpoint, which is a model as well. */
export const OPTIMIZER_PREFIX = "optimizer.";

const NOT_A_MODEL = "Give a model file that wgrad wrote, such as `wgrad train --out` does";

/**
 * Writes a model with the given values of its parameters, such as those of a snapshot.
 * @param parameters values for each of the model's parameters, by name
 * @returns the bytes of a safetensors file
 * @throws OptionError for values that do not fill their shape
 */
export function saveModel(trained: TrainedModel, parameters: Readonly<Record<string, TensorValues>>): Uint8Array {
  const tensors = Object.entries(parameters).map(([name, { shape, values }]) => ({ name, shape, values }));
  return writeSafetensors(tensors, modelMetadata(trained));
}

/** All of a model but its parameters, as a file's metadata. */
export function modelMetadata(trained: TrainedModel): Record<string, string> {
  const { model, loss, normalization, classes, outputs, step, training, results } = trained;
  return {
    format: FORMAT,
    version,
    loss,
    model: JSON.stringify(model.config),
    normalization: JSON.stringify(normalization),
    ...(outputs ? { outputs: JSON.stringify(outputs) } : { classes: JSON.stringify(classes) }),
    step: JSON.stringify(step),
    training: JSON.stringify(training),
    ...(results && { results: JSON.stringify(results) }),
  };
}

/**
 * Reads a file that `saveModel` wrote.
 * @param bytes the whole file
 * @param where the file's name, for messages
 * @throws DataError for anything that `readSafetensors` refuses; for a safetensors file that is no model of wgrad;
 * naming the entry, for metadata that is missing or not what it should be; and naming the tensor and both shapes, for
 * tensors that are not the network's parameters
 */
export function loadModel(bytes: Uint8Array, where: string): TrainedModel {
  const { tensors, metadata } = readSafetensors(bytes, where);
  if (metadata["format"] !== FORMAT) {
    throw new DataError({ where, what: "this is a safetensors file, but no model that wgrad wrote", fix: NOT_A_MODEL });
  }
  const entries = new Metadata(metadata, where);
  const model = restoreModel(entries.json("model", isFilled), tensors, where);
  return {
    model,
    loss: entries.text("loss", isLossName),
    normalization: entries.json("normalization", isNormalizationOf(sizeOf(model.inputShape))),
    ...(metadata["outputs"] === undefined
      ? { classes: entries.json("classes", isNames) }
      : { classes: [], outputs: entries.json("outputs", isNames) }),
    step: entries.json("step", isStep),
    training: entries.json("training", isFacts),
    ...(metadata["results"] !== undefined && { results: entries.json("results", isFacts) }),
  };
}

function restoreModel(config: object, tensors: Safetensors["tensors"], where: string): Model {
  const ofModel = [...tensors].filter(([name]) => !name.startsWith(OPTIMIZER_PREFIX));
  const values = Object.fromEntries(ofModel.map(([name, tensor]) => [name, tensor.values]));
  let model: Model;
  try {
    model = modelFromConfig(config, values);
  } catch (cause) {
    if (!(cause instanceof WgradError)) throw cause;
    const { shape } = tensors.get(cause.where ?? "") ?? {};
    const found = shape ? ` (the file gives it shape [${shape.join(", ")}])` : "";
    const what = `the network and the tensors do not fit: ${cause.where}: ${cause.what}${found}`;
    throw new DataError({ where, what, fix: NOT_A_MODEL }, { cause });
  }
  for (const parameter of model.parameters) {
    const { name } = parameter.attributes as { name: string };
    const { shape } = tensors.get(name)!;
    if (shape.join() !== parameter.shape.join()) {
      const what = `its shape is [${shape.join(", ")}], but the network's is [${parameter.shape.join(", ")}]`;
      throw new DataError({ where: `${where}, tensor "${name}"`, what, fix: NOT_A_MODEL });
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

  text<Value extends string>(name: string, isValid: (value: unknown) => value is Value): Value {
    return this.#checked(name, this.#entries[name], isValid);
  }

  json<Value>(name: string, isValid: (value: unknown) => value is Value): Value {
    const text = this.#entries[name];
    let value: unknown;
    try {
      value = text === undefined ? undefined : JSON.parse(text);
    } catch (cause) {
      throw this.#refusal(name, `is no JSON: ${(cause as Error).message}`);
    }
    return this.#checked(name, value, isValid);
  }

  #checked<Value>(name: string, value: unknown, isValid: (value: unknown) => value is Value): Value {
    if (value === undefined) throw this.#refusal(name, "is missing");
    if (!isValid(value)) throw this.#refusal(name, `is ${JSON.stringify(value).slice(0, 60)}, not what wgrad writes`);
    return value;
  }

  #refusal(name: string, what: string): DataError {
    return new DataError({ where: this.#file, what: `the metadata's entry "${name}" ${what}`, fix: NOT_A_MODEL });
  }
}

const isFilled = (value: unknown): value is object => typeof value === "object" && value !== null;

const isLossName = (value: unknown): value is LossName => typeof value === "string" && Object.hasOwn(losses, value);

const isNormalizationOf = (features: number) => {
  const isConstant = (value: unknown) =>
    Array.isArray(value) ? value.length === features && value.every(Number.isFinite) : Number.isFinite(value);
  return (value: unknown): value is TrainedModel["normalization"] =>
    isFilled(value) && "scale" in value && isConstant(value.scale) && "offset" in value && isConstant(value.offset);
};

const isNames = (value: unknown): value is string[] =>
  Array.isArray(value) && value.length > 0 && value.every((name) => typeof name === "string");

const isStep = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

const isFacts = (value: unknown): value is Facts =>
  isFilled(value) && Object.values(value).every((fact) => fact === null || typeof fact !== "object");
