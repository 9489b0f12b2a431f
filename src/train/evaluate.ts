import type { Backend, Executable, Session } from "../backends/backend.ts";
import { describeDataset, rowsOf, type DataDescription } from "../data/columns.ts";
import type { AnyDataset, Normalization } from "../data/dataset.ts";
import { defineGraph } from "../graph/graph.ts";
import { input, stepScalar } from "../graph/leaves.ts";
import { sizeOf, type Tensor } from "../graph/tensor.ts";
import type { LossName, TrainingLoss } from "../nn/losses.ts";
import type { Model } from "../nn/sequential.ts";
import {
  columnLeaves,
  inputsIn,
  takeColumns,
  usedLeaves,
  writeRows,
  type BatchLayout,
  type ColumnLeaves,
  type Normalizations,
} from "./batches.ts";
import { compiledOnce } from "./compiled.ts";
import { requireOptionsObject } from "../option-names.ts";
import { requireBackend, requireData, requireModel, requireSession } from "./given.ts";
import type { AnyModel } from "../nn/functional.ts";
import { isFunctional } from "../nn/is-functional.ts";
import { FEATURES, networkOf, type Network, type OutputsOf } from "./network.ts";
import { measure, type BatchFunction, type Objective } from "./objective.ts";
import type { AnyTrainerOptions } from "./options.ts";
import { Predictor, type PredictionInputs, type Predictions } from "./predict.ts";
import { requireFunctions } from "./settings.ts";
import { mapped } from "./snapshot.ts";
import { metricOutput, namedTotals } from "./step/runner.ts";
import { lossOf, matched, normalizationsOf, requireExamples, requireNormalizations, rowsThatFit } from "./subject.ts";

/** The maximum number of examples computed at a time. It fills a GPU and takes about 3 MB for MNIST in float32. */
const CHUNK = 1000;

/** The maximum number of chunks that are uploaded together and computed in one submit. Ten hold MNIST's test set. */
const CHUNKS_OF_A_WINDOW = 10;

/** The options of `createEvaluator`. */
export interface EvaluatorOptions<Kind extends AnyModel = Model, Metric extends string = string> {
  readonly model: Kind;
  readonly backend: Backend;
  /** The session that holds the parameters: a trainer's, or a new one, in which they have their initial values. */
  readonly session: Session;
  /** The normalization that the model was trained with; features are unchanged by default. */
  readonly normalization?: Normalization | Normalizations;
  /**
   * "softmaxCrossEntropy" for classification and "meanSquaredError" for regression by default; for a text, this default and
   * "softmaxCrossEntropy" are `nextTokenLoss`. See `createTrainer`.
   */
  readonly loss?: LossName | TrainingLoss | BatchFunction<OutputsOf<Kind>>;
  /** Metrics by name, see `createTrainer`. */
  readonly metrics?: Readonly<Record<Metric, BatchFunction<OutputsOf<Kind>>>>;
}

/** The options of `Evaluator.evaluate`. */
export interface EvaluateOptions {
  /** Scalars that the loss and the metrics find in the batch, by name; see the option `stepInputs` of `createTrainer`. */
  readonly stepInputs?: Readonly<Record<string, number>>;
}

/** The result of evaluating a model on a data set. */
export interface Evaluation<Metric extends string = string> {
  /** The mean over the examples, without weights. */
  readonly loss: number;
  /** The fraction of correct predictions, in [0, 1]; NaN for regression and for a loss that is a function. */
  readonly accuracy: number;
  /** The means of the own metrics over the examples, if there are any. */
  readonly metrics?: Readonly<Record<Metric, number>>;
  /** Number of examples. */
  readonly count: number;
}

/** Applies a model outside training, without dropout and in chunks, with the current values of the parameters. */
export interface Evaluator<Kind extends AnyModel = Model, Metric extends string = string> {
  /** @throws OptionError if the model and the data set do not fit */
  evaluate(dataset: AnyDataset, options?: EvaluateOptions): Promise<Evaluation<Metric>>;
  /**
   * Computes the model's outputs. Simultaneous calls share a run, as do calls made while another one is running. The
   * outputs of an example have the same bits in every batch.
   * @param inputs examples, row-major: [examples, ...inputShape]; for several inputs an object with the values of each
   * @returns outputs, row-major: [examples, ...outputShape]; for class probabilities see `probabilities`. For a
   * `FunctionalModel` an object with the values of each output
   * @throws OptionError if the number of values is not a multiple of an example's
   */
  predict(inputs: PredictionInputs<Kind>): Promise<Predictions<Kind>>;
}

