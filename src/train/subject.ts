/*
 * The model, the data and the loss of a run, and whether they fit together.
 */
import type { Backend } from "../backends/backend.ts";
import { describeDataset, type DataDescription } from "../data/columns.ts";
import type { AnyDataset, Normalization } from "../data/dataset.ts";
import { requireNormalization } from "../data/normalization.ts";
import { describeStream, type DataStream } from "../data/stream.ts";
import { OptionError } from "../errors.ts";
import { topologicalOrder } from "../graph/graph.ts";
import { input } from "../graph/leaves.ts";
import { sizeOf, type Shape, type Tensor } from "../graph/tensor.ts";
import { entryOf } from "../nn/checks.ts";
import { losses, requireOutputs, requireTargets, type LossName, type TrainingLoss } from "../nn/losses.ts";
import { layoutOf, type BatchLayout, type Normalizations } from "./batches.ts";
import { isFunctional } from "../nn/is-functional.ts";
import { labelLoss, requireLabels } from "./label-loss.ts";
import { FEATURES, onlyOf, type Network } from "./network.ts";
import { nextTokenLoss } from "./next-token.ts";
import type { Objective } from "./objective.ts";

/** A loss as an option. */
export type GivenLoss = LossName | Objective["loss"];

/**
 * The loss with that name, or the default for the task.
 * @throws OptionError for an unknown name, and without a loss for data that is neither classes nor targets
 */
function lossFor(data: DataDescription, loss: GivenLoss | undefined): Objective["loss"] {
  const isCrossEntropy = loss === undefined || lossOf(loss) === losses.softmaxCrossEntropy;
  if (data.vocabulary !== undefined && isCrossEntropy) return nextTokenLoss;
  if (isCrossEntropy && loss !== undefined && hasLabels(data)) return labelLoss;
  if (loss !== undefined) return lossOf(loss);
  if (data.classes !== undefined) return losses.softmaxCrossEntropy;
  if (data.outputs !== undefined) return losses.meanSquaredError;
  throw needsFunction("there is no default loss for a data set of tensors");
}

/** Whether the data are tensors, of which one is labels. */
const hasLabels = ({ classes, outputs, columns }: DataDescription): boolean =>
  classes === undefined && outputs === undefined && columns["labels"]?.dtype === "uint32";

const needsFunction = (what: string) =>
  new OptionError({ where: "loss", what, fix: "Give a function (outputs, batch) => loss" });

/** @throws OptionError for an unknown name */
export function lossOf(loss: GivenLoss): Objective["loss"] {
  if (typeof loss === "function") return loss;
  const isOwn = typeof loss === "object" && loss !== null && ("perExample" in loss || "perTarget" in loss);
  return isOwn ? loss : entryOf<TrainingLoss>("loss", "loss", losses, loss);
}

/** A model's data and loss. */
export interface Match {
  readonly layout: BatchLayout;
  readonly loss: Objective["loss"];
}

/**
 * Matches a model with data and a loss.
 * @param loss the default for the task if undefined
 * @throws OptionError if they do not fit
 */
export function matched(
  network: Network,
  data: DataDescription,
  { loss, normalizations }: { readonly loss: GivenLoss | undefined; readonly normalizations: Normalizations },
): Match {
  const chosen = lossFor(data, loss);
  const layout = layoutOf(network, data, normalizations);
  requireLoss(network, data, chosen);
  return { layout, loss: chosen };
}

/**
 * Describes a data set or a stream.
 * @throws OptionError for a data set without examples
 */
export function describeSource(source: AnyDataset | DataStream): DataDescription {
  if ("batches" in source) return describeStream(source);
  requireExamples(source);
  return describeDataset(source);
}

/** @throws OptionError for a data set without examples */
export function requireExamples({ name, count }: AnyDataset): void {
  if (count > 0) return;
  throw new OptionError({ where: name, what: "the data set has no examples", fix: "Give at least one example" });
}

/**
 * Checks that the outputs of a model fit a loss and the labels or targets of the data.
 * @throws OptionError
 */
