/*
 * Tensors that are stored as float16, two numbers in each word, and read as float32. The bits are computed with integers,
 * so that a GPU needs no feature for it.
 */
import { GraphError } from "../../errors.ts";
import { requireType, sizeOf, Tensor, type ComputeOp, type Shape } from "../../graph/tensor.ts";

const packFloat16Op: ComputeOp = {
  name: "packFloat16",
  kind: "compute",
  traits: {
    kind: "pointwise",
    gathers: true,
    rangeRead: ({ inputs }, { start, end }) => ({ start: 2 * start, end: Math.min(2 * end, inputs[0]!.size) }),
  },
};

const unpackFloat16Op: ComputeOp = {
  name: "unpackFloat16",
  kind: "compute",
  traits: {
    kind: "pointwise",
    gathers: true,
    cheap: true,
    rangeRead: (_, { start, end }) => ({ start: Math.floor(start / 2), end: Math.ceil(end / 2) }),
  },
};

/** The number of words that hold so many float16 numbers. */
const float16Words = (size: number): number => Math.ceil(size / 2);

/**
 * Rounds numbers to float16, as the operands of products of that precision are (see `matmul`): to 11 significant bits, ties to
 * even; numbers beyond ±65,504 are clipped to it, those below 2⁻¹⁴ become 0, and infinities and NaN are kept. It has no gradient.
 * @param x float32 of any shape
 * @returns uint32 [⌈elements / 2⌉], with two numbers in each: the first one in the lower 16 bits
 * @throws GraphError for another type
 */
export function packFloat16(x: Tensor): Tensor {
  requireType("packFloat16", x, "float32");
  return new Tensor(packFloat16Op, [x], {}, { shape: [float16Words(x.size)], dtype: "uint32" });
}

/**
 * The float32 values of numbers that `packFloat16` packed. Kernels that read them unpack them, so that they take no memory. It
 * has no gradient.
 * @param words uint32
 * @returns float32 of the given shape
 * @throws GraphError for another type, or for a shape that needs another number of words
 */
export function unpackFloat16(words: Tensor, shape: Shape): Tensor {
  requireType("unpackFloat16", words, "uint32");
  const needed = float16Words(sizeOf(shape));
  if (words.size !== needed) {
    const what = `${words} has ${words.size} words, and the shape [${shape.join(", ")}] needs ${needed}`;
    throw new GraphError({ where: "unpackFloat16", what, fix: "Give the shape of the tensor that was packed" });
  }
  return new Tensor(unpackFloat16Op, [words], {}, { shape, dtype: "float32" });
}