/**
 * Creates an evaluator of a model, for data and examples outside training.
 * @throws OptionError for an invalid model, backend or session, an unknown loss, or a normalization that is not finite
 */
export function createEvaluator<Kind extends AnyModel, Metric extends string = string>(
  options: EvaluatorOptions<Kind, Metric>,
): Evaluator<Kind, Metric> {
  requireOptionsObject("createEvaluator", options);
  const { model, backend, session } = options;
  // The kind of model only decides the types of functions and predictions, which `network.ts` handles for both.
  const { loss, metrics = {} } = options as Pick<AnyTrainerOptions, "loss" | "metrics">;
  requireModel("model", model);
  requireBackend("backend", backend);
  requireSession("session", session);
  requireFunctions("metrics", metrics, "(outputs, batch) => mean(outputs)");
  const normalizations = normalizationsOf(options.normalization);
  // The columns of functional models are known with the data set.
  if (!isFunctional(model))
    requireNormalizations(normalizations, (name) => (name === FEATURES ? sizeOf(model.inputShape) : undefined));
  const parts = { backend, session, normalizations, metrics, loss: loss === undefined ? undefined : lossOf(loss) };
  return new ChunkEvaluator({ ...parts, network: networkOf(model) }) as unknown as Evaluator<Kind, Metric>;
}

/** What an evaluator needs, checked. */
export interface EvaluatorParts {
  readonly network: Network;
  readonly session: Session;
  readonly backend: Backend;
  readonly normalizations: Normalizations;
  /** Undefined to use the default for each data set's task. */
  readonly loss: Objective["loss"] | undefined;
  readonly metrics: Objective["metrics"];
}

/** What evaluates data sets with the same columns. */
interface KindOfData {
  readonly layout: BatchLayout;
  readonly objective: Objective;
  readonly leaves: ColumnLeaves;
  readonly stepInputs: Readonly<Record<string, Tensor>>;
  /** Examples computed at a time. */
  readonly chunk: number;
  /** Examples uploaded at a time, a multiple of the chunk. */
  readonly window: number;
  /** The sums over a number of rows. */
  readonly sums: Map<number, Promise<Sums>>;
}

/** Computes sums over the rows of a chunk. */
interface Sums {
  readonly executable: Executable;
  readonly nodes: readonly Tensor[];
}

/** Implements `Evaluator` for any model. */
export class ChunkEvaluator implements Evaluator<AnyModel> {
  readonly #parts: EvaluatorParts;
  readonly #kinds = new Map<string, KindOfData>();
  #predictor: Predictor | undefined;

  constructor(parts: EvaluatorParts) {
    this.#parts = parts;
  }

  async evaluate(dataset: AnyDataset, { stepInputs = {} }: EvaluateOptions = {}): Promise<Evaluation> {
    const { session, metrics } = this.#parts;
    requireData("evaluate", dataset);
    const kind = this.#kindOf(dataset, Object.keys(stepInputs));
    const totals = { loss: 0, correct: 0, metrics: mapped(metrics, () => 0) };
    for (let first = 0; first < dataset.count; first += kind.window) {
      const count = Math.min(kind.window, dataset.count - first);
      const runs = await this.#windowRuns(kind, count);
      const { nodes } = runs[0]!;
      writeRows(session, usedLeaves(kind.leaves, nodes), rowsOf(dataset, first, count), { first: 0, count });
      for (const [name, leaf] of Object.entries(kind.stepInputs))
        if (nodes.includes(leaf)) session.write(leaf, Float32Array.of(stepInputs[name]!));
      for (const traces of await Promise.all(runs.map(({ run }) => run()))) {
        totals.loss += totalOf(traces.loss!);
        totals.correct += traces.correct ? totalOf(traces.correct) : NaN;
        for (const name of Object.keys(metrics)) totals.metrics[name]! += totalOf(traces[metricOutput(name)]!);
      }
    }
    const { count } = dataset;
    const means = mapped(totals.metrics, (total) => total / count);
    const hasMetrics = Object.keys(metrics).length > 0;
    return {
      loss: totals.loss / count,
      accuracy: totals.correct / count,
      ...(hasMetrics && { metrics: means }),
      count,
    };
  }

