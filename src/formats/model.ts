/*
 * Trained models as safetensors files: the parameters by name, and in the metadata, as JSON, everything else that is
 * needed to use the model.
 */
import type { Normalization } from "../data/dataset.ts";
import { isImageInput, type ImageInput } from "../data/image-pixels.ts";
import { isNormalization } from "../data/normalization.ts";
import { isTokenizerConfig, type TokenizerConfig } from "../data/text/tokenizer.ts";
import { DataError, excerpt, OptionError, WgradError } from "../errors.ts";
import { requireDistinctNames, type StoredAttributes } from "../graph/leaves.ts";
import { sizeOf } from "../graph/tensor.ts";
import type { ModelExtensions } from "../nn/extensions.ts";
import { losses, requireOutputs, requireTargets, type LossName, type TrainingLoss } from "../nn/losses.ts";
import { isFunctionalConfig } from "../nn/functional-config.ts";
import type { AnyModel } from "../nn/functional.ts";
import { isFunctional } from "../nn/is-functional.ts";
import type { GivenValues } from "../nn/given-values.ts";
import { modelFromConfig, parametersOfConfig, type FunctionalExtensions } from "../nn/model-config.ts";
import { isRecord } from "../nn/checks.ts";
import { storedLeaves, type Model } from "../nn/sequential.ts";
import { version } from "../version.ts";
import { DIGEST, digestOf } from "./digest.ts";
import {
  functionalMetadata,
  trainedFunctionOf,
  type AnyTrainedModel,
  type TrainedFunctionalModel,
} from "./functional.ts";
import {
  isFacts,
  isFilled,
  isNames,
  isStep,
  isText,
  isThreshold,
  Metadata,
  NOT_A_MODEL,
  type Facts,
} from "./metadata.ts";
import { lossName, lossNamed } from "./loss-names.ts";
import { withDefaults, type AnyModelToSave } from "./model-to-save.ts";
import { requireValues, type ParameterValues } from "./parameter-values.ts";
import { readSafetensors, writeSafetensors, type NamedTensor, type Safetensors } from "./safetensors.ts";

/** A trained model, with what is needed to use it and how it was trained. */
export interface TrainedModel {
  /** The network. If it was read from a file, its initial values are the values in the file. */
  readonly model: Model;
  /** The loss: a name, or a custom loss, of which a file stores only the name. */
  readonly loss: LossName | TrainingLoss;
  /** The normalization: feature · scale + offset. */
  readonly normalization: Normalization;
  /** The names of the classes; empty for regression, and for models of texts. */
  readonly classes: readonly string[];
  /** The names of the outputs, for regression. */
  readonly outputs?: readonly string[];
  /** The number of training steps. */
  readonly step: number;
  /** The options of the training. */
  readonly training: Facts;
  /** The value of every option of the command line, in the form of its configuration file. */
  readonly configuration?: Readonly<Record<string, unknown>>;
  /** How the columns of a table become features, as a `TableSchema`. */
  readonly table?: object;
  /** How image files become inputs, for a model that was trained on image files. */
  readonly images?: ImageInput;
  /** The tokenizer of the texts that the model was trained on; see `tokenizerFromConfig`. */
  readonly tokenizer?: TokenizerConfig;
  /** The probability from which the second of two classes is predicted, in (0, 1); see `classesByThreshold`. */
  readonly threshold?: number;
  /** The results on the test set, if it was evaluated. */
  readonly results?: Facts;
}

export { lossName } from "./loss-names.ts";
export type { Facts } from "./metadata.ts";
export { initialValues, requireValues, type ParameterValues } from "./parameter-values.ts";
export type { AnyTrainedModel, TrainedFunctionalModel } from "./functional.ts";
export type { AnyModelToSave, FunctionalModelToSave, ModelToSave } from "./model-to-save.ts";

/** The custom layers, activations and losses of a model file. */
export interface FileExtensions extends ModelExtensions {
  readonly losses?: readonly TrainingLoss[];
}

/** The format of files with a digest. */
const FORMAT = "wgrad-2";

/** The format of older files, without a digest. */
const FORMAT_WITHOUT_DIGEST = "wgrad";

/** The prefix of the names of the optimizer's states in a checkpoint, which is also a model file. */
export const OPTIMIZER_PREFIX = "optimizer.";

/**
 * Writes a model with the given values of its parameters, such as those of a snapshot.
 *
 * @example
 * ```ts
 * const { parameters, step } = await trainer.snapshot();
 * const trained = { model, loss: "softmaxCrossEntropy", normalization, classes, step } as const;
 * const bytes = saveModel(trained, parameters);
 * const { model: loaded } = loadModel(bytes, "model.safetensors");
 * ```
 *
 * A functional model needs less beside it: `saveModel({ model, step }, parameters)`.
 *
 * @param given the model, with the options of its training if readers of the file are to see them
 * @param parameters values of each of the model's parameters and states, by name
 * @returns the bytes of a safetensors file
 * @throws OptionError for anything that `loadModel` would refuse: values that are missing, unknown, or of another shape
 * than in the model's config (the error names the parameter), entries that a file cannot store (the error names the
 * entry), and a custom loss with the name of a built-in one. GraphError for two parameters with the same name
 */
