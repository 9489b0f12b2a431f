/*
 * Reading by indices, and its gradient: sums over the elements that share an index, in a fixed order. Float atomics
 * would not give the same bits on every run. Instead, the indices are sorted, and each entry adds its own run of
 * elements.
 */
import { GraphError } from "../../errors.ts";
import { refuseOtherOptions } from "../../option-names.ts";
import { requireType, sizeOf, Tensor, type ComputeOp } from "../../graph/tensor.ts";
import { equal, select } from "../elementwise/arithmetic.ts";
import { axisIndex, reshape } from "../layout/index.ts";
import { sum } from "../reduce/index.ts";
import { normalAxis } from "./axes.ts";

/** The input viewed as [outer, size, inner] around the indexed axis. */
export interface TakeAttributes {
  readonly outer: number;
  readonly size: number;
  readonly inner: number;
  /** The number of indices per position of the outer axes. */
  readonly count: number;
}

export interface TakeOptions {
  /** The indexed axis, the first by default; negative ones count from the last. */
  readonly axis?: number;
}

/** What both ops have in common: they read elements at the indices of their second input. */
const indexed = {
  kind: "compute",
  traits: { kind: "pointwise", gathers: true, cheap: true },
  rearranges: ({ dtype }) => dtype !== "float32",
  indexLimits: ({ attributes }) => [undefined, (attributes as TakeAttributes).size],
} satisfies Partial<ComputeOp>;

const takeOp: ComputeOp = {
  name: "take",
  ...indexed,
  gradient(node, upstream) {
    const [x, indices] = node.inputs as [Tensor, Tensor];
    const { outer, size, inner, count } = node.attributes as TakeAttributes;
    const flat = reshape(indices, [count]);
    const total = sumByIndex(reshape(upstream, [outer, count, inner]), flat, sortOrder(flat), size);
    return [reshape(total, x.shape), undefined];
  },
};

function attributesOf(x: Tensor, axis: number, count: number): TakeAttributes {
  return { outer: sizeOf(x.shape.slice(0, axis)), size: x.shape[axis]!, inner: sizeOf(x.shape.slice(axis + 1)), count };
}

/**
 * Reads the entries `indices[i]` of an axis, as an embedding does. The gradient of an entry is the sum over all i that
 * read it, in the order of i.
 * @param x float32 or uint32
 * @param indices uint32 of any shape, each below the size of the axis
 * @returns the shape of `x` with the axis replaced by the axes of `indices`
 * @throws GraphError for other types, or for an axis that the tensor does not have; OptionError for another option
 */
export function take(x: Tensor, indices: Tensor, options: TakeOptions = {}): Tensor {
  refuseOtherOptions("take", options, { axis: true });
  const { axis = 0 } = options;
  requireType("take", x, "float32", "uint32");
  requireType("take indices", indices, "uint32");
  const at = normalAxis("take", x, axis);
  const shape = [...x.shape.slice(0, at), ...indices.shape, ...x.shape.slice(at + 1)];
  return new Tensor<TakeAttributes>(takeOp, [x, indices], attributesOf(x, at, indices.size), { shape, dtype: x.dtype });
}

const takeAlongOp: ComputeOp = {
  name: "takeAlong",
  ...indexed,
  gradient(node, upstream) {
    const [x, indices] = node.inputs as [Tensor, Tensor];
    const { outer, size, inner, count } = node.attributes as TakeAttributes;
    const apart = (tensor: Tensor) => reshape(tensor, [outer, 1, count, inner]);
    const chosen = equal(axisIndex([outer, size, count, inner], 1), apart(indices));
    return [reshape(sum(select(chosen, apart(upstream), 0), { axes: 2 }), x.shape), undefined];
  },
};

