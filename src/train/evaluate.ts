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

/** The most examples computed at a time: enough to fill a GPU, and about 3 MB of MNIST in float32. */
const CHUNK = 1000;

/** The most chunks uploaded at a time and computed in one submit: MNIST's test set. */
const CHUNKS_OF_A_WINDOW = 10;

/** What is evaluated, and by what. */
export interface EvaluatorOptions {
  readonly model: Model;
  readonly backend: Backend;
  /** Holds the parameters: a trainer's session, or a new one, in which they have their initial values. */
  readonly session: Session;
  /** As in training; the features as they are by default. */
  readonly normalization?: Normalization;
  /** By default "softmaxCrossEntropy" of classes and "meanSquaredError" of quantities. */
  readonly loss?: LossName | TrainingLoss;
}

/** How well a model does on a data set. */
export interface Evaluation {
  /** Mean over the examples. */
  readonly loss: number;
  /** Share of right predictions, in [0, 1]; NaN of quantities, which are never simply right. */
  readonly accuracy: number;
  /** Number of examples. */
  readonly count: number;
}

/** Applies a model outside training, with dropout off, a chunk at a time, with what the parameters then hold. */
export interface Evaluator {
  /** @throws OptionError where the model and the data set do not fit */
  evaluate(dataset: Dataset): Promise<Evaluation>;
  /**
   * The model's outputs. Calls that come together share a run, and so do calls made while another one is under way; an
   * example's outputs are the same bits whichever examples it is computed with.
   * @param features examples row after row, of the model's input shape
   * @returns outputs row after row, of the model's output shape; see `probabilities`
   * @throws OptionError where the features are no whole number of examples
   */
  predict(features: Uint8Array | Float32Array): Promise<Float32Array>;
}

/**
 * @throws OptionError for what is no model, backend or session, for an unknown loss, and for a normalization that is not
 * finite
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
  /** The usual one of the data where none is named. */
  readonly loss: TrainingLoss | undefined;
  /** Examples at a time. */
  readonly chunk: number;
  /** Examples on the device, a multiple of the chunk. */
  readonly window: number;
}

/** What of a data set the leaves depend on. */
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

  /** The submits that go over the first rows of the window: all whole chunks in one, and what is left. */
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
      // A run's number is where it starts, in chunks.
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

  /** The sums of losses and of right predictions over `count` rows from chunk number `run` on. */
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
