import type { Backend, Executable, Session } from "../backends/backend.ts";
import type { Normalization, Dataset } from "../data/dataset.ts";
import { requireNormalization } from "../data/normalization.ts";
import { defineGraph } from "../graph/graph.ts";
import { stepScalar } from "../graph/leaves.ts";
import { sizeOf } from "../graph/tensor.ts";
import type { LossName, TrainingLoss } from "../nn/losses.ts";
import type { Model } from "../nn/sequential.ts";
import {
  exampleLeaves,
  takeTargets,
  takeFeatures,
  summedMetrics,
  writeExamples,
  type ExampleLeaves,
} from "./batches.ts";
import { requireBackend, requireData, requireModel, requireOptionsObject, requireSession } from "./given.ts";
import { lossFor, lossOf, requireDataset, rowsThatFit, unchanged } from "./options.ts";
import { Predictor } from "./predict.ts";

/** The maximum number of examples computed at a time. It fills a GPU and takes about 3 MB for MNIST in float32. */
const CHUNK = 1000;

/** The maximum number of chunks that are uploaded together and computed in one submit. Ten hold MNIST's test set. */
const CHUNKS_OF_A_WINDOW = 10;

/** The options of `createEvaluator`. */
export interface EvaluatorOptions {
  readonly model: Model;
  readonly backend: Backend;
  /** The session that holds the parameters: a trainer's, or a new one, in which they have their initial values. */
  readonly session: Session;
  /** The normalization that the model was trained with; features are unchanged by default. */
  readonly normalization?: Normalization;
  /** "softmaxCrossEntropy" for classification and "meanSquaredError" for regression by default. */
  readonly loss?: LossName | TrainingLoss;
}

/** The result of evaluating a model on a data set. */
export interface Evaluation {
  /** The mean over the examples. */
  readonly loss: number;
  /** The fraction of correct predictions, in [0, 1]; NaN for regression. */
  readonly accuracy: number;
  /** Number of examples. */
  readonly count: number;
}

/** Applies a model outside training, without dropout and in chunks, with the current values of the parameters. */
export interface Evaluator {
  /** @throws OptionError if the model and the data set do not fit */
  evaluate(dataset: Dataset): Promise<Evaluation>;
  /**
   * Computes the model's outputs. Simultaneous calls share a run, as do calls made while another one is running. The
   * outputs of an example have the same bits in every batch.
   * @param features examples, row-major: [examples, ...inputShape]
   * @returns outputs, row-major: [examples, ...outputShape]; for class probabilities see `probabilities`
   * @throws OptionError if the number of values is not a multiple of an example's
   */
  predict(features: Uint8Array | Float32Array): Promise<Float32Array>;
}

/**
 * Creates an evaluator of a model, for data and examples outside training.
 * @throws OptionError for an invalid model, backend or session, an unknown loss, or a normalization that is not finite
 */
export function createEvaluator(options: EvaluatorOptions): Evaluator {
  requireOptionsObject("createEvaluator", options);
  const { model, backend, session, normalization = unchanged } = options;
  requireModel("model", model);
  requireBackend("backend", backend);
  requireSession("session", session);
  requireNormalization(normalization, sizeOf(model.inputShape));
  return new ChunkEvaluator({
    model,
    session,
    normalization,
    loss: options.loss === undefined ? undefined : lossOf(options.loss),
    ...windowOf(model, backend),
  });
}

function windowOf(model: Model, backend: Backend): { chunk: number; window: number } {
  const fitting = rowsThatFit(model, backend);
  const chunk = Math.min(CHUNK, fitting);
  return { chunk, window: chunk * Math.max(1, Math.min(CHUNKS_OF_A_WINDOW, Math.floor(fitting / chunk))) };
}

interface EvaluatorParts {
  readonly model: Model;
  readonly session: Session;
  readonly normalization: Normalization;
  /** Undefined to use the default for each data set's task. */
  readonly loss: TrainingLoss | undefined;
  /** Examples computed at a time. */
  readonly chunk: number;
  /** Examples uploaded at a time, a multiple of the chunk. */
  readonly window: number;
}

