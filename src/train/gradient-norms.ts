import type { Backend, Session } from "../backends/backend.ts";
import type { Normalization, Dataset } from "../data/dataset.ts";
import { requireNormalization } from "../data/normalization.ts";
import { defineGraph } from "../graph/graph.ts";
import { constant, type StoredAttributes } from "../graph/leaves.ts";
import { sizeOf, type Tensor } from "../graph/tensor.ts";
import { requireCount } from "../nn/checks.ts";
import { globalNorm } from "../nn/clipping.ts";
import type { LossName, TrainingLoss } from "../nn/losses.ts";
import type { Model } from "../nn/sequential.ts";
import { divide } from "../ops/elementwise/index.ts";
import { gradients } from "../ops/gradients.ts";
import { exampleLeaves, takeTargets, takeFeatures, summedMetrics, writeExamples } from "./batches.ts";
import { lossFor, requireDataset, rowsThatFit, unchanged } from "./options.ts";

/** As many examples as say how a gradient stands, at little cost. */
const EXAMPLES = 256;

/** Of which model and examples the gradient is measured. */
export interface GradientNormOptions {
  readonly model: Model;
  readonly backend: Backend;
  /** Holds the parameters: a trainer's session, or a new one, in which they have their initial values. */
  readonly session: Session;
  /** The gradient is that of its first examples. */
  readonly dataset: Dataset;
  /** How many of them; at most 256, and at most what the backend takes at once, by default. */
  readonly examples?: number;
  /** As in training; the features as they are by default. */
  readonly normalization?: Normalization;
  /** By default "softmaxCrossEntropy" of classes and "meanSquaredError" of quantities. */
  readonly loss?: LossName | TrainingLoss;
}

/** How large the gradient is in each layer that has parameters. */
export interface GradientNorms {
  /** The layers' places in the model, from 0. */
  readonly layers: readonly number[];
  /**
   * The Euclidean norm of the mean loss's gradient with respect to all parameters of each of these layers, with what
   * the session then holds and with dropout off.
   */
  measure(): Promise<number[]>;
}

/**
 * Compiles what measures the gradient of each layer, for example to see whether it vanishes or explodes.
 * @throws OptionError for an option outside its range, or where the model and the data set do not fit
 */
export async function createGradientNorms(options: GradientNormOptions): Promise<GradientNorms> {
  const { model, backend, session, dataset, normalization = unchanged } = options;
  const loss = lossFor(dataset, options.loss);
  requireDataset(model, dataset, loss);
  requireNormalization(normalization, sizeOf(dataset.shape));
  const most = Math.min(dataset.count, rowsThatFit(model, backend));
  const { examples = EXAMPLES } = options;
  requireCount("gradientNorms examples", examples);
  const count = Math.min(examples, most);
  const leaves = exampleLeaves(count, dataset, false);
  const start = constant(0, [], "uint32");
  const outputs = model.apply(takeFeatures(leaves, { model, normalization, start, count }));
  const meanLoss = divide(summedMetrics(loss, outputs, takeTargets(leaves, start, count)).loss, count);
  const layers = parametersOfLayers(model);
  const found = gradients(meanLoss, [...layers.values()].flat());
  const norms: Record<string, Tensor> = {};
  for (const [layer, { length }] of layers) norms[layer] = globalNorm(found.splice(0, length));
  const executable = await session.compile(defineGraph(norms));
  writeExamples(session, leaves, dataset, 0, count);
  return {
    layers: [...layers.keys()],
    async measure() {
      const values = await executable.run(0, 1);
      return [...layers.keys()].map((layer) => values[layer]![0]!);
    },
  };
}

/** A model's parameters by the place of their layer, which their names, `layers.INDEX.NAME`, begin with. */
function parametersOfLayers({ parameters }: Model): Map<number, Tensor[]> {
  const layers = new Map<number, Tensor[]>();
  for (const parameter of parameters) {
    const layer = Number((parameter.attributes as StoredAttributes).name.split(".")[1]);
    layers.set(layer, [...(layers.get(layer) ?? []), parameter]);
  }
  return layers;
}
