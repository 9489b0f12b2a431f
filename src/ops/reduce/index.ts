import { GraphError } from "../../errors.ts";
import { refuseMisspelledOptions } from "../../option-names.ts";
import { requireType, sameShape, sizeOf, Tensor, type ComputeOp, type Shape } from "../../graph/tensor.ts";
import { reductionOf, type AnchorTraits, type ReductionShape } from "../../graph/traits.ts";
import { rootOf } from "../../graph/views.ts";
import { divide, equal, multiply, negate, select, square, subtract } from "../elementwise/arithmetic.ts";
import { axisIndex, broadcastTo, reshape, stopGradient } from "../layout/index.ts";

/** The options of a reduction. */
export interface ReduceOptions {
  /** The axes that are reduced, negative ones counted from the last; all by default. */
  readonly axes?: number | readonly number[];
  /** Whether reduced axes stay, with size 1; false by default. */
  readonly keepAxes?: boolean;
}

/** The input viewed as [outer, count, inner], of which the middle axis is reduced. */
export type ReduceAttributes = Omit<ReductionShape, "operation">;

type ReduceGradient = (node: Tensor<ReduceAttributes>, upstream: Tensor) => Tensor;

/** The maximum can be fused with the argmax of the same input. */
function canFuse(members: readonly Tensor[], other: Tensor): boolean {
  const [own, theirs] = [reductionOf(members[0]!), reductionOf(other)];
  if (members.length > 1 || own?.operation !== "argmax" || theirs?.operation !== "max") return false;
  const isSame = rootOf(other.inputs[0]!) === rootOf(members[0]!.inputs[0]!);
  return isSame && own.outer === theirs.outer && own.count === theirs.count && own.inner === theirs.inner;
}

/* @__NO_SIDE_EFFECTS__ */
function reduction(name: ReductionShape["operation"], gradient?: ReduceGradient): ComputeOp {
  const traits: AnchorTraits = {
    kind: "anchor",
    prologues: [0],
    canFuse,
    reduction: ({ attributes }) => ({ operation: name, ...(attributes as ReduceAttributes) }),
  };
  if (!gradient) return { name, kind: "compute", traits };
  return {
    name,
    kind: "compute",
    traits,
    gradient: (node, upstream) => [gradient(node as Tensor<ReduceAttributes>, upstream)],
  };
}

/** Broadcasts each result to the elements that were reduced. */
function spread(value: Tensor, { attributes, inputs }: Tensor<ReduceAttributes>): Tensor {
  const { outer, count, inner } = attributes;
  const grouped = broadcastTo(reshape(value, [outer, 1, inner]), [outer, count, inner]);
  return reshape(grouped, inputs[0]!.shape);
}

const sumOp = reduction("sum", (node, upstream) => spread(upstream, node));
const meanOp = reduction("mean", (node, upstream) => spread(divide(upstream, node.attributes.count), node));
/** The gradient of an element is the product of all others, so zeros need no special case. */
const productOp = reduction("product", (node, upstream) => {
  const { outer, count, inner } = node.attributes;
  const shape = [outer, count, count, inner];
  const isOwn = equal(axisIndex(shape, 1), axisIndex(shape, 2));
  const others = select(isOwn, 1, reshape(node.inputs[0]!, [outer, 1, count, inner]));
  const own = reduceRun(productOp, others, 2, 2);
  return reshape(
    multiply(reshape(own, [outer, count, inner]), reshape(upstream, [outer, 1, inner])),
    node.inputs[0]!.shape,
  );
});
const argmaxOp = reduction("argmax");
const maxOp = reduction("max", (node, upstream) => {
  const { outer, count, inner } = node.attributes;
  const first = new Tensor<ReduceAttributes>(argmaxOp, node.inputs, node.attributes, {
    shape: [outer, 1, inner],
    dtype: "uint32",
  });
  const chosen = equal(axisIndex([outer, count, inner], 1), first);
  return reshape(select(chosen, reshape(upstream, [outer, 1, inner]), 0), node.inputs[0]!.shape);
});

function reducedAxes(where: string, x: Tensor, axes: ReduceOptions["axes"]): number[] {
  const rank = x.shape.length;
  const given = axes === undefined ? x.shape.map((_, axis) => axis) : typeof axes === "number" ? [axes] : [...axes];
  const normal = given.map((axis) => (axis < 0 ? axis + rank : axis));
  const wrong = given.find(
    (_, position) => !(Number.isInteger(normal[position]) && normal[position]! >= 0 && normal[position]! < rank),
  );
  if (wrong !== undefined || new Set(normal).size !== normal.length) {
    throw new GraphError({
      where,
      what: `the axes [${given.join(", ")}] do not fit ${x}`,
      fix: `Give different axes between ${-rank} and ${rank - 1}`,
    });
  }
  return normal.sort((a, b) => a - b);
}

/** Reduces one run of adjacent axes. */
function reduceRun(op: ComputeOp, x: Tensor, first: number, last: number): Tensor {
  const shape = x.shape.map((size, axis) => (axis >= first && axis <= last ? 1 : size));
  const attributes = {
    outer: sizeOf(x.shape.slice(0, first)),
    count: sizeOf(x.shape.slice(first, last + 1)),
    inner: sizeOf(x.shape.slice(last + 1)),
  };
  return new Tensor<ReduceAttributes>(op, [x], attributes, { shape, dtype: op === argmaxOp ? "uint32" : "float32" });
}