  predict(inputs: PredictionInputs<AnyModel>): Promise<Predictions<AnyModel>> {
    const { backend, network } = this.#parts;
    this.#predictor ??= new Predictor({ ...this.#parts, largestBatch: chunkOf(rowsThatFit(network, backend)) });
    return this.#predictor.predict(inputs);
  }

  /** The submits for the first `rows` rows of the window: one for all whole chunks, and one for the remainder. */
  async #windowRuns(
    kind: KindOfData,
    rows: number,
  ): Promise<(Pick<Sums, "nodes"> & { run(): ReturnType<Executable["run"]> })[]> {
    const { chunk } = kind;
    const chunks = Math.floor(rows / chunk);
    const rest = rows % chunk;
    const whole = chunks > 0 ? await this.#sumsOf(kind, chunk) : undefined;
    const remainder = rest > 0 ? await this.#sumsOf(kind, rest) : undefined;
    return [
      ...(whole ? [{ nodes: whole.nodes, run: () => whole.executable.run(0, chunks) }] : []),
      // Runs are numbered in chunks, so the remainder starts at run number `chunks`.
      ...(remainder ? [{ nodes: remainder.nodes, run: () => remainder.executable.run(chunks, 1) }] : []),
    ];
  }

  /** @throws OptionError if the data set does not fit the model */
  #kindOf(dataset: AnyDataset, stepInputs: readonly string[]): KindOfData {
    const { network, backend, loss, metrics, normalizations } = this.#parts;
    const description = describeDataset(dataset);
    const { columns, classes, outputs } = description;
    const key = JSON.stringify([columns, classes, outputs, stepInputs]);
    const known = this.#kinds.get(key);
    if (known) return known;
    requireExamples(dataset);
    const match = matched(network, description, { loss, normalizations });
    const fitting = rowsThatFit(network, backend, match.layout);
    const chunk = Math.min(chunkOf(fitting), rowsOfTokens(description));
    const window = chunk * Math.max(1, Math.min(CHUNKS_OF_A_WINDOW, Math.floor(fitting / chunk)));
    const kind: KindOfData = {
      layout: match.layout,
      objective: { loss: match.loss, metrics, classWeights: undefined },
      leaves: columnLeaves(window, match.layout),
      stepInputs: Object.fromEntries(stepInputs.map((name) => [name, input(name, [])])),
      chunk,
      window,
      sums: new Map(),
    };
    this.#kinds.set(key, kind);
    return kind;
  }

  /** Compiles the sums of losses, correct predictions and metrics over `count` rows, starting at chunk number `run`. */
  #sumsOf({ layout, objective, leaves, stepInputs, chunk, sums }: KindOfData, count: number): Promise<Sums> {
    const { network, session } = this.#parts;
    return compiledOnce(sums, count, async () => {
      const start = stepScalar("start", (run) => run * chunk, "uint32");
      const batch = { ...takeColumns(leaves, layout, { start, count }), ...stepInputs };
      const outputs = network.apply(inputsIn(batch, layout));
      const totals = measure(objective, { network, outputs, batch, count, share: 1, weighted: false });
      const graph = defineGraph(namedTotals(totals));
      return { executable: await session.compile(graph), nodes: graph.nodes };
    });
  }
}

/** The maximum number of tokens of a text computed at a time: a network has numbers for each of them. */
const CHUNK_TOKENS = 2 ** 13;

function rowsOfTokens({ vocabulary, columns }: DataDescription): number {
  if (vocabulary === undefined) return Infinity;
  return Math.max(1, Math.floor(CHUNK_TOKENS / columns["tokens"]!.shape[0]!));
}

const chunkOf = (fitting: number) => Math.min(CHUNK, fitting);

const totalOf = (values: ArrayLike<number>) => Array.from(values).reduce((before, value) => before + value, 0);
