import { aligned } from "../../alignment.ts";
import { excerpt, GraphError } from "../../errors.ts";
import {
  requireType,
  sameShape,
  sizeOf,
  Tensor,
  type ComputeOp,
  type GivenOp,
  type Shape,
} from "../../graph/tensor.ts";
import { broadcastsTo } from "../elementwise/function.ts";
import { sumToShape } from "../reduce/index.ts";

const reshapeOp: GivenOp = {
  name: "reshape",
  kind: "view",
  gradient: (node, upstream) => [reshape(upstream, node.inputs[0]!.shape)],
};

/**
 * The same elements, in row-major order, with another shape. One size may be −1 and is then computed from the others.
 * @throws GraphError if the number of elements differs
 */
export function reshape(x: Tensor, shape: Shape): Tensor {
  if (x.dtype === "uint8") requireType("reshape", x, "float32", "uint32");
  if (!Array.isArray(shape)) {
    const what = `${excerpt(shape)} is not a shape`;
    throw new GraphError({ where: "reshape", what, fix: "Give a list of sizes, such as [2, -1]" });
  }
  const known = sizeOf(shape.filter((size) => size !== -1));
  const wanted = shape.map((size) => (size === -1 ? x.size / known : size));
  if (
    shape.filter((size) => size === -1).length > 1 ||
    sizeOf(wanted) !== x.size ||
    wanted.some((size) => !Number.isInteger(size))
  ) {
    throw new GraphError({
      where: "reshape",
      what: `${x} has ${x.size} elements and cannot become [${shape.join(", ")}]`,
      fix: "The sizes must multiply to the same number; at most one may be -1",
    });
  }
  return sameShape(x.shape, wanted) ? x : new Tensor(reshapeOp, [x], {}, { shape: wanted, dtype: x.dtype });
}

const stopGradientOp: GivenOp = { name: "stopGradient", kind: "view", gradient: () => [undefined] };

/** The same values, through which no gradient flows. */
export const stopGradient = (x: Tensor): Tensor => new Tensor(stopGradientOp, [x], {}, x);

export interface TransposeAttributes {
  /** Axis i of the output is axis `order[i]` of the input. */
  readonly order: readonly number[];
}

const transposeOp: ComputeOp = {
  name: "transpose",
  kind: "compute",
  traits: { kind: "pointwise", gathers: true, cheap: true },
  rearranges: true,
  gradient(node, upstream) {
    const { order } = node.attributes as TransposeAttributes;
    return [
      transpose(
        upstream,
        order.map((_, axis) => order.indexOf(axis)),
      ),
    ];
  },
};

/**
 * Permutes the axes; reverses them if no order is given.
 * @throws GraphError if `order` is not a permutation of the axes
 */
export function transpose(
  x: Tensor,
  order: readonly number[] = x.shape.map((_, axis) => x.shape.length - 1 - axis),
): Tensor {
  requireType("transpose", x, "float32", "uint32");
  if (!Array.isArray(order as unknown)) {
    const what = `${String(order)} is not a list of axes`;
    throw new GraphError({ where: "transpose", what, fix: "Give the order of all axes, such as [1, 0]" });
  }
  if (order.length !== x.shape.length || [...order].sort((a, b) => a - b).some((axis, position) => axis !== position)) {
    throw new GraphError({
      where: "transpose",
      what: `the order [${order.join(", ")}] is not a permutation of the axes of ${x}`,
      fix: `Give each of 0 … ${x.shape.length - 1} once`,
    });
  }
  return new Tensor<TransposeAttributes>(
    transposeOp,
    [x],
    { order },
    { shape: order.map((axis) => x.shape[axis]!), dtype: x.dtype },
  );
}

const broadcastOp: ComputeOp = {
  name: "broadcastTo",
  kind: "compute",
  traits: { kind: "pointwise" },
  rearranges: true,
  gradient: (node, upstream) => [sumToShape(upstream, node.inputs[0]!.shape)],
};

/**
 * Repeats axes of size 1, and adds leading axes.
 * @throws GraphError if a size is neither 1 nor the target's
 */
export function broadcastTo(x: Tensor, shape: Shape): Tensor {
  requireType("broadcastTo", x, "float32", "uint32");
  if (sameShape(x.shape, shape)) return x;
  if (!broadcastsTo(x.shape, shape)) {
    throw new GraphError({
      where: "broadcastTo",
      what: `${x} does not broadcast to [${shape.join(", ")}]`,
      fix: "Aligned at the last axis, sizes must be equal or 1",
    });
  }
  return new Tensor(broadcastOp, [x], {}, { shape, dtype: x.dtype });
}

const copyOp: ComputeOp = {
  name: "copy",
  kind: "compute",
  traits: { kind: "pointwise" },
  rearranges: true,
  gradient: (_, upstream) => [upstream],
};

/** A copy in memory. A planner inserts it where a value is needed at another place. */
export function copy(x: Tensor): Tensor {
  requireType("copy", x, "float32", "uint32");
  return new Tensor(copyOp, [x], {}, x);
}

export interface AxisIndexAttributes {
  /** The number of elements after the axis. */
  readonly inner: number;
  readonly count: number;
}

const axisIndexOp: ComputeOp = { name: "axisIndex", kind: "compute", traits: { kind: "pointwise" } };

/**
 * A uint32 tensor in which every element is its own index along an axis.
 * @throws GraphError for an axis that the shape does not have
 */
export function axisIndex(shape: Shape, axis: number): Tensor {
  if (!(Number.isInteger(axis) && axis >= 0 && axis < shape.length)) {
    const what = `the shape [${shape.join(", ")}] has no axis ${axis}`;
    throw new GraphError({ where: "axisIndex", what, fix: `Give one of the ${shape.length} axes, counted from 0` });
  }
  const attributes = { inner: sizeOf(shape.slice(axis + 1)), count: shape[axis]! };
  return new Tensor<AxisIndexAttributes>(axisIndexOp, [], attributes, { shape, dtype: "uint32" });
}

/** The number of elements from the start of one slice of a pack to the start of the next. */
export const packedSize = (tensor: Tensor): number => aligned(tensor.size);

export interface PackAttributes {
  /** The index of the first element of each slice. */
  readonly offsets: readonly number[];
}

const packOp: ComputeOp = {
  name: "pack",
  kind: "compute",
  traits: { kind: "pack", offsets: ({ attributes }) => (attributes as PackAttributes).offsets },
};

/**
 * Concatenates tensors into one flat vector. Each slice is aligned (see `ALIGNMENT`) and padded with zeros. With
 * parameters, gradients and moments in the same layout, an optimizer runs once over all of them.
 */
export function pack(tensors: readonly Tensor[]): Tensor {
  for (const tensor of tensors) requireType("pack", tensor, "float32");
  let end = 0;
  const offsets = tensors.map((tensor) => (end += packedSize(tensor)) - packedSize(tensor));
  return new Tensor<PackAttributes>(packOp, tensors, { offsets }, { shape: [end], dtype: "float32" });
}
