/*
 * Checks of calls before they reach a backend.
 */
import { OptionError } from "../errors.ts";
import type { Graph } from "../graph/graph.ts";
import { constantOp, inputOp, isStored, stepScalarOp, type ConstantAttributes } from "../graph/leaves.ts";
import { requireTensor, sizeOf, type DType, type Tensor } from "../graph/tensor.ts";
import type { NumericArray } from "./backend.ts";

/** The limit of elements that are used as indices. */
export interface IndexLimit {
  /** The exclusive upper limit. */
  readonly below: number;
  /** The op that uses them. */
  readonly op: string;
}

/** The leaves whose elements an op uses as indices, as far as the graph shows, with the smallest limit. */
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

/** The leaf that the elements of a tensor come from; undefined if they are computed. */
function sourceOf(tensor: Tensor | undefined): Tensor | undefined {
  let source = tensor;
  while (source && copiesElements(source)) source = source.inputs[0];
  return source?.op.kind === "leaf" ? source : undefined;
}

function copiesElements(node: Tensor): boolean {
  const { kind, rearranges } = node.op;
  return kind === "view" || (typeof rearranges === "function" ? rearranges(node) : rearranges === true);
}

/** Refuses a graph with constants that are invalid indices. */
export function requireConstantIndices(limits: ReadonlyMap<Tensor, IndexLimit>): void {
  for (const [{ op, attributes, shape }, limit] of limits) {
    if (op === constantOp)
      requireIndices(`constant [${shape.join(", ")}]`, (attributes as ConstantAttributes).values, 0, limit);
  }
}

/** Refuses steps in which a per-step scalar is an invalid index. */
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
        what: `${name} is ${value} at step ${step}, but ${user} needs ${rangeBelow(below)}`,
        fix: "Correct the function of the step, or run fewer steps",
      });
    }
  }
}

/**
 * Refuses values that are invalid indices.
 * @param firstElement the index of the first value in the tensor
 */
export function requireIndices(
  where: string,
  values: ArrayLike<number>,
  firstElement: number,
  { below, op }: IndexLimit,
): void {
  for (let position = 0; position < values.length; position++) {
    if (isIndex(values[position]!, below)) continue;
    const what = `element ${firstElement + position} is ${values[position]}, but ${op} needs ${rangeBelow(below)}`;
    throw new OptionError({ where, what, fix: "Correct the indices or labels, or the size of the indexed axis" });
  }
}

const isIndex = (value: number, below: number) => Number.isInteger(value) && value >= 0 && value < below;

const rangeBelow = (below: number) => (below === 1 ? "0 only" : `whole numbers in 0 … ${below - 1}`);

/** The largest value; −1 if there are none. */
export function largestOf(values: NumericArray): number {
  let largest = -1;
  for (const value of values) if (value > largest) largest = value;
  return largest;
}

/** @throws OptionError unless it is a whole number of at least 0 */
export function requireWhole(where: string, name: string, value: unknown): asserts value is number {
  if (Number.isSafeInteger(value) && (value as number) >= 0) return;
  throw new OptionError({ where, what: `the ${name} is ${String(value)}`, fix: "Give a whole number of at least 0" });
}

/** @throws GraphError if it is not a tensor; OptionError if it is not a parameter, state or input */
export function requireLeaf(where: string, leaf: unknown): asserts leaf is Tensor {
  requireTensor(where, leaf);
  if (isStored(leaf)) return;
  const what = `${leaf} is not stored between steps`;
  throw new OptionError({
    where,
    what,
    fix: "Give a parameter, a state or an input; make other values outputs of a graph",
  });
}

type ArrayConstructor = { readonly name: string; new (length: number): NumericArray };

/** The array types from which a tensor of each type can be written without loss. */
const takenBy: Readonly<Record<DType, readonly ArrayConstructor[]>> = {
  float32: [Float32Array, Float64Array, Uint32Array, Uint8Array],
  uint32: [Uint32Array, Uint8Array],
  uint8: [Uint8Array],
};

/**
 * Refuses values that do not fit a leaf.
 * @param firstElement undefined if all elements are written
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
      fix: "Give one value per element, or the index of the first element to write",
    });
  }
  requireWhole(where, "first element", firstElement);
  if (firstElement + length > leaf.size) {
    const what = `${count} from element ${firstElement} on exceed the size ${leaf.size}`;
    throw new OptionError({ where, what, fix: "Give fewer values, or a smaller first element" });
  }
  const width = leaf.shape.length < 2 ? leaf.size : sizeOf(leaf.shape.slice(1));
  if (leaf.dtype === "uint8" && (firstElement % width !== 0 || length % width !== 0)) {
    const what = `${count} from element ${firstElement} on are not whole rows of ${width}`;
    throw new OptionError({
      where,
      what,
      fix: "Write uint8 tensors in whole rows: all elements of an entry of the first axis",
    });
  }
}

function kindOf(value: unknown): string {
  if (typeof value !== "object" || value === null) return String(value);
  return `of type ${value.constructor?.name ?? "object"}`;
}

/** The inputs of a graph, which must be written before a run. */
export const inputsOf = ({ nodes }: Graph): Tensor[] => nodes.filter(({ op }) => op === inputOp);
