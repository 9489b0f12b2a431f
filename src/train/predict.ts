/*
 * Computes the outputs of a model for examples. A graph has a fixed batch size, so graphs for a few sizes are compiled
 * when they are first needed. Simultaneous requests share a run.
 */
import type { Executable, NumericArray, Session } from "../backends/backend.ts";
import { typeOf } from "../data/columns.ts";
import type { TensorElements } from "../data/tensor-dataset.ts";
import { OptionError } from "../errors.ts";
import { defineGraph } from "../graph/graph.ts";
import { constant } from "../graph/leaves.ts";
import { typeName } from "../text.ts";
import { sizeOf, type Tensor } from "../graph/tensor.ts";
import { compiledOnce } from "./compiled.ts";
import { columnLeaves, inputsIn, takeColumns, usedLeaves, type BatchLayout, type Normalizations } from "./batches.ts";
import type { AnyModel, FunctionalModel } from "../nn/functional.ts";
import { isFunctional } from "../nn/is-functional.ts";
import { FEATURES, onlyOf, type Network } from "./network.ts";

/**
 * Examples to predict, row-major: [examples, ...shape] for each input. The array alone is enough for a model with one
 * input.
 */
export type PredictionInputs<Kind extends AnyModel> =
  Kind extends FunctionalModel<infer Input, string>
    ? TensorElements | Readonly<Record<Input, TensorElements>>
    : Uint8Array | Float32Array;

/** Outputs, row-major: [examples, ...outputShape]; of a `FunctionalModel` by name. */
export type Predictions<Kind extends AnyModel> =
  Kind extends FunctionalModel<string, infer Output> ? Readonly<Record<Output, Float32Array>> : Float32Array;

/** The factor between consecutive batch sizes, which bounds the work wasted on padding. */
const BATCH_GROWTH = 8;

export interface PredictorOptions {
  readonly network: Network;
  readonly session: Session;
  readonly normalizations: Normalizations;
  /** The maximum number of examples computed at a time. */
  readonly largestBatch: number;
}

/** Applies a model to examples. The outputs of an example do not depend on the other examples in its batch. */
export class Predictor {
  readonly #options: PredictorOptions;
  /** Values of other types, such as uint8 and float32 features, need other graphs. */
  readonly #queues = new Map<string, PredictionQueue>();

  constructor(options: PredictorOptions) {
    this.#options = options;
  }

  /** See `Evaluator.predict`. */
  async predict(given: PredictionInputs<AnyModel>): Promise<Predictions<AnyModel>> {
    const { network } = this.#options;
    const inputs = inputValues(network, given);
    const layout = this.#layoutOf(inputs);
    const key = Object.values(layout.columns)
      .map(({ dtype }) => dtype)
      .join();
    const queue = this.#queues.get(key) ?? new PredictionQueue(this.#options, layout);
    this.#queues.set(key, queue);
    const outputs = await queue.add(inputs);
    return isFunctional(network.model) ? outputs : onlyOf(outputs)!;
  }

  #layoutOf(inputs: Inputs): BatchLayout {
    const { network, normalizations } = this.#options;
    const entries = Object.entries(network.inputs);
    const columns = entries.map(([name, { shape }]) => {
      const normalization = normalizations[name] ?? (entries.length === 1 ? normalizations[FEATURES] : undefined);
      return [name, { dtype: typeOf(inputs[name]!), width: sizeOf(shape), shape, normalization }] as const;
    });
    return {
      columns: Object.fromEntries(columns),
      sources: Object.fromEntries(entries.map(([name]) => [name, name])),
    };
  }
}

/** The values of each input of the model. */
type Inputs = Readonly<Record<string, TensorElements>>;

const isValues = (given: unknown): given is TensorElements =>
  given instanceof Uint8Array || given instanceof Float32Array || given instanceof Uint32Array;

/** @throws OptionError for inputs that do not fit the model */
function inputValues({ model, inputs }: Network, given: PredictionInputs<AnyModel>): Inputs {
  const names = Object.keys(inputs);
  const isRecord = isFunctional(model) && !isValues(given) && typeof given === "object" && given !== null;
  if (!isRecord && names.length > 1) {
    const what = `the model has the inputs ${names.join(", ")}`;
    throw new OptionError({ where: "predict", what, fix: "Give an object with the values of each" });
  }
  const values: Inputs = isRecord ? (given as Inputs) : { [names[0]!]: given as TensorElements };
  const unknown = Object.keys(values).find((name) => !names.includes(name));
  if (unknown !== undefined) {
    const what = `the model has no input ${unknown}`;
    throw new OptionError({ where: "predict", what, fix: `Give the values of ${names.join(", ")}` });
  }
  const counts = names.map((name) => examplesIn(isFunctional(model) ? name : FEATURES, values[name], inputs[name]!));
  const other = counts.findIndex((count) => count !== counts[0]);
  if (other >= 0) {
    const what = `there are ${counts[0]} examples of ${names[0]} and ${counts[other]} of ${names[other]}`;
    throw new OptionError({ where: "predict", what, fix: "Give the same number of examples for all inputs" });
  }
  return values;
}

