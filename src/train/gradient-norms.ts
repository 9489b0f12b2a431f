import type { Backend, Session } from "../backends/backend.ts";
import { describeDataset, rowsOf } from "../data/columns.ts";
import type { Normalization, Dataset } from "../data/dataset.ts";
import { defineGraph } from "../graph/graph.ts";
import { constant, type StoredAttributes } from "../graph/leaves.ts";
import type { Tensor } from "../graph/tensor.ts";
import { requireCount } from "../nn/checks.ts";
import { globalNorm } from "../nn/clipping.ts";
import type { LossName, TrainingLoss } from "../nn/losses.ts";
import type { Model } from "../nn/sequential.ts";
import { divide } from "../ops/elementwise/index.ts";
import { gradients } from "../ops/gradients.ts";
import { columnLeaves, inputsIn, takeColumns, usedLeaves, writeRows } from "./batches.ts";
import { networkOf } from "./network.ts";
import { measure, type BatchFunction } from "./objective.ts";
import {
  matched,
  normalizableWidth,
  normalizationsOf,
  requireExamples,
  requireNormalizations,
  rowsThatFit,
} from "./subject.ts";

/** The default number of examples: enough to estimate a gradient, at little cost. */
const EXAMPLES = 256;

/** The options of `createGradientNorms`. */
export interface GradientNormOptions {
  readonly model: Model;
  readonly backend: Backend;
  /** The session that holds the parameters: a trainer's, or a new one, in which they have their initial values. */
  readonly session: Session;
  /** The gradient is computed for its first examples. */
  readonly dataset: Dataset;
  /** Number of examples; 256 by default. At most as many as the data set has and as the backend can process at once. */
  readonly examples?: number;
  /** The normalization used in training; features are unchanged by default. */
  readonly normalization?: Normalization;
  /** "softmaxCrossEntropy" for classification and "meanSquaredError" for regression by default. */
  readonly loss?: LossName | TrainingLoss | BatchFunction;
}

/** Measures the norm of the gradient of each layer that has parameters. */
export interface GradientNorms {
  /** The indices of these layers in the model, from 0. */
  readonly layers: readonly number[];
  /**
   * Computes the Euclidean norm of the gradient of the mean loss with respect to all parameters of each of these
   * layers, with the current values of the parameters and without dropout.
   */
  measure(): Promise<number[]>;
}

/**
 * Compiles a graph that measures the norm of each layer's gradient, for example to detect vanishing or exploding
 * gradients.
 * @throws OptionError for an option outside its range, or if the model and the data set do not fit
 */
export async function createGradientNorms(options: GradientNormOptions): Promise<GradientNorms> {
  const { model, backend, session, dataset } = options;
  requireExamples(dataset);
  const network = networkOf(model);
  const description = describeDataset(dataset);
  const normalizations = normalizationsOf(options.normalization);
  const { layout, loss } = matched(network, description, { loss: options.loss, normalizations });
  requireNormalizations(normalizations, normalizableWidth(description));
  const most = Math.min(dataset.count, rowsThatFit(network, backend, layout));
  const { examples = EXAMPLES } = options;
  requireCount("gradientNorms examples", examples);
  const count = Math.min(examples, most);
  const leaves = columnLeaves(count, layout);
  const batch = takeColumns(leaves, layout, { start: constant(0, [], "uint32"), count });
  const outputs = network.apply(inputsIn(batch, layout));
  const objective = { loss, metrics: {}, classWeights: undefined };
  const totals = measure(objective, { network, outputs, batch, count, share: 1, weighted: false });
  const meanLoss = divide(totals.loss, count);
  const layers = parametersOfLayers(model);
  const found = gradients(meanLoss, [...layers.values()].flat());
  const norms: Record<string, Tensor> = {};
  for (const [layer, { length }] of layers) norms[layer] = globalNorm(found.splice(0, length));
  const graph = defineGraph(norms);
  const executable = await session.compile(graph);
  writeRows(session, usedLeaves(leaves, graph.nodes), rowsOf(dataset, 0, count), { first: 0, count });
  return {
    layers: [...layers.keys()],
    async measure() {
      const values = await executable.run(0, 1);
      return [...layers.keys()].map((layer) => values[layer]![0]!);
    },
  };
}

/** A model's parameters by the index of their layer. Their names are `layers.INDEX.NAME`. */
function parametersOfLayers({ parameters }: Model): Map<number, Tensor[]> {
  const layers = new Map<number, Tensor[]>();
  for (const parameter of parameters) {
    const layer = Number((parameter.attributes as StoredAttributes).name.split(".")[1]);
    layers.set(layer, [...(layers.get(layer) ?? []), parameter]);
  }
  return layers;
}
