/*
 * What is checked of every call before it reaches a backend.
 */
import { OptionError } from "../errors.ts";
import type { Graph } from "../graph/graph.ts";
import { constantOp, inputOp, isStored, stepScalarOp, type ConstantAttributes } from "../graph/leaves.ts";
import { requireTensor, sizeOf, type DType, type Tensor } from "../graph/tensor.ts";
import type { NumericArray } from "./backend.ts";

/** What the elements of a leaf are used for as indices. */
export interface IndexLimit {
  /** Each element must be below. */
  readonly below: number;
  /** The op that uses them. */
  readonly op: string;
}

/** The leaves of a graph whose elements some op uses as indices, as far as the graph tells, with the smallest limit. */
export function indexLimits(graph: Graph): Map<Tensor, IndexLimit> {
  const limits = new Map<Tensor, IndexLimit>();
  for (const node of graph.nodes) {
    node.op.indexLimits?.(node).forEach((below, position) => {
      const leaf = sourceOf(node.inputs[position]);
      if (below === undefined || leaf === undefined || below >= (limits.get(leaf)?.below ?? Infinity)) return;
      limits.set(leaf, { below, op: node.op.name });
    });
  }
  return limits;
}

/** Where the elements of a tensor of integers come from; undefined where they are computed. */
function sourceOf(tensor: Tensor | undefined): Tensor | undefined {
  let source = tensor;
  while (source?.op.rearranges || source?.op.kind === "view") source = source.inputs[0];
  return source?.op.kind === "leaf" ? source : undefined;
}

/** Refuses a graph with constants that are no indices of what they are used for. */
export function requireConstantIndices(limits: ReadonlyMap<Tensor, IndexLimit>): void {
  for (const [{ op, attributes, shape }, limit] of limits) {
    if (op === constantOp)
      requireIndices(`constant [${shape.join(", ")}]`, (attributes as ConstantAttributes).values, 0, limit);
  }
}

/** Refuses steps in which a per-step scalar is no index of what it is used for. */
export function requireScalarIndices(
  where: string,
  limits: ReadonlyMap<Tensor, IndexLimit>,
  first: number,
  count: number,
): void {
  for (const [{ op, attributes }, { below, op: user }] of limits) {
    if (op !== stepScalarOp) continue;
    const { name, valueAt } = attributes as { name: string; valueAt: (step: number) => number };
    for (let step = first; step < first + count; step++) {
      const value = valueAt(step);
      if (isIndex(value, below)) continue;
      throw new OptionError({
        where,
        what: `${name} is ${value} at step ${step}, and ${user} takes ${rangeBelow(below)}`,
        fix: "Correct the function of the step, or run fewer steps",
      });
    }
  }
}

/**
 * Refuses values that are no indices of what they are used for.
 * @param firstElement the place of the first of them in the tensor
 */
export function requireIndices(
  where: string,
  values: ArrayLike<number>,
  firstElement: number,
  { below, op }: IndexLimit,
): void {
  for (let position = 0; position < values.length; position++) {
    if (isIndex(values[position]!, below)) continue;
    const what = `element ${firstElement + position} is ${values[position]}, and ${op} takes ${rangeBelow(below)}`;
    throw new OptionError({ where, what, fix: "Correct the indices or labels, or the size of what they count" });
  }
}

const isIndex = (value: number, below: number) => Number.isInteger(value) && value >= 0 && value < below;

const rangeBelow = (below: number) => (below === 1 ? "0 only" : `whole numbers in 0 … ${below - 1}`);

/** The largest of some values; -1 of none. */
export function largestOf(values: NumericArray): number {
  let largest = -1;
  for (const value of values) if (value > largest) largest = value;
  return largest;
}

/** @throws OptionError for anything but a whole number of at least 0 */
export function requireWhole(where: string, name: string, value: unknown): asserts value is number {
  if (Number.isSafeInteger(value) && (value as number) >= 0) return;
  throw new OptionError({ where, what: `the ${name} is ${String(value)}`, fix: "Give a whole number of at least 0" });
}

/** @throws GraphError for what is no tensor; OptionError for one that keeps no value */
export function requireLeaf(where: string, leaf: unknown): asserts leaf is Tensor {
  requireTensor(where, leaf);
  if (isStored(leaf)) return;
  const what = `${leaf} keeps no value`;
  throw new OptionError({
    where,
    what,
    fix: "Name a parameter, a state or an input; other values can be outputs of a graph",
  });
}

type ArrayConstructor = { readonly name: string; new (length: number): NumericArray };

/** What a tensor of each type can be written from without a loss. */
const takenBy: Readonly<Record<DType, readonly ArrayConstructor[]>> = {
  float32: [Float32Array, Float64Array, Uint32Array, Uint8Array],
  uint32: [Uint32Array, Uint8Array],
  uint8: [Uint8Array],
};

/**
 * Refuses values that do not fit a leaf.
 * @param firstElement undefined where all elements are to be written
 */
export function requireValues(leaf: Tensor, values: unknown, firstElement: unknown): asserts values is NumericArray {
  const where = `write ${leaf}`;
  const taken = takenBy[leaf.dtype];
  if (!taken.some((constructor) => values instanceof constructor)) {
    const what = `the values are ${kindOf(values)}`;
    throw new OptionError({ where, what, fix: `Give a ${taken.map(({ name }) => name).join(" or a ")}` });
  }
  const { length } = values as NumericArray;
  const count = `${length} value${length === 1 ? "" : "s"}`;
  if (firstElement === undefined) {
    if (length === leaf.size) return;
    const what = `${count} for ${leaf.size} elements`;
    throw new OptionError({
      where,
      what,
      fix: "Give one value per element, or the first element from which on a part is to be written",
    });
  }
  requireWhole(where, "first element", firstElement);
  if (firstElement + length > leaf.size) {
    const what = `${count} from element ${firstElement} on pass the end, at ${leaf.size}`;
    throw new OptionError({ where, what, fix: "Give fewer values, or an earlier first element" });
  }
  const width = leaf.shape.length < 2 ? leaf.size : sizeOf(leaf.shape.slice(1));
  if (leaf.dtype === "uint8" && (firstElement % width !== 0 || length % width !== 0)) {
    const what = `${count} from element ${firstElement} on are no whole rows of ${width}`;
    throw new OptionError({
      where,
      what,
      fix: "Bytes are written in whole rows: all elements of an entry of the first axis",
    });
  }
}

function kindOf(value: unknown): string {
  if (typeof value !== "object" || value === null) return String(value);
  return `of the type ${value.constructor?.name ?? "object"}`;
}

/** The inputs of a graph, which somebody must write. */
export const inputsOf = ({ nodes }: Graph): Tensor[] => nodes.filter(({ op }) => op === inputOp);