function requireLoss({ outputs }: Network, data: DataDescription, loss: Objective["loss"]): void {
  const output = onlyOf(outputs);
  if (loss === nextTokenLoss && data.vocabulary !== undefined) requireLogits(output, data.name, data.vocabulary);
  if (loss === labelLoss) requireLabels(output, data);
  if (typeof loss === "function") return;
  if (!output)
    throw needsFunction(`${loss.name} needs a single output, but the model has ${Object.keys(outputs).join(", ")}`);
  if (data.classes !== undefined) requireOutputs(loss, output, data.classes);
  else if (data.outputs !== undefined) requireTargets(loss, output, data.outputs);
  else throw needsFunction(`${loss.name} needs labels or targets, and this is a data set of tensors without them`);
}

/** @throws OptionError if the output of a model is not a vector of logits for each token, with one for each token that there is */
function requireLogits(output: Shape | undefined, where: string, vocabulary: number): void {
  const fix = `Give a model with one output, [context, ${vocabulary}], or a loss that is a function`;
  if (output?.length !== 2) {
    const found = output ? `an output of shape [${output.join(", ")}]` : "several outputs";
    throw new OptionError({ where, what: `the model has ${found}, not logits for each position`, fix });
  }
  if (output[1]! >= vocabulary) return;
  const what = `the model has ${output[1]} logits for each token, but the text has ${vocabulary} different tokens`;
  throw new OptionError({ where, what, fix });
}

/**
 * The normalizations by the names of their columns. Without names, it is that of the features.
 * @throws OptionError for an invalid normalization
 */
export function normalizationsOf(given: Normalization | Normalizations | undefined): Normalizations {
  if (given === undefined) return {};
  return isNamed(given) ? given : { [FEATURES]: given };
}

function isNamed(given: Normalization | Normalizations): given is Normalizations {
  if (typeof given !== "object" || given === null) return false;
  const parts: unknown[] = Object.values(given);
  return parts.length > 0 && parts.every((part) => typeof part === "object" && part !== null && !Array.isArray(part));
}

/**
 * @param widthOf the number of values per example of a column; undefined for one that there is not
 * @throws OptionError for an invalid normalization, or one of another column
 */
export function requireNormalizations(
  normalizations: Normalizations,
  widthOf: (column: string) => number | undefined,
): void {
  for (const [name, normalization] of Object.entries(normalizations)) {
    const width = widthOf(name);
    if (width === undefined) {
      const what = `there is no tensor ${name} of float32 or bytes`;
      throw new OptionError({ where: "normalization", what, fix: "Give an object { NAME: normalization }" });
    }
    requireNormalization(normalization, width);
  }
}

/** The number of values per example of a column, if it can be normalized. */
export const normalizableWidth =
  ({ columns }: DataDescription) =>
  (name: string): number | undefined => {
    const column = columns[name];
    return column && column.dtype !== "uint32" ? sizeOf(column.shape) : undefined;
  };

/**
 * The largest number of examples for which every tensor of a batch and every float32 tensor of the model (its inputs and
 * the layers' outputs) fits the backend's largest tensor; at least 1.
 */
export function rowsThatFit(network: Network, backend: Backend, layout?: BatchLayout): number {
  const { model } = network;
  const ofModel = isFunctional(model) ? widestOf(network) : Math.max(...model.shapes.map(sizeOf));
  const widest = Math.max(ofModel, ...Object.values(layout?.columns ?? {}).map(({ width }) => width));
  return Math.max(1, Math.floor(backend.maxTensorBytes / (Float32Array.BYTES_PER_ELEMENT * widest)));
}

/** The largest size of a tensor that depends on an example and is stored, for one example. */
function widestOf({ inputs, apply }: Network): number {
  const example = Object.entries(inputs).map(
    ([name, { shape, dtype }]) => [name, input(name, [1, ...shape], dtype)] as const,
  );
  const dependent = new Set<Tensor>(example.map(([, tensor]) => tensor));
  let widest = 1;
  for (const node of topologicalOrder(Object.values(apply(Object.fromEntries(example))))) {
    if (node.inputs.some((tensor) => dependent.has(tensor))) dependent.add(node);
    if (dependent.has(node) && !isComputedWhereRead(node)) widest = Math.max(widest, node.size);
  }
  return widest;
}

function isComputedWhereRead({ op, inputs }: Tensor): boolean {
  if (op.kind === "view") return isComputedWhereRead(inputs[0]!);
  return op.kind === "compute" && op.traits.kind === "pointwise" && op.traits.virtual === true;
}
