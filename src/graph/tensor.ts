import { excerpt, GraphError } from "../errors.ts";
import { COPY, foreignness, makerOf, thisCopy } from "./copy.ts";
import type { OpTraits } from "./traits.ts";

/** float32 is the type of computations, uint32 holds labels, indices and counts, and uint8 holds data sets of bytes. */
export type DType = "float32" | "uint32" | "uint8";

export const dtypes: readonly DType[] = ["float32", "uint32", "uint8"];

/** The sizes of the axes, outermost first; `[]` is a scalar. */
export type Shape = readonly number[];

/** The shape of a value and the type of its elements. */
export interface TensorType {
  readonly shape: Shape;
  readonly dtype: DType;
}

/**
 * An op, independent of the backend. Attributes are plain data (numbers, strings, arrays), so that two nodes with the
 * same op, inputs and attributes are the same value; only leaves hold more.
 */
export type Op = GivenOp | ComputeOp;

/** An op whose values are not computed. */
export interface GivenOp extends OpRecord {
  /** "leaf": a value from outside the graph. "view": the same elements in the same order with another shape. */
  readonly kind: "leaf" | "view";
  readonly traits?: undefined;
  /**
   * Whether a view may be read only after its other inputs were computed.
   */
  readonly isBarrier?: boolean;
}

/** An op that a backend computes. */
export interface ComputeOp extends OpRecord {
  readonly kind: "compute";
  /** The op's properties for a compiler. */
  readonly traits: OpTraits;
}

interface OpRecord {
  readonly name: string;
  /** The name of the kernel, if several ops share one; the op's name if absent. */
  readonly kernel?: string;
  /**
   * The gradient of the loss with respect to each input, as graph ops.
   * @param upstream the gradient with respect to this node's output, with the same shape
   * @returns one tensor per input, with the input's shape; undefined for an input without a gradient (indices,
   * comparisons)
   */
  gradient?(node: Tensor, upstream: Tensor): readonly (Tensor | undefined)[];
  /** Whether the last axis of the result holds channels, which other libraries have before the other axes. */
  readonly hasChannels?: boolean;
  /** Whether a node copies elements of its first input, so that limits on integers also apply to the result. */
  readonly rearranges?: boolean | ((node: Tensor) => boolean);
  /**
   * Whether its elements include statistics of many others, such as moments. They are not stored as float16 where activations are,
   * as the results of reductions are not.
   */
  readonly holdsStatistics?: boolean;
  /**
   * For each input whose elements are used as indices, an exclusive upper limit; undefined for other inputs. Written
   * values are checked on the host, because a backend may read anything at an index that is too large.
   */
  indexLimits?(node: Tensor): readonly (number | undefined)[];
}

/**
 * A value in a graph: immutable, symbolic, and compared by identity. It holds no numbers and does not depend on a
 * device.
 */
export class Tensor<Attributes extends object = object> implements TensorType {
  readonly op: Op;
  readonly inputs: readonly Tensor[];
  readonly attributes: Attributes;
  readonly shape: Shape;
  readonly dtype: DType;
  /** The number of elements. */
  readonly size: number;

  constructor(op: Op, inputs: readonly Tensor[], attributes: Attributes, type: TensorType) {
    for (const input of inputs) requireTensor(op.name, input);
    this.op = op;
    this.inputs = inputs;
    this.attributes = attributes;
    this.shape = checkShape(type.shape, op.name, isVirtual(op, inputs) ? Number.MAX_SAFE_INTEGER : LARGEST_SIZE);
    this.dtype = type.dtype;
    this.size = sizeOf(type.shape);
  }

  get [COPY](): string {
    return thisCopy;
  }

  /** A description for messages, such as `relu float32[64, 128]`. */
  toString(): string {
    const { name } = this.attributes as { name?: string };
    return `${name ?? this.op.name} ${this.dtype}[${this.shape.join(", ")}]`;
  }
}

/**
 * Requires a tensor of this copy of wgrad.
 * @throws GraphError, which names both copies if another copy made it
 */
export function requireTensor(where: string, value: unknown): asserts value is Tensor {
  if (value instanceof Tensor) return;
  throw new GraphError({
    where,
    ...foreignness("tensor", value, makerOf(value), "Give a tensor that input, parameter or an op returned"),
  });
}

/** The number of elements of a shape. */
export function sizeOf(shape: Shape): number {
  return shape.reduce((product, size) => product * size, 1);
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}

/** The strides in elements of each axis, row-major. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis]!;
  }
  return strides;
}

/** WGSL indexes elements with 32 bits. */
const LARGEST_SIZE = 2 ** 32 - 1;

/** Whether the values are computed by those who read them, so that no element needs a number of 32 bits. */
function isVirtual(op: Op, inputs: readonly Tensor[]): boolean {
  if (op.kind === "view") return inputs[0]!.size > LARGEST_SIZE;
  return op.kind === "compute" && op.traits.kind === "pointwise" && Boolean(op.traits.virtual);
}

function checkShape(shape: Shape, where: string, most: number): Shape {
  if (!Array.isArray(shape)) {
    const fix = "Give a list of sizes, such as [64, 784]; [] is a single number";
    throw new GraphError({ where, what: `${excerpt(shape)} is not a shape`, fix });
  }
  for (const size of shape) {
    if (!Number.isInteger(size) || size < 1) {
      throw new GraphError({
        where,
        what: `shape [${shape.join(", ")}] has an axis of size ${size}`,
        fix: "Every axis must be a whole number of at least 1",
      });
    }
  }
  if (sizeOf(shape) > most) {
    throw new GraphError({
      where,
      what: `shape [${shape.join(", ")}] has more than 2^32 - 1 elements`,
      fix: "Use a smaller batch or width",
    });
  }
  return shape;
}

const CONVERSION: Readonly<Record<DType, string>> = {
  uint8: "Read it with takeBatch first",
  uint32: "Convert it with toFloat",
  float32: "Declare it with the required type: floats are not converted to integers",
};

/** Refuses an input whose type the op does not accept. */
export function requireType(where: string, tensor: Tensor, ...allowed: DType[]): void {
  if (allowed.includes((tensor as Tensor | undefined)?.dtype as DType)) return;
  throw new GraphError({
    where,
    what: `takes ${allowed.join(" or ")} but was given ${tensor}`,
    fix: tensor instanceof Tensor ? CONVERSION[tensor.dtype] : "Give a tensor, such as constant([1, 2])",
  });
}
