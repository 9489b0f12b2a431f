/*
 * From the columns of a data set on the device to the tensors of a batch.
 */
import type { Session } from "../backends/backend.ts";
import { widthOf, type Columns, type DataDescription } from "../data/columns.ts";
import type { Normalization } from "../data/dataset.ts";
import { OptionError } from "../errors.ts";
import { constant, input } from "../graph/leaves.ts";
import { sameShape, sizeOf, type DType, type Shape, type Tensor } from "../graph/tensor.ts";
import type { Batch } from "../nn/batch.ts";
import type { NamedTensors } from "../nn/functional.ts";
import { add, multiply, toFloat } from "../ops/elementwise/index.ts";
import { takeBatch } from "../ops/gather/index.ts";
import { slice } from "../ops/indexing/index.ts";
import { reshape } from "../ops/layout/index.ts";
import { drawWindows } from "../ops/windows/index.ts";
import { isFunctional } from "../nn/is-functional.ts";
import { FEATURES, type Network } from "./network.ts";

/** The column of a text that a model reads. */
const TOKENS = "tokens";

/** The normalization of columns by name. */
export type Normalizations = Readonly<Record<string, Normalization>>;

/** How the columns of a data set become the tensors of a batch and the inputs of a model. */
export interface BatchLayout {
  readonly columns: Readonly<Record<string, BatchColumn>>;
  /** The column of each input of the model. */
  readonly sources: Readonly<Record<string, string>>;
  /** The inputs that get the tokens of a text as float32: those of sequential models. */
  readonly numbers?: readonly string[];
}

interface BatchColumn {
  /** As it is stored. */
  readonly dtype: DType;
  /** Numbers per example. */
  readonly width: number;
  /** The shape of an example in a batch. */
  readonly shape: Shape;
  readonly normalization: Normalization | undefined;
}

/**
 * Matches the inputs of a model and the columns of a data set by name. A model with one input takes `features`, or the
 * tokens of a text, if no column has the input's name.
 * @throws OptionError for an input without a column, or one of another shape or type
 */
export function layoutOf(network: Network, data: DataDescription, normalizations: Normalizations): BatchLayout {
  const names = Object.keys(network.inputs);
  const isText = data.vocabulary !== undefined;
  const single = isText ? TOKENS : FEATURES;
  const sources = Object.fromEntries(
    names.map((name) => [name, names.length === 1 && !Object.hasOwn(data.columns, name) ? single : name]),
  );
  const shapes = new Map<string, Shape>();
  for (const name of names) {
    requireInput(network, name, sources[name]!, data);
    shapes.set(sources[name]!, network.inputs[name]!.shape);
  }
  const numbers = isText ? names.filter((name) => network.inputs[name]!.dtype === "float32") : [];
  const columns = columnsLayout(data.columns, normalizations, shapes);
  return { columns, sources, ...(numbers.length > 0 && { numbers }) };
}

/** @param shapes the shapes of columns in a batch, if they are not those of the data set */
export function columnsLayout(
  columns: DataDescription["columns"],
  normalizations: Normalizations,
  shapes: ReadonlyMap<string, Shape> = new Map(),
): BatchLayout["columns"] {
  const entries = Object.entries(columns).map(([name, { shape, dtype }]): [string, BatchColumn] => [
    name,
    { dtype, width: sizeOf(shape), shape: shapes.get(name) ?? shape, normalization: normalizations[name] },
  ]);
  return Object.fromEntries(entries);
}

function requireInput(network: Network, name: string, source: string, data: DataDescription): void {
  const { name: where, columns, vocabulary } = data;
  const wanted = network.inputs[name]!;
  const column = columns[source];
  const ofInput = isFunctional(network.model) ? `the model's input ${name}` : "the model's input";
  if (!column) {
    const what = `there is no tensor for ${ofInput}`;
    const fix = `Name a tensor ${name}; the data set has ${Object.keys(columns).join(", ")}`;
    throw new OptionError({ where, what, fix });
  }
  if (!fits(column.shape, wanted.shape)) {
    const ofExample = source === FEATURES ? "an example" : `an example of ${source}`;
    throw new OptionError({
      where,
      what: `${ofExample} has the shape ${shapeText(column.shape)} but ${ofInput} has ${shapeText(wanted.shape)}`,
      fix: isFunctional(network.model)
        ? `Give the input the shape ${shapeText(column.shape)}, or reshape the data`
        : `Build the model with inputShape ${shapeText(column.shape)}, or reshape the data`,
    });
  }
  const dtype = column.dtype === "uint32" ? "uint32" : "float32";
  if (wanted.dtype === dtype || vocabulary !== undefined) return;
  throw new OptionError({
    where,
    what: `${source} is ${column.dtype}, which is ${dtype} in a batch, but ${ofInput} is ${wanted.dtype}`,
    fix: wanted.dtype === "uint32" ? "Give whole numbers in a Uint32Array" : "Give a Float32Array or a Uint8Array",
  });
}