/**
 * Reads elements by indices along an axis. For axis 1, the result at [i, j, k] is `x[i, indices[i, j, k], k]`, as in
 * PyTorch's `gather` and NumPy's `take_along_axis`.
 * @param x float32 or uint32
 * @param indices uint32, with the shape of `x` except for the size of the axis; each index is below that size in `x`
 * @returns the shape of `indices`
 * @throws GraphError for other types or shapes; OptionError for another option
 */
export function takeAlong(x: Tensor, indices: Tensor, options: TakeOptions = {}): Tensor {
  refuseOtherOptions("takeAlong", options, { axis: true });
  const { axis = 0 } = options;
  requireType("takeAlong", x, "float32", "uint32");
  requireType("takeAlong indices", indices, "uint32");
  const at = normalAxis("takeAlong", x, axis);
  const fits = indices.shape.length === x.shape.length;
  if (!fits || indices.shape.some((size, position) => position !== at && size !== x.shape[position])) {
    throw new GraphError({
      where: "takeAlong",
      what: `indices ${indices} do not fit ${x}`,
      fix: `Sizes must be equal along all axes but axis ${at}`,
    });
  }
  const attributes = attributesOf(x, at, indices.shape[at]!);
  return new Tensor<TakeAttributes>(takeAlongOp, [x, indices], attributes, { shape: indices.shape, dtype: x.dtype });
}

const sortOrderOp: ComputeOp = { name: "sortOrder", kind: "compute", traits: { kind: "anchor" } };

/**
 * The indices that sort keys in ascending order, like `argsort`; equal keys keep their order. Each key is compared with
 * all others, so the work grows with the square of the length.
 * @param keys uint32 [count]
 * @returns uint32 [count], a permutation of 0 … count − 1
 * @throws GraphError for another type or number of axes
 */
export function sortOrder(keys: Tensor): Tensor {
  requireType("sortOrder", keys, "uint32");
  if (keys.shape.length !== 1) {
    throw new GraphError({ where: "sortOrder", what: `${keys} is not a vector`, fix: "Reshape it to one axis first" });
  }
  return new Tensor(sortOrderOp, [keys], {}, { shape: keys.shape, dtype: "uint32" });
}

export interface SumByIndexAttributes {
  readonly outer: number;
  readonly count: number;
  readonly inner: number;
  /** The number of entries of the result. */
  readonly size: number;
}

const sumByIndexOp: ComputeOp = {
  name: "sumByIndex",
  kind: "compute",
  traits: { kind: "anchor" },
  indexLimits: ({ attributes }) => {
    const { size, count } = attributes as SumByIndexAttributes;
    return [undefined, size, count];
  },
  gradient: (node, upstream) => [take(upstream, node.inputs[1]!, { axis: 1 }), undefined, undefined],
};

/**
 * Adds the values that share an index: entry j of the result is the sum over all i with `indices[i]` = j of
 * `values[:, i, :]`, in the order of i, or 0 if there are none.
 * @param values float32 [outer, count, inner]
 * @param indices uint32 [count], each below `size`
 * @param order `sortOrder(indices)`
 * @param size the number of entries
 * @returns float32 [outer, size, inner]
 * @throws GraphError if types or sizes do not fit
 */
export function sumByIndex(values: Tensor, indices: Tensor, order: Tensor, size: number): Tensor {
  requireType("sumByIndex", values, "float32");
  requireType("sumByIndex indices", indices, "uint32");
  requireType("sumByIndex order", order, "uint32");
  const [outer = 0, count = 0, inner = 0] = values.shape;
  const fits = [indices, order].every(({ shape }) => shape.length === 1 && shape[0] === count);
  if (values.shape.length !== 3 || !fits) {
    throw new GraphError({
      where: "sumByIndex",
      what: `${values} by indices ${indices} and order ${order}`,
      fix: "Give values [outer, count, inner], and as many indices and positions as count",
    });
  }
  const attributes = { outer, count, inner, size };
  return new Tensor<SumByIndexAttributes>(sumByIndexOp, [values, indices, order], attributes, {
    shape: [outer, size, inner],
    dtype: "float32",
  });
}
