/*
 * Computes the outputs of a model for examples. A graph has a fixed batch size, so graphs for a few sizes are compiled
 * when they are first needed. Simultaneous requests share a run.
 */
import type { Executable, NumericArray, Session } from "../backends/backend.ts";
import type { Normalization } from "../data/dataset.ts";
import { OptionError } from "../errors.ts";
import { defineGraph } from "../graph/graph.ts";
import { constant, input } from "../graph/leaves.ts";
import { sizeOf, type Tensor } from "../graph/tensor.ts";
import type { Model } from "../nn/sequential.ts";
import { takeFeatures } from "./batches.ts";

/** The factor between consecutive batch sizes, which bounds the work wasted on padding. */
const BATCH_GROWTH = 8;

export interface PredictorOptions {
  readonly model: Model;
  readonly session: Session;
  readonly normalization: Normalization;
  /** The maximum number of examples computed at a time. */
  readonly largestBatch: number;
}

/** Applies a model to examples. The outputs of an example do not depend on the other examples in its batch. */
export class Predictor {
  readonly #options: PredictorOptions;
  /** uint8 and float32 features need different graphs. */
  readonly #bytes: PredictionQueue;
  readonly #floats: PredictionQueue;

  constructor(options: PredictorOptions) {
    this.#options = options;
    this.#bytes = new PredictionQueue(options, "uint8");
    this.#floats = new PredictionQueue(options, "float32");
  }

  /** See `Evaluator.predict`. */
  async predict(features: Uint8Array | Float32Array): Promise<Float32Array> {
    const { inputShape } = this.#options.model;
    const width = sizeOf(inputShape);
    if (!(features instanceof Uint8Array || features instanceof Float32Array)) {
      const what = `the features are of type ${features === null ? "null" : typeof features}`;
      throw new OptionError({ where: "predict", what, fix: "Give a Uint8Array or a Float32Array" });
    }
    if (features.length === 0 || features.length % width !== 0) {
      throw new OptionError({
        where: "predict",
        what: `${features.length} values are not a whole number of examples of shape [${inputShape.join(", ")}]`,
        fix: `Give ${width} values per example`,
      });
    }
    return (features instanceof Uint8Array ? this.#bytes : this.#floats).add(features);
  }
}

/** A pending call of `predict`. */
interface Request {
  readonly features: Uint8Array | Float32Array;
  readonly outputs: Float32Array;
  /** The number of its examples that are already in a run. */
  taken: number;
  finish(): void;
  fail(reason: unknown): void;
}

/** Rows of a request that are computed in one run. */
interface Piece {
  readonly request: Request;
  /** The index of its first example in the request. */
  readonly from: number;
  /** The index of its first row in the run. */
  readonly row: number;
  readonly count: number;
}

/** The graph for one batch size. */
interface BatchGraph {
  readonly features: Tensor;
  readonly executable: Executable;
  /** Whether its output is a single element, which the run itself returns. */
  readonly isScalar: boolean;
}

/**
 * The requests with one type of features. While a run is in progress, new requests wait, and then share the next run.
 */
class PredictionQueue {
  readonly #options: PredictorOptions;
  readonly #type: "uint8" | "float32";
  readonly #width: number;
  readonly #outputWidth: number;
  readonly #graphs = new Map<number, Promise<BatchGraph>>();
  #waiting: Request[] = [];
  #running = false;

  constructor(options: PredictorOptions, type: "uint8" | "float32") {
    this.#options = options;
    this.#type = type;
    this.#width = sizeOf(options.model.inputShape);
    this.#outputWidth = sizeOf(options.model.outputShape);
  }

  add(features: Uint8Array | Float32Array): Promise<Float32Array> {
    const outputs = new Float32Array((features.length / this.#width) * this.#outputWidth);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ features, outputs, taken: 0, finish: () => resolve(outputs), fail: reject });
      void this.#runAll();
    });
  }

  async #runAll(): Promise<void> {
    if (this.#running) return;
    this.#running = true;
    // Requests of the same tick share the first run.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const pieces = this.#nextPieces();
      try {
        await this.#run(pieces);
      } catch (reason) {
        const failed = new Set(pieces.map(({ request }) => request));
        this.#waiting = this.#waiting.filter((request) => !failed.has(request));
        for (const request of failed) request.fail(reason);
      }
    }
    this.#running = false;
  }

  /**
   * The rows of the next run. Large requests take turns, so that a small one does not have to wait for them to finish.
   */
  #nextPieces(): Piece[] {
    const pieces: Piece[] = [];
    const unfinished: Request[] = [];
    let row = 0;
    while (this.#waiting.length > 0 && row < this.#options.largestBatch) {
      const request = this.#waiting.shift()!;
      const left = request.features.length / this.#width - request.taken;
      const count = Math.min(left, this.#options.largestBatch - row);
      pieces.push({ request, from: request.taken, row, count });
      request.taken += count;
      row += count;
      if (count < left) unfinished.push(request);
    }
    this.#waiting.push(...unfinished);
    return pieces;
  }

  async #run(pieces: readonly Piece[]): Promise<void> {
    const { session } = this.#options;
    const last = pieces.at(-1)!;
    const { features, executable, isScalar } = await this.#graphFor(last.row + last.count);
    const [width, outputWidth] = [this.#width, this.#outputWidth];
    for (const { request, from, row, count } of pieces) {
      session.write(features, request.features.subarray(from * width, (from + count) * width), row * width);
    }
    const outputs = await outputsOf(executable, isScalar);
    for (const { request, from, row, count } of pieces) {
      request.outputs.set(outputs.subarray(row * outputWidth, (row + count) * outputWidth), from * outputWidth);
      if ((from + count) * width === request.features.length) request.finish();
    }
  }

  #graphFor(examples: number): Promise<BatchGraph> {
    const { largestBatch } = this.#options;
    let batch = 1;
    while (batch < examples) batch = Math.min(BATCH_GROWTH * batch, largestBatch);
    const known = this.#graphs.get(batch);
    if (known) return known;
    const made = this.#compile(batch);
    this.#graphs.set(batch, made);
    return made;
  }

  async #compile(batch: number): Promise<BatchGraph> {
    const { model, session, normalization } = this.#options;
    const features = input("features", [batch, this.#width], this.#type);
    const start = constant(0, [], "uint32");
    const examples = takeFeatures({ features }, { model, normalization, start, count: batch });
    const outputs = model.apply(examples);
    return { features, executable: await session.compile(defineGraph({ outputs })), isScalar: outputs.size === 1 };
  }
}

async function outputsOf(executable: Executable, isScalar: boolean): Promise<NumericArray> {
  const running = executable.run(0, 1);
  if (isScalar) return (await running)["outputs"]!;
  const [, outputs] = await Promise.all([running, executable.read("outputs")]);
  return outputs;
}