const shapeText = (shape: Shape): string => `[${shape.join(", ")}]`;

/**
 * Whether examples of a shape have the elements of another shape in the same order: a model with one axis takes them
 * flattened, and axes of size 1 at the end, such as the channel of gray images, may be absent in either.
 */
function fits(given: Shape, wanted: Shape): boolean {
  const isFlat = wanted.length === 1 && wanted[0] === sizeOf(given);
  return isFlat || sameShape(withoutLastOnes(given), withoutLastOnes(wanted));
}

const withoutLastOnes = (shape: Shape): Shape => shape.slice(0, shape.findLastIndex((size) => size !== 1) + 1);

/** The leaves that hold examples on the device, in the types of the data set. */
export interface ColumnLeaves {
  readonly columns: Readonly<Record<string, Tensor>>;
  /** The index of the example at each position, uint32 [examples]. Without it, examples are used in their own order. */
  readonly order?: Tensor;
  /** A text instead of columns. A window at a random position is drawn for each example. */
  readonly text?: TextLeaf;
}

/** A text on the device. */
export interface TextLeaf {
  /** As `drawWindows` reads it. */
  readonly tokens: Tensor;
  /** The key of the positions. */
  readonly key: number;
  /** Tokens per window. */
  readonly context: number;
}

/** Leaves for `count` examples: [count], or [count, width] for columns of several numbers and of bytes. */
export function columnLeaves(count: number, { columns }: BatchLayout, shuffled = false): ColumnLeaves {
  const leaves = Object.entries(columns).map(([name, { dtype, width, shape }]) => {
    const isSingle = shape.length === 0 && dtype !== "uint8";
    return [name, input(name, isSingle ? [count] : [count, width], dtype)] as const;
  });
  return { columns: Object.fromEntries(leaves), ...(shuffled && { order: input("order", [count], "uint32") }) };
}

/** The leaves among those of a graph, since a session refuses to write others. */
export function usedLeaves({ columns, order }: ColumnLeaves, nodes: readonly Tensor[]): ColumnLeaves {
  const used = new Set(nodes);
  return {
    columns: Object.fromEntries(Object.entries(columns).filter(([, leaf]) => used.has(leaf))),
    ...(order && used.has(order) && { order }),
  };
}

/** Writes rows first … first + count − 1 of columns to the leaves, from row `to` on. */
export function writeRows(
  session: Session,
  leaves: ColumnLeaves,
  columns: Columns,
  { first, count, to = 0 }: { readonly first: number; readonly count: number; readonly to?: number },
): void {
  for (const [name, leaf] of Object.entries(leaves.columns)) {
    const column = columns[name]!;
    const width = widthOf(column);
    session.write(leaf, column.values.subarray(first * width, (first + count) * width), to * width);
  }
}

/** The rows of a batch: `count` examples from a position on. */
export interface BatchRows {
  readonly start: Tensor;
  readonly count: number;
}

/** The tensors of a batch by name, normalized, with inputs of the model in their shapes: [count, ...shape]. */
export function takeColumns(leaves: ColumnLeaves, layout: BatchLayout, { start, count }: BatchRows): Batch {
  const { order, text } = leaves;
  if (text) return drawnText(text, { start, count });
  const place = { order, start, count };
  const tensors = Object.entries(leaves.columns).map(([name, leaf]) => {
    const { shape, normalization } = layout.columns[name]!;
    return [name, reshape(normalized(leaf, normalization, place), [count, ...shape])] as const;
  });
  return Object.fromEntries(tensors);
}

function drawnText({ tokens, key, context }: TextLeaf, { start, count }: BatchRows): Batch {
  const drawing = { key: constant(key, [], "uint32"), first: start, count, length: context + 1 };
  const windows = drawWindows(tokens, drawing);
  return {
    tokens: slice(windows, [undefined, { end: context }]),
    targets: slice(windows, [undefined, { start: 1 }]),
  };
}

type Place = Omit<Parameters<typeof takeBatch>[1], "scale" | "offset">;

function normalized(leaf: Tensor, normalization: Normalization | undefined, place: Place): Tensor {
  if (!normalization) return takeBatch(leaf, place);
  const { scale, offset } = normalization;
  return typeof scale === "number" && typeof offset === "number"
    ? takeBatch(leaf, { ...place, scale, offset })
    : add(multiply(takeBatch(leaf, place), perElement(scale)), perElement(offset));
}

const perElement = (values: number | readonly number[]) =>
  constant(values, typeof values === "number" ? [] : [values.length]);

/** The inputs of a model in a batch. */
export const inputsIn = (batch: Batch, { sources, numbers = [] }: BatchLayout): NamedTensors =>
  Object.fromEntries(
    Object.entries(sources).map(([name, column]) => {
      const tensor = batch[column]!;
      return [name, numbers.includes(name) ? toFloat(tensor) : tensor];
    }),
  );
