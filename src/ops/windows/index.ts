import { GraphError } from "../../errors.ts";
import { requireType, Tensor, type ComputeOp } from "../../graph/tensor.ts";

/** The options of `drawWindows`. */
export interface DrawWindowsOptions {
  /** The key of the random positions, a uint32 scalar. */
  readonly key: Tensor;
  /** The number of the first window, a uint32 scalar. The position of a window depends on the key and its number only. */
  readonly first: Tensor;
  /** Number of windows. */
  readonly count: number;
  /** Successive elements of a window. */
  readonly length: number;
}

export interface DrawWindowsAttributes {
  readonly length: number;
  /** Elements of the data. */
  readonly elements: number;
  /** 1 for numbers of 8 bits, 2 for numbers of 16 bits. */
  readonly planes: number;
}

const drawWindowsOp: ComputeOp = {
  name: "drawWindows",
  kind: "compute",
  traits: { kind: "pointwise", gathers: true },
  rearranges: true,
};

/**
 * Reads windows of successive numbers at random positions, such as the training examples of a text. Window number w
 * starts at pcgHash(key ⊕ pcgHash(w)) mod (elements − length + 1), so every window that fits may be drawn, with
 * probabilities that differ by less than elements / 2³². It has no gradient.
 * @param data uint8 [1, elements], or uint8 [2, elements] for numbers of 16 bits: their low bytes, then their high bytes
 * @returns uint32 [count, length]
 * @throws GraphError if types or sizes do not fit
 */
export function drawWindows(data: Tensor, { key, first, count, length }: DrawWindowsOptions): Tensor {
  requireType("drawWindows", data, "uint8");
  requireType("drawWindows key", key, "uint32");
  requireType("drawWindows first", first, "uint32");
  const [planes = 0, elements = 0] = data.shape;
  const isData = data.shape.length === 2 && (planes === 1 || planes === 2);
  if (!isData || !(length >= 1 && length <= elements) || key.size !== 1 || first.size !== 1) {
    throw new GraphError({
      where: "drawWindows",
      what: `${count} windows of ${length} elements of ${data} with the key ${key} and the first number ${first}`,
      fix: "Give uint8 data [1, elements] or [2, elements], a length of at most elements, and a scalar key and number",
    });
  }
  const attributes = { length, elements, planes };
  return new Tensor<DrawWindowsAttributes>(drawWindowsOp, [data, key, first], attributes, {
    shape: [count, length],
    dtype: "uint32",
  });
}