/**
 * Checks the arguments of a reduction.
 * @param where the function that was called, for messages
 * @returns the axes that are reduced, in ascending order
 * @throws GraphError or OptionError
 */
export function checkedAxes(where: string, x: Tensor, options: ReduceOptions): number[] {
  requireType(where, x, "float32");
  // With "axis" or "dim", or a number in place of the options, all axes would be reduced.
  if ((options as unknown) instanceof Tensor) {
    const what = `it reduces a tensor, and was also given ${String(options)}`;
    throw new GraphError({ where, what, fix: "For two tensors, use maximum, minimum, add or multiply" });
  }
  refuseMisspelledOptions(where, options, { axes: true, keepAxes: true });
  return reducedAxes(where, x, options.axes);
}

function reduce(op: ComputeOp, x: Tensor, options: ReduceOptions): Tensor {
  const chosen = checkedAxes(op.name, x, options);
  const { keepAxes = false } = options;
  let result = x;
  // Axes that are not adjacent are reduced in several runs, the last run first.
  for (let end = chosen.length - 1; end >= 0;) {
    let start = end;
    while (start > 0 && chosen[start - 1] === chosen[start]! - 1) start--;
    result = reduceRun(op, result, chosen[start]!, chosen[end]!);
    end = start - 1;
  }
  if (chosen.length === 0) result = reduceRun(op, reshape(x, [...x.shape, 1]), x.shape.length, x.shape.length);
  const kept = x.shape.map((size, axis) => (chosen.includes(axis) ? 1 : size));
  return reshape(result, keepAxes ? kept : kept.filter((_, axis) => !chosen.includes(axis)));
}

/** The sum over axes, all by default. */
export const sum = (x: Tensor, options: ReduceOptions = {}): Tensor => reduce(sumOp, x, options);

/** The arithmetic mean over axes, all by default. */
export const mean = (x: Tensor, options: ReduceOptions = {}): Tensor => reduce(meanOp, x, options);

/**
 * The largest element over axes, all by default, or NaN if any element is NaN. The gradient flows to the first largest
 * element, or to the first NaN.
 */
export const max = (x: Tensor, options: ReduceOptions = {}): Tensor => reduce(maxOp, x, options);

/** The smallest element over axes, all by default, or NaN if any element is NaN. The gradient flows as in `max`. */
export function min(x: Tensor, options: ReduceOptions = {}): Tensor {
  checkedAxes("min", x, options);
  return negate(max(negate(x), options));
}

/** The product over axes, all by default. The work for its gradient grows with the square of the number of factors. */
export const product = (x: Tensor, options: ReduceOptions = {}): Tensor => reduce(productOp, x, options);

/** The options of `variance`. */
export interface VarianceOptions extends ReduceOptions {
  /** Subtracted from the number of elements in the divisor: 0 by default; 1 for the unbiased estimate from a sample. */
  readonly correction?: number;
}

/**
 * The mean squared deviation from the mean over axes, all by default. It is computed in two passes, so that equal
 * elements give 0.
 * @throws GraphError if the correction is not less than the number of elements
 */
export function variance(x: Tensor, options: VarianceOptions = {}): Tensor {
  requireType("variance", x, "float32");
  refuseMisspelledOptions("variance", options, { axes: true, keepAxes: true, correction: true });
  const { axes, keepAxes = false, correction = 0 } = options;
  const chosen = reducedAxes("variance", x, axes);
  const count = sizeOf(chosen.map((axis) => x.shape[axis]!));
  if (!(count - correction > 0)) {
    throw new GraphError({
      where: "variance",
      what: `${count} elements of ${x} with a correction of ${correction}`,
      fix: "Take more elements, or a correction below their number",
    });
  }
  // The derivative with respect to the mean is 0.
  const distance = subtract(x, stopGradient(mean(x, { axes: chosen, keepAxes: true })));
  const total = mean(square(distance), { axes: chosen, keepAxes });
  return correction === 0 ? total : multiply(total, count / (count - correction));
}

/**
 * The index (uint32) of the largest element along one axis, or among all elements in row-major order. For equal
 * elements it is the first, and NaN counts as the largest. It has no gradient.
 * @throws GraphError for several axes that are not all axes
 */
export function argmax(x: Tensor, options: ReduceOptions = {}): Tensor {
  const chosen = checkedAxes("argmax", x, options);
  if (chosen.length > 1 && chosen.length < x.shape.length) {
    throw new GraphError({
      where: "argmax",
      what: `an index over several axes of ${x} is not supported`,
      fix: "Give one axis, or none for all axes",
    });
  }
  return reduce(argmaxOp, x, options);
}

/** Undoes broadcasting in a gradient: sums over the axes along which `shape` was repeated. */
export function sumToShape(x: Tensor, shape: Shape): Tensor {
  if (sameShape(x.shape, shape)) return x;
  const missing = x.shape.length - shape.length;
  const axes = x.shape.flatMap((size, axis) =>
    axis < missing || (shape[axis - missing] === 1 && size > 1) ? [axis] : [],
  );
  return reshape(axes.length === 0 ? x : sum(x, { axes }), shape);
}
