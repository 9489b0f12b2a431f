import { GraphError } from "../../errors.ts";
import { requireTensor, requireType, Tensor, type ComputeOp } from "../../graph/tensor.ts";
import { copy, reshape } from "../layout/index.ts";
import { normalAxis } from "./axes.ts";
import { slice } from "./move.ts";

export interface ConcatAttributes {
  /** The position along the axis at which each input begins. */
  readonly starts: readonly number[];
  readonly axis: number;
}

/** A kernel has a binding for each input. Longer lists are concatenated in several steps. */
const MOST_INPUTS = 4;

/** A kernel can read at least as many tensors on every device: there are 8 bindings, one for results and one for scalars. */
const MOST_READ = 6;

const concatOp: ComputeOp = {
  name: "concat",
  kind: "compute",
  traits: { kind: "pointwise", gathers: true, cheap: true },
  gradient(node, upstream) {
    const { starts, axis } = node.attributes as ConcatAttributes;
    return node.inputs.map(({ shape }, position) => {
      const start = starts[position]!;
      return slice(upstream, [...Array.from({ length: axis }, () => undefined), { start, end: start + shape[axis]! }]);
    });
  },
};

/** @throws GraphError unless it is a list of tensors, of at least one */
function firstOf(where: string, tensors: readonly Tensor[]): Tensor {
  if (!Array.isArray(tensors as unknown)) {
    const what = `${String(tensors)} is not a list of tensors`;
    throw new GraphError({ where, what, fix: `Give a list, and then the axis: ${where}([a, b], 0)` });
  }
  if (tensors.length === 0) throw new GraphError({ where, what: "there are no tensors", fix: "Give at least one" });
  for (const tensor of tensors) requireTensor(where, tensor);
  return tensors[0]!;
}

/**
 * Concatenates tensors along an axis.
 * @param tensors at least one, float32 or uint32, all of the same type and of the same size along the other axes
 * @param axis the first by default; negative ones count from the last
 * @throws GraphError if types or sizes differ, or if the tensors have no such axis
 */
export function concat(tensors: readonly Tensor[], axis = 0): Tensor {
  const first = firstOf("concat", tensors);
  const at = normalAxis("concat", first, axis);
  for (const tensor of tensors) {
    requireType("concat", tensor, "float32", "uint32");
    const fits = tensor.shape.length === first.shape.length && tensor.dtype === first.dtype;
    if (fits && tensor.shape.every((size, position) => position === at || size === first.shape[position])) continue;
    throw new GraphError({
      where: "concat",
      what: `${tensor} does not fit ${first} along axis ${at}`,
      fix: "Types, and sizes along all other axes, must be equal",
    });
  }
  return join(tensors, at);
}

function join(tensors: readonly Tensor[], axis: number): Tensor {
  const [first] = tensors as [Tensor];
  if (tensors.length === 1) return first;
  if (tensors.length > MOST_INPUTS) {
    const each = Math.ceil(tensors.length / MOST_INPUTS);
    const parts = Array.from({ length: Math.ceil(tensors.length / each) }, (_, part) =>
      join(tensors.slice(part * each, (part + 1) * each), axis),
    );
    // Parts are computed where they are read, from all of their inputs, unless they are copied.
    const isStored = tensors.length > MOST_READ;
    return join(
      parts.map((part) => (isStored && part.op === concatOp ? copy(part) : part)),
      axis,
    );
  }
  let count = 0;
  const starts = tensors.map(({ shape }) => (count += shape[axis]!) - shape[axis]!);
  const shape = first.shape.map((size, position) => (position === axis ? count : size));
  return new Tensor<ConcatAttributes>(concatOp, tensors, { starts, axis }, { shape, dtype: first.dtype });
}

/**
 * Stacks tensors of the same shape along a new axis.
 * @param axis the position of the new axis, the first by default; negative ones count from the last axis of the result
 * @throws GraphError if shapes or types differ
 */
export function stack(tensors: readonly Tensor[], axis = 0): Tensor {
  const first = firstOf("stack", tensors);
  const rank = first.shape.length + 1;
  const at = axis < 0 ? axis + rank : axis;
  if (!(Number.isInteger(axis) && at >= 0 && at < rank)) {
    const what = `the result has no axis ${axis}`;
    throw new GraphError({ where: "stack", what, fix: `Name one between ${-rank} and ${rank - 1}` });
  }
  return concat(
    tensors.map((tensor) => reshape(tensor, [...tensor.shape.slice(0, at), 1, ...tensor.shape.slice(at)])),
    at,
  );
}

/**
 * Splits a tensor into parts along an axis.
 * @param parts the number of equal parts, or the size of each part
 * @param axis the first by default; negative ones count from the last
 * @throws GraphError if the sizes of the parts do not add up to the size of the axis
 */
export function split(x: Tensor, parts: number | readonly number[], axis = 0): Tensor[] {
  const at = normalAxis("split", x, axis);
  const size = x.shape[at]!;
  const sizes = typeof parts === "number" ? Array.from({ length: parts }, () => size / parts) : parts;
  const isWhole = sizes.length > 0 && sizes.every((part) => Number.isInteger(part) && part >= 1);
  if (!isWhole || sizes.reduce((sum, part) => sum + part, 0) !== size) {
    throw new GraphError({
      where: "split",
      what: `${typeof parts === "number" ? `${parts} equal parts` : `parts [${parts.join(", ")}]`} of axis ${at} of ${x}`,
      fix: `Give whole sizes of at least 1 that add up to ${size}`,
    });
  }
  let start = 0;
  return sizes.map((part) => {
    start += part;
    return slice(x, [...Array.from({ length: at }, () => undefined), { start: start - part, end: start }]);
  });
}
