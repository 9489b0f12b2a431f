import type { Backend, Session } from "../backends/backend.ts";
import { describeDataset, rowsOf } from "../data/columns.ts";
import type { AnyDataset, Normalization } from "../data/dataset.ts";
import { defineGraph } from "../graph/graph.ts";
import { constant, type StoredAttributes } from "../graph/leaves.ts";
import type { Tensor } from "../graph/tensor.ts";
import { requireCount } from "../nn/checks.ts";
import { globalNorm } from "../nn/clipping.ts";
import type { AnyModel, FunctionalModel } from "../nn/functional.ts";
import { isFunctional } from "../nn/is-functional.ts";
import type { LossName, TrainingLoss } from "../nn/losses.ts";
import { parameterPrefix, type Model } from "../nn/sequential.ts";
import { divide } from "../ops/elementwise/index.ts";
import { gradients } from "../ops/gradients.ts";
import { requireOptionsObject } from "../option-names.ts";
import { columnLeaves, inputsIn, takeColumns, usedLeaves, writeRows, type Normalizations } from "./batches.ts";
import { requireBackend, requireData, requireModel, requireSession } from "./given.ts";
import { networkOf, type Network, type OutputsOf } from "./network.ts";
import { measure, type BatchFunction } from "./objective.ts";
import type { AnyTrainerOptions } from "./options.ts";
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
export interface GradientNormOptions<Kind extends AnyModel = Model> {
  readonly model: Kind;
  readonly backend: Backend;
  /** The session that holds the parameters: a trainer's, or a new one, in which they have their initial values. */
  readonly session: Session;
  /** The gradient is computed for its first examples. */
  readonly dataset: AnyDataset;
  /** Number of examples; 256 by default. At most as many as the data set has and as the backend can process at once. */
  readonly examples?: number;
  /** The normalization used in training; features are unchanged by default. */
  readonly normalization?: Normalization | Normalizations;
  /**
   * "softmaxCrossEntropy" for classification and "meanSquaredError" for regression by default; see `createTrainer`. A
   * function finds no step inputs in the batch.
   */
  readonly loss?: LossName | TrainingLoss | BatchFunction<OutputsOf<Kind>>;
}

/** Measures the norm of the gradient of each layer that has parameters. */
export interface GradientNorms<Kind extends AnyModel = Model> {
  /** The indices of these layers in a `Model`, from 0; their names in a `FunctionalModel`, in the order of their first uses. */
  readonly layers: Kind extends FunctionalModel ? readonly string[] : readonly number[];
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
export async function createGradientNorms<Kind extends AnyModel>(
  options: GradientNormOptions<Kind>,
): Promise<GradientNorms<Kind>> {
  requireOptionsObject("createGradientNorms", options);
  const { model, backend, session, dataset } = options;
  requireModel("model", model);
  requireBackend("backend", backend);
  requireSession("session", session);
  requireData("dataset", dataset);
  const network = networkOf(model);
  const { meanLoss, leaves, count } = lossOfExamples(network, options as unknown as AnyGradientNormOptions);
  const layers = parametersOfLayers(model);
  const found = gradients(meanLoss, [...layers.values()].flat());
  const norms: Record<string, Tensor> = {};
  for (const [layer, { length }] of layers) norms[layer] = globalNorm(found.splice(0, length));
  const graph = defineGraph(norms);
  const executable = await session.compile(graph);
  writeRows(session, usedLeaves(leaves, graph.nodes), rowsOf(dataset, 0, count), { first: 0, count });
  const names = [...layers.keys()];
  const shown: readonly (string | number)[] = isFunctional(model) ? names : names.map(Number);
  return {
    layers: shown as GradientNorms<Kind>["layers"],
    async measure() {
      const values = await executable.run(0, 1);
      return names.map((name) => values[name]![0]!);
    },
  };
}

/** The options for a model of either kind. */
type AnyGradientNormOptions = Omit<GradientNormOptions<AnyModel>, "loss"> & Pick<AnyTrainerOptions, "loss">;

/** The mean loss over the first examples of a data set, and where these are written. */
function lossOfExamples(network: Network, options: AnyGradientNormOptions) {
  const { backend, dataset, examples = EXAMPLES } = options;
  requireExamples(dataset);
  requireCount("gradientNorms examples", examples);
  const description = describeDataset(dataset);
  const normalizations = normalizationsOf(options.normalization);
  const { layout, loss } = matched(network, description, { loss: options.loss, normalizations });
  requireNormalizations(normalizations, normalizableWidth(description));
  const count = Math.min(examples, dataset.count, rowsThatFit(network, backend, layout));
  const leaves = columnLeaves(count, layout);
  const batch = takeColumns(leaves, layout, { start: constant(0, [], "uint32"), count });
  const outputs = network.apply(inputsIn(batch, layout));
  const objective = { loss, metrics: {}, classWeights: undefined };
  const totals = measure(objective, { network, outputs, batch, count, share: 1, weighted: false });
  return { meanLoss: divide(totals.loss, count), leaves, count };
}

/** A model's parameters by the index or name of their layer. Their names are `layers.LAYER.NAME`, after the model's name. */
function parametersOfLayers({ parameters, config }: AnyModel): Map<string, Tensor[]> {
  const layers = new Map<string, Tensor[]>();
  for (const parameter of parameters) {
    const { name } = parameter.attributes as StoredAttributes;
    const layer = name.slice(parameterPrefix(config).length).split(".")[1]!;
    layers.set(layer, [...(layers.get(layer) ?? []), parameter]);
  }
  return layers;
}