export function saveModel(given: AnyModelToSave, parameters: ParameterValues): Uint8Array {
  const trained = withDefaults(given);
  const metadata = modelMetadata(trained);
  requireLoadable("saveModel", trained, parameters, metadata);
  const tensors = Object.entries(parameters).map(([name, { shape, values }]) => ({ name, shape, values }));
  return writeModelFile(tensors, metadata);
}

/**
 * @throws OptionError for anything that `loadModel` would refuse, or GraphError for two parameters with the same name
 */
export function requireLoadable(
  where: string,
  trained: AnyTrainedModel,
  parameters: ParameterValues,
  metadata: Readonly<Record<string, string>>,
): void {
  const stored = storedLeaves(trained.model);
  requireDistinctNames(where, stored);
  requireValues(stored, parameters);
  const entries = new Metadata(metadata, where);
  try {
    if (hasFunction(trained)) {
      trainedFunctionOf(trained.model, entries);
      return;
    }
    const { model, loss } = trained;
    const described = parametersOfConfig(model.config);
    if (described) requireValues(described, parameters);
    trainedOf(model, entries, where, typeof loss === "object" ? [loss] : []);
  } catch (cause) {
    if (!(cause instanceof DataError)) throw cause;
    throw new OptionError(
      { where, what: cause.what, fix: "Correct it, since loadModel would refuse the file" },
      { cause },
    );
  }
}

/** Whether the model is a functional one. */
export const hasFunction = (trained: AnyTrainedModel): trained is TrainedFunctionalModel => isFunctional(trained.model);

/** A safetensors file of a model, with a digest of its contents. */
export function writeModelFile(
  tensors: readonly NamedTensor[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  return writeSafetensors(tensors, { ...metadata, [DIGEST]: digestOf(tensors, metadata) });
}

/** Whether the metadata belongs to a model file of wgrad. */
export function isModelFile({ metadata }: Pick<Safetensors, "metadata">): boolean {
  return metadata["format"] === FORMAT || metadata["format"] === FORMAT_WITHOUT_DIGEST;
}

/**
 * Everything except the parameters, as metadata of a file.
 * @throws OptionError for a classifier without the names of its classes
 */
export function modelMetadata(trained: AnyTrainedModel): Record<string, string> {
  if (hasFunction(trained)) return { format: FORMAT, version, ...functionalMetadata(trained) };
  const { model, loss, normalization, classes, outputs, step, training } = trained;
  const { configuration, table, images, tokenizer, threshold, results } = trained;
  return {
    format: FORMAT,
    version,
    loss: lossName(loss),
    model: JSON.stringify(model.config),
    normalization: JSON.stringify(normalization),
    ...(outputs ? { outputs: JSON.stringify(outputs) } : tokenizer ? {} : { classes: namesText(classes) }),
    step: JSON.stringify(step),
    training: JSON.stringify(training),
    ...(configuration && { configuration: JSON.stringify(configuration) }),
    ...(table && { table: JSON.stringify(table) }),
    ...(images && { images: JSON.stringify(images) }),
    ...(tokenizer && { tokenizer: JSON.stringify(tokenizer) }),
    ...(threshold !== undefined && { threshold: JSON.stringify(threshold) }),
    ...(results && { results: JSON.stringify(results) }),
  };
}

function namesText(classes: readonly string[]): string {
  if (classes.length > 0) return JSON.stringify(classes);
  const what = "the model has neither classes nor outputs with names, and no tokenizer";
  const fix = 'Give the names of its classes, or for regression those of its outputs, such as outputs: ["price"]';
  throw new OptionError({ where: "classes", what, fix });
}

/**
 * Reads a file that `saveModel` wrote.
 *
 * @example
 * ```ts
 * const { model, normalization, classes } = loadModel(bytes, "model.safetensors");
 * const evaluator = createEvaluator({ model, normalization, backend, session: backend.createSession() });
 * const logits = await evaluator.predict(features);
 * ```
 *
 * @param bytes the whole file
 * @param where the file's name, for messages
 * @param extensions the model's custom layers, activations and losses; for a functional model, its function:
 * `{ modelFunction }`. A file contains no code, but the names and options of the layers, which are compared
 * @throws OptionError if `bytes` is not a Uint8Array
 * @throws DataError for anything that `readSafetensors` refuses; for a safetensors file that is not a model of wgrad,
 * or whose contents do not match its digest (files of older versions have no digest and are read without this check);
 * for metadata that is missing or invalid (the error names the entry); and for tensors that do not match the network's
 * parameters (the error names the tensor and both shapes)
 */
export function loadModel(bytes: Uint8Array, where: string, extensions?: FileExtensions): TrainedModel;
export function loadModel<Input extends string, Output extends string>(
  bytes: Uint8Array,
  where: string,
  extensions: FunctionalExtensions<Input, Output>,
): TrainedFunctionalModel<Input, Output>;
export function loadModel(bytes: Uint8Array, where: string, extensions?: AnyExtensions): AnyTrainedModel;
export function loadModel(bytes: Uint8Array, where: string, extensions?: AnyExtensions): AnyTrainedModel {
  return modelOfFile(readSafetensors(bytes, where), where, extensions);
}

/** What is needed to load a model of either kind. */
export type AnyExtensions = FileExtensions | FunctionalExtensions;

/** As `loadModel`, for a file that was already read as safetensors. */
export function modelOfFile(file: Safetensors, where: string, extensions?: FileExtensions): TrainedModel;
export function modelOfFile(file: Safetensors, where: string, extensions?: AnyExtensions): AnyTrainedModel;
export function modelOfFile(file: Safetensors, where: string, extensions: AnyExtensions = {}): AnyTrainedModel {
  if (!isModelFile(file)) {
    throw new DataError({
      where,
      what: "this is a safetensors file, but not a model that wgrad wrote",
      fix: NOT_A_MODEL,
    });
  }
  requireDigest(file, where);
  if (!("modelFunction" in extensions)) return restoreTrained(file, where, extensions);
  const entries = new Metadata(file.metadata, where);
  const make = (config: object, values: GivenValues) => modelFromConfig(config, values, extensions);
  const fix = "Give the function that the model was made with";
  return trainedFunctionOf(restoreModel(entries, file.tensors, make, fix), entries);
}

/** @throws DataError if the contents of a file have changed since it was written */
export function requireDigest({ tensors, metadata }: Safetensors, where: string): void {
  if (metadata["format"] === FORMAT_WITHOUT_DIGEST) return;
  const named = Array.from(tensors, ([name, tensor]) => ({ name, ...tensor }));
  const found = digestOf(named, metadata);
  if (metadata[DIGEST] === found) return;
  const what = `the file is damaged: the digest of its contents is ${found}, but it was written with ${excerpt(metadata[DIGEST])}`;
  throw new DataError({ where, what, fix: "Use another copy of the file" });
}

/**
 * Makes the model that metadata, as written by `modelMetadata`, describes.
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
  const make = (config: object, values: GivenValues) => {
    if (!isFunctionalConfig(config)) return modelFromConfig(config, values, extensions);
    const what = "this is a functional model, whose function is not part of the file";
    throw new DataError({ where, what, fix: "Load it with loadModel and { modelFunction }" });
  };
  return trainedOf(restoreModel(entries, tensors, make), entries, where, extensions.losses);
}

/** Combines a model with the rest of the metadata. */
function trainedOf(model: Model, entries: Metadata, where: string, ownLosses: FileExtensions["losses"]): TrainedModel {
  const loss = lossNamed(entries.text("loss", isText), where, ownLosses);
  // The classes of a model of texts are tokens.
  const ofText = entries.has("tokenizer");
  const outputNames = entries.has("outputs")
    ? { classes: [], outputs: entries.json("outputs", isNames) }
    : { classes: ofText ? [] : entries.json("classes", isNames) };
  if (!ofText) requireOutputNames(model, loss, outputNames, where);
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
    ...(entries.has("images") && {
      images: entries.json("images", (value): value is ImageInput => isImageInput(value, sizeOf(model.inputShape))),
    }),
    ...(entries.has("tokenizer") && { tokenizer: entries.json("tokenizer", isTokenizerConfig) }),
    ...(entries.has("threshold") && { threshold: entries.json("threshold", isThreshold) }),
    ...(entries.has("results") && { results: entries.json("results", isFacts) }),
  };
}