/** The properties of a data set that determine its leaves. */
interface DataKind {
  readonly features: Uint8Array | Float32Array;
  readonly outputs?: readonly string[];
}

class ChunkEvaluator implements Evaluator {
  readonly #parts: EvaluatorParts;
  readonly #leaves = new Map<string, ExampleLeaves>();
  readonly #metrics = new Map<string, Promise<Executable>>();
  readonly #predictor: Predictor;

  constructor(parts: EvaluatorParts) {
    this.#parts = parts;
    this.#predictor = new Predictor({ ...parts, largestBatch: parts.chunk });
  }

  async evaluate(dataset: Dataset): Promise<Evaluation> {
    const { model, session, window } = this.#parts;
    requireData("evaluate", dataset);
    const loss = this.#parts.loss ?? lossFor(dataset, undefined);
    requireDataset(model, dataset, loss);
    const totals = { loss: 0, correct: 0 };
    for (let first = 0; first < dataset.count; first += window) {
      const rows = Math.min(window, dataset.count - first);
      const runs = await this.#windowRuns(dataset, loss, rows);
      writeExamples(session, this.#leavesFor(dataset), dataset, first, rows);
      for (const traces of await Promise.all(runs.map((run) => run()))) {
        totals.loss += totalOf(traces.loss!);
        totals.correct += traces.correct ? totalOf(traces.correct) : NaN;
      }
    }
    const { count } = dataset;
    return { loss: totals.loss / count, accuracy: totals.correct / count, count };
  }

  /** The submits for the first `rows` rows of the window: one for all whole chunks, and one for the remainder. */
  async #windowRuns(
    data: DataKind,
    loss: TrainingLoss,
    rows: number,
  ): Promise<(() => ReturnType<Executable["run"]>)[]> {
    const { chunk } = this.#parts;
    const chunks = Math.floor(rows / chunk);
    const rest = rows % chunk;
    const whole = chunks > 0 ? await this.#metricsOf(data, loss, chunk) : undefined;
    const remainder = rest > 0 ? await this.#metricsOf(data, loss, rest) : undefined;
    return [
      ...(whole ? [() => whole.run(0, chunks)] : []),
      // Runs are numbered in chunks, so the remainder starts at run number `chunks`.
      ...(remainder ? [() => remainder.run(chunks, 1)] : []),
    ];
  }

  predict(features: Uint8Array | Float32Array): Promise<Float32Array> {
    return this.#predictor.predict(features);
  }

  #leavesFor(data: DataKind): ExampleLeaves {
    const { model, window } = this.#parts;
    const make = () => exampleLeaves(window, { ...data, shape: model.inputShape }, false);
    return memoized(this.#leaves, kindOf(data), make);
  }

  /** Compiles the sums of losses and of correct predictions over `count` rows, starting at chunk number `run`. */
  #metricsOf(data: DataKind, loss: TrainingLoss, count: number): Promise<Executable> {
    const { model, session, normalization, chunk } = this.#parts;
    return memoized(this.#metrics, `${kindOf(data)} ${count}`, () => {
      const leaves = this.#leavesFor(data);
      const start = stepScalar("start", (run) => run * chunk, "uint32");
      const outputs = model.apply(takeFeatures(leaves, { model, normalization, start, count }));
      return session.compile(defineGraph({ ...summedMetrics(loss, outputs, takeTargets(leaves, start, count)) }));
    });
  }
}

const totalOf = (values: ArrayLike<number>) => Array.from(values).reduce((before, value) => before + value, 0);

const kindOf = ({ features, outputs }: DataKind) =>
  `${features instanceof Uint8Array ? "uint8" : "float32"} ${outputs ? "targets" : "labels"}`;

function memoized<Key, Value>(known: Map<Key, Value>, key: Key, make: () => Value): Value {
  const found = known.get(key);
  if (found !== undefined) return found;
  const made = make();
  known.set(key, made);
  return made;
}
