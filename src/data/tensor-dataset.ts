import { DataError } from "../errors.ts";
import { otherType, requireTensorName, shapeFault } from "./dataset-checks.ts";

/** The values of a tensor of examples; their type is the type of the tensor: uint8, uint32 or float32. */
export type TensorElements = Uint8Array | Uint32Array | Float32Array;

/** A tensor with one value of the same shape for each example. */
export interface ExampleTensor {
  /** Row-major, [count, ...shape]. Bytes become float32 in a batch. */
  readonly values: TensorElements;
  /** The shape of one example; [] for one number per example. */
  readonly shape: readonly number[];
}

/** Examples with any number of named tensors, for models with several inputs and losses written as a function. */
export interface TensorDataset {
  /** A name for messages. */
  readonly name: string;
  /** Number of examples. */
  readonly count: number;
  readonly tensors: Readonly<Record<string, ExampleTensor>>;
}

const KINDS = [Uint8Array, Uint32Array, Float32Array];

/**
 * Makes a data set of named tensors. Checks that all tensors have the same number of examples and that every float32 is
 * finite.
 *
 * @example
 * ```ts
 * const pairs = makeTensorDataset({
 *   name: "pairs",
 *   tensors: {
 *     left: { values: leftPixels, shape: [28, 28] },
 *     right: { values: rightPixels, shape: [28, 28] },
 *     same: { values: Float32Array.of(1, 0, 1), shape: [] },
 *   },
 * });
 * ```
 *
 * @param parts `count` is checked if it is given; otherwise it follows from the sizes
 * @throws DataError that names the tensor and the example of the first violation
 */
export function makeTensorDataset(parts: Omit<TensorDataset, "count"> & { readonly count?: number }): TensorDataset {
  const { name, tensors } = parts;
  if (typeof tensors !== "object" || tensors === null || Object.keys(tensors).length === 0) {
    throw new DataError({ where: name, what: "there are no tensors", fix: "Give an object with at least one tensor" });
  }
  let { count } = parts;
  let counted = "count";
  for (const [key, tensor] of Object.entries(tensors)) {
    const found = countOf(name, key, tensor);
    count ??= found;
    if (found !== count) {
      const what = `the tensor ${key} has ${found} examples but ${counted} ${counted === "count" ? "is" : "has"} ${count}`;
      throw new DataError({ where: name, what, fix: "Give the same number of examples in all tensors" });
    }
    if (counted === "count" && parts.count === undefined) counted = `the tensor ${key}`;
  }
  return { name, count: count!, tensors };
}

/** The number of examples in a tensor. */
function countOf(where: string, key: string, tensor: ExampleTensor): number {
  requireTensorName(where, key);
  if (typeof tensor !== "object" || tensor === null) {
    const what = `the tensor ${key} is ${String(tensor)}`;
    throw new DataError({ where, what, fix: "Give an object { values, shape }" });
  }
  const { values, shape } = tensor;
  if (!KINDS.some((kind) => values instanceof kind)) {
    throw otherType(where, `the values of ${key}`, values, "a Float32Array, a Uint32Array or a Uint8Array");
  }
  const fault = shapeFault(shape);
  if (fault !== undefined) {
    const fix = "Give a list of whole numbers of at least 1, such as [28, 28], or [] for one number per example";
    throw new DataError({ where, what: `the tensor ${key}: ${fault}`, fix });
  }
  const width = shape.reduce((product, size) => product * size, 1);
  if (values.length % width !== 0) {
    const what = `${values.length} values of ${key} are not a whole number of examples of shape [${shape.join(", ")}]`;
    throw new DataError({ where, what, fix: `Give ${width} values per example` });
  }
  const wrong = values instanceof Float32Array ? values.findIndex((value) => !Number.isFinite(value)) : -1;
  if (wrong >= 0) {
    const place = width === 1 ? "" : `element ${wrong % width} of `;
    const what = `${place}${key} in example ${Math.floor(wrong / width)} (counted from 0) is ${values[wrong]}`;
    throw new DataError({ where, what, fix: "Remove such examples, or replace such values" });
  }
  return values.length / width;
}
