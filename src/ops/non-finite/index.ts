import { GraphError } from "../../errors.ts";
import { requireType, Tensor, type ComputeOp } from "../../graph/tensor.ts";
import { constant } from "../../graph/leaves.ts";

export interface FirstNonFiniteAttributes {
  /** The total number of elements of all inputs. */
  readonly elements: number;
  /** The number of elements before each input. */
  readonly offsets: readonly number[];
}

const firstNonFiniteOp: ComputeOp = {
  name: "firstNonFinite",
  kind: "compute",
  traits: { kind: "atomic", offsets: ({ attributes }) => (attributes as FirstNonFiniteAttributes).offsets },
};

/**
 * Finds the first element that is NaN or infinite, by its bits. If the backend supports it, the kernels that compute
 * the inputs check their elements, without another kernel.
 * @param tensors float32; their elements are numbered consecutively
 * @returns uint32, one element: the distance of the first such element from the end of all elements, which is 1 for the
 * last one; 0 if all are finite
 * @throws GraphError for an input of another type, or for more than 2³² − 1 elements
 */
export function firstNonFinite(tensors: readonly Tensor[]): Tensor {
  for (const tensor of tensors) requireType("firstNonFinite", tensor, "float32");
  let elements = 0;
  const offsets = tensors.map(({ size }) => (elements += size) - size);
  if (elements >= 2 ** 32) {
    const what = `${elements} elements are more than an index counts`;
    throw new GraphError({ where: "firstNonFinite", what, fix: "Give fewer tensors" });
  }
  return new Tensor<FirstNonFiniteAttributes>(
    firstNonFiniteOp,
    tensors,
    { elements, offsets },
    { shape: [], dtype: "uint32" },
  );
}

const replaceIfOp: ComputeOp = { name: "replaceIf", kind: "compute", traits: { kind: "pointwise", replaces: true } };

/**
 * `kept` if a condition is 0, otherwise `replacement`. If the result is the new value of the state `kept`, the kernel
 * that finds the condition to be nonzero can store it.
 * @param condition uint32, one element, such as the result of `firstNonFinite`
 * @param kept float32, one element
 * @param replacement float32, one element, or a number
 * @returns float32, one element
 * @throws GraphError for inputs of another type or size
 */
export function replaceIf(condition: Tensor, kept: Tensor, replacement: Tensor | number): Tensor {
  const other = typeof replacement === "number" ? constant(replacement) : replacement;
  requireType("replaceIf", condition, "uint32");
  for (const tensor of [kept, other]) requireType("replaceIf", tensor, "float32");
  const large = [condition, kept, other].find(({ size }) => size !== 1);
  if (large) throw new GraphError({ where: "replaceIf", what: `${large} is no scalar`, fix: "Give one element each" });
  return new Tensor(replaceIfOp, [condition, kept, other], {}, { shape: kept.shape, dtype: "float32" });
}
