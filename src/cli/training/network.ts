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
import { sizeOf } from "../../graph/tensor.ts";
import { fanInUniform } from "../../nn/initializers.ts";
import { dense, dropout as dropoutLayer, flatten } from "../../nn/layers/index.ts";
import type { Optimizer } from "../../nn/optimizers.ts";
import { sequential, type Model } from "../../nn/sequential.ts";
import type { TrainerOptions } from "../../train/index.ts";
import { decayingOptimizers, optimizers, type NetworkFlags } from "../options/options.ts";
import { counted } from "../text/text.ts";

/**
 * Builds the network that the options describe, with the inputs and outputs of a data set.
 * @param isTable whether to use PyTorch's initial values: a table has few features, for which He initialization is too
 * large
 */
export function buildNetwork(
  { hidden, activation, dropout, seed }: NetworkFlags,
  data: Dataset,
  isTable: boolean,
): Model {
  const initial = isTable ? { weights: fanInUniform, biases: fanInUniform } : {};
  const layers = hidden.flatMap((width) => [
    dense(width, { activation, ...initial }),
    ...(dropout > 0 ? [dropoutLayer(dropout)] : []),
  ]);
  const outputs = isRegression(data) ? data.outputs : data.classes;
  return sequential([flatten(), ...layers, dense(outputs.length, initial)], { inputShape: data.shape, seed });
}

/** A network in words, such as "784-128-10 relu, 101,770 parameters", with the precision if it is not float32. */
export function describeNetwork({ hidden, activation, dropout, precision }: NetworkFlags, model: Model): string {
  const widths = [sizeOf(model.inputShape), ...hidden, ...model.outputShape].join("-");
  const parameters = model.parameters.reduce((sum, { size }) => sum + size, 0);
  const left = dropout > 0 && hidden.length > 0 ? `, dropout ${dropout}` : "";
  const products = precision === "float32" ? "" : `, ${precision} products`;
  return `${widths}${hidden.length > 0 ? ` ${activation}` : ", linear"}${left}, ${counted(parameters, "parameter")}${products}`;
}

/** A model in words, such as "784-128-10, 101,770 parameters". */
export function networkText({ parameters, inputShape }: Model): string {
  const widths = parameters.filter(({ shape }) => shape.length === 2).map(({ shape }) => shape[1]!);
  const total = parameters.reduce((sum, { size }) => sum + size, 0);
  return `${[sizeOf(inputShape), ...widths].join("-")}, ${counted(total, "parameter")}`;
}

/** The batch size: by default 64, or all examples if there are fewer. */
export const batchOf = ({ batch }: Pick<NetworkFlags, "batch">, examples: number): number | "full" =>
  batch ?? Math.min(64, examples);

type StepOptions = Pick<TrainerOptions, "loss" | "optimizer" | "batchSize" | "seed" | "clipNorm" | "precision">;

/** The options of a trainer that follow from the network's options and the number of examples. */
export function stepOptions(flags: NetworkFlags, examples: number): StepOptions & Pick<TrainerOptions, "batchSize"> {
  const { loss, clipNorm, seed, precision } = flags;
  return {
    optimizer: optimizerOf(flags),
    batchSize: batchOf(flags, examples),
    seed,
    precision,
    ...(loss !== undefined && { loss }),
    ...(clipNorm !== undefined && { clipNorm }),
  };
}

/** Creates the optimizer that the options describe. */
export function optimizerOf({ optimizer = "adam", weightDecay, momentumForm }: NetworkFlags): Optimizer {
  const hasForm = optimizer === "momentum" || optimizer === "nesterov";
  if (momentumForm !== undefined && !hasForm) {
    throw new OptionError({
      where: "--momentum-form",
      what: `${optimizer} has no momentum`,
      fix: "Use --optimizer momentum or nesterov",
    });
  }
  if (weightDecay !== undefined) {
    const decaying = Object.entries(decayingOptimizers).find(([name]) => name === optimizer);
    if (decaying) return decaying[1]({ weightDecay });
    const fix = `Use --optimizer ${Object.keys(decayingOptimizers).join(" or ")}`;
    throw new OptionError({ where: "--weight-decay", what: `${optimizer} has no weight decay`, fix });
  }
  return hasForm && momentumForm !== undefined
    ? optimizers[optimizer]({ form: momentumForm })
    : optimizers[optimizer]();
}

/** The normalization of pictures: standardized, or scaled to 0 … 1. */
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