/** The number of examples of an input. */
function examplesIn(name: string, values: unknown, { shape, dtype }: Network["inputs"][string]): number {
  const isRight = isValues(values) && values instanceof Uint32Array === (dtype === "uint32");
  if (!isRight) {
    const subject = name === FEATURES ? "the features are" : `the values of ${name} are`;
    const what = `${subject} of type ${typeName(values)}`;
    const fix = dtype === "uint32" ? "Give a Uint32Array" : "Give a Uint8Array or a Float32Array";
    throw new OptionError({ where: "predict", what, fix });
  }
  const width = sizeOf(shape);
  if (values.length > 0 && values.length % width === 0) return values.length / width;
  throw new OptionError({
    where: "predict",
    what: `${values.length} values are not a whole number of examples of shape [${shape.join(", ")}]`,
    fix: `Give ${width} values per example${name === FEATURES ? "" : ` for ${name}`}`,
  });
}

/** A pending call of `predict`. */
interface Request {
  readonly inputs: Inputs;
  readonly outputs: Readonly<Record<string, Float32Array>>;
  readonly count: number;
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
  readonly leaves: Readonly<Record<string, Tensor>>;
  readonly executable: Executable;
  /** The outputs that are read; those of a single element are results of the run itself. */
  readonly read: readonly string[];
}

/**
 * The requests with one type of values. While a run is in progress, new requests wait, and then share the next run.
 */
class PredictionQueue {
  readonly #options: PredictorOptions;
  readonly #layout: BatchLayout;
  readonly #outputs: readonly (readonly [name: string, width: number])[];
  readonly #graphs = new Map<number, Promise<BatchGraph>>();
  #waiting: Request[] = [];
  #running = false;

  constructor(options: PredictorOptions, layout: BatchLayout) {
    this.#options = options;
    this.#layout = layout;
    this.#outputs = Object.entries(options.network.outputs).map(([name, shape]) => [name, sizeOf(shape)]);
  }

  add(inputs: Inputs): Promise<Readonly<Record<string, Float32Array>>> {
    const [name, { width }] = Object.entries(this.#layout.columns)[0]!;
    const count = inputs[name]!.length / width;
    const outputs = Object.fromEntries(this.#outputs.map(([key, size]) => [key, new Float32Array(count * size)]));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ inputs, outputs, count, taken: 0, finish: () => resolve(outputs), fail: reject });
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
      const left = request.count - request.taken;
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
    const { leaves, executable, read } = await this.#graphFor(last.row + last.count);
    for (const { request, from, row, count } of pieces) {
      for (const [name, leaf] of Object.entries(leaves)) {
        const { width } = this.#layout.columns[name]!;
        session.write(leaf, request.inputs[name]!.subarray(from * width, (from + count) * width), row * width);
      }
    }
    const outputs = await outputsOf(executable, read);
    for (const { request, from, row, count } of pieces) {
      for (const [name, width] of this.#outputs) {
        const rows = outputs[name]!.subarray(row * width, (row + count) * width);
        request.outputs[name]!.set(rows, from * width);
      }
      if (from + count === request.count) request.finish();
    }
  }

  #graphFor(examples: number): Promise<BatchGraph> {
    const { largestBatch } = this.#options;
    let batch = 1;
    while (batch < examples) batch = Math.min(BATCH_GROWTH * batch, largestBatch);
    return compiledOnce(this.#graphs, batch, () => this.#compile(batch));
  }

  async #compile(batch: number): Promise<BatchGraph> {
    const { network, session } = this.#options;
    const leaves = columnLeaves(batch, this.#layout);
    const examples = takeColumns(leaves, this.#layout, { start: constant(0, [], "uint32"), count: batch });
    const outputs = network.apply(inputsIn(examples, this.#layout));
    const graph = defineGraph(outputs);
    return {
      leaves: usedLeaves(leaves, graph.nodes).columns,
      executable: await session.compile(graph),
      read: Object.keys(outputs).filter((name) => outputs[name]!.size > 1),
    };
  }
}

async function outputsOf(executable: Executable, read: readonly string[]): Promise<Record<string, NumericArray>> {
  // The reads are queued before the run is awaited, so that no other run comes between.
  const running = executable.run(0, 1);
  const reads = read.map(async (name) => [name, await executable.read(name)] as const);
  const [scalars, ...large] = await Promise.all([running, ...reads]);
  return { ...scalars, ...Object.fromEntries(large) };
}