/** The meaning of a model's outputs. */
type OutputNames = Pick<TrainedModel, "classes" | "outputs">;

/** @throws DataError if the network's outputs do not match the names and the loss */
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

/**
 * Makes the model that a file describes.
 * @param make makes a model from its config and the values in the file
 */
function restoreModel<Kind extends AnyModel>(
  entries: Metadata,
  tensors: Safetensors["tensors"],
  make: (config: object, values: GivenValues) => Kind,
  fix = NOT_A_MODEL,
): Kind {
  const config = entries.json("model", isFilled);
  const ofModel = [...tensors].filter(([name]) => !name.startsWith(OPTIMIZER_PREFIX));
  const values = Object.fromEntries(ofModel.map(([name, tensor]) => [name, tensor.values]));
  const where = entries.file;
  let model: Kind;
  try {
    model = make(config, values);
  } catch (cause) {
    if (!(cause instanceof WgradError) || cause instanceof DataError) throw cause;
    const { shape } = tensors.get(cause.where ?? "") ?? {};
    const found = shape ? ` (its shape in the file is [${shape.join(", ")}])` : "";
    const what = `the network and the tensors do not match: ${cause.where}: ${cause.what}${found}`;
    throw new DataError({ where, what, fix }, { cause });
  }
  for (const parameter of storedLeaves(model)) {
    const { name } = parameter.attributes as StoredAttributes;
    const { shape } = tensors.get(name)!;
    if (shape.join() !== parameter.shape.join()) {
      const what = `its shape is [${shape.join(", ")}], but the network's is [${parameter.shape.join(", ")}]`;
      throw new DataError({ where: `${where}, tensor ${excerpt(name)}`, what, fix: NOT_A_MODEL });
    }
  }
  return model;
}
