/*
 * What a model file contains beside a functional model.
 */
import type { Normalization } from "../data/dataset.ts";
import { isNormalization } from "../data/normalization.ts";
import { isTokenizerConfig, type TokenizerConfig } from "../data/text/tokenizer.ts";
import { sizeOf } from "../graph/tensor.ts";
import type { FunctionalModel } from "../nn/functional.ts";
import { isRecord } from "../nn/checks.ts";
import { isFacts, isNames, isStep, type Facts, type Metadata } from "./metadata.ts";
import type { TrainedModel } from "./model.ts";

/** A trained functional model, with what is needed to use it and how it was trained. */
export interface TrainedFunctionalModel<Input extends string = string, Output extends string = string> {
  readonly model: FunctionalModel<Input, Output>;
  /** The number of training steps. */
  readonly step: number;
  /** The options of the training. */
  readonly training: Facts;
  /** The normalization of inputs by name: value · scale + offset. Others are used as they are. */
  readonly normalization?: Readonly<Record<string, Normalization>>;
  /** The names of the classes, if an output classifies. */
  readonly classes?: readonly string[];
  /** The tokenizer of the texts that the model was trained on; see `tokenizerFromConfig`. */
  readonly tokenizer?: TokenizerConfig;
  /** The results on a test set. */
  readonly results?: Facts;
}

/** A trained model of either kind. */
export type AnyTrainedModel = TrainedModel | TrainedFunctionalModel;

/** Everything except the parameters, as metadata of a file. */
export function functionalMetadata(trained: TrainedFunctionalModel): Record<string, string> {
  const { model, step, training, normalization, classes, tokenizer, results } = trained;
  return {
    model: JSON.stringify(model.config),
    step: JSON.stringify(step),
    training: JSON.stringify(training),
    ...(normalization && { normalization: JSON.stringify(normalization) }),
    ...(classes && { classes: JSON.stringify(classes) }),
    ...(tokenizer && { tokenizer: JSON.stringify(tokenizer) }),
    ...(results && { results: JSON.stringify(results) }),
  };
}

/**
 * Combines a functional model with the rest of the metadata.
 * @throws DataError for an entry that is missing or invalid
 */
export function trainedFunctionOf(model: FunctionalModel, entries: Metadata): TrainedFunctionalModel {
  const isOfInputs = (value: unknown): value is Readonly<Record<string, Normalization>> =>
    isRecord(value) &&
    Object.entries(value).every(
      ([name, own]) => Object.hasOwn(model.inputs, name) && isNormalization(own, sizeOf(model.inputs[name]!.shape)),
    );
  return {
    model,
    step: entries.json("step", isStep),
    training: entries.json("training", isFacts),
    ...(entries.has("normalization") && { normalization: entries.json("normalization", isOfInputs) }),
    ...(entries.has("classes") && { classes: entries.json("classes", isNames) }),
    ...(entries.has("tokenizer") && { tokenizer: entries.json("tokenizer", isTokenizerConfig) }),
    ...(entries.has("results") && { results: entries.json("results", isFacts) }),
  };
}
