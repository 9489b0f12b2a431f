import { GraphError } from "../../errors.ts";
import { constant } from "../../graph/leaves.ts";
import { Tensor, type GivenOp } from "../../graph/tensor.ts";
import { add, multiply } from "../elementwise/index.ts";
import { take } from "../indexing/index.ts";
import { broadcastTo, reshape } from "../layout/index.ts";
import { matmul } from "../matmul/index.ts";
import { requireImages } from "./conv.ts";
import { pairOf, type Pair, type PairOption } from "./windows.ts";

/**
 * Upsamples images by repeating each element along the height and the width.
 * @param images float32 [examples, height, width, channels]
 * @param factor the number of repetitions, for both axes or [height, width]
 * @returns [examples, height · factor, width · factor, channels]
 * @throws GraphError if types or axes do not fit, or if a factor is not an integer of at least 1
 */
export function upsampleNearest2d(images: Tensor, factor: PairOption): Tensor {
  requireImages("upsampleNearest2d", images);
  const [down, across] = pairOf("upsampleNearest2d", "the factor", factor);
  const [examples, height, width, channels] = images.shape as [number, number, number, number];
  const apart = reshape(images, [examples, height, 1, width, 1, channels]);
  const repeated = broadcastTo(apart, [examples, height, down, width, across, channels]);
  return reshape(repeated, [examples, height * down, width * across, channels]);
}

/** The maximum number of interpolation weights per axis: enough to keep 4096 rows or columns. */
const MOST_SHARES = 2 ** 24;

/** For each element of a resized axis: the elements on both sides of its position, and the share of the second one. */
function neighborsOf(from: number, to: number): { first: number; second: number; share: number }[] {
  return Array.from({ length: to }, (_, index) => {
    const at = Math.min(Math.max(((index + 0.5) * from) / to - 0.5, 0), from - 1);
    const first = Math.floor(at);
    return { first, second: Math.min(first + 1, from - 1), share: at - first };
  });
}

/** The interpolation weights of the elements of an axis for each element of the resized axis, [to, from]. */
function interpolation(from: number, to: number): Tensor {
  const shares = new Float32Array(to * from);
  neighborsOf(from, to).forEach(({ first, second, share }, index) => {
    shares[index * from + first]! += 1 - share;
    shares[index * from + second]! += share;
  });
  return constant([...shares], [to, from]);
}

/**
 * An axis resized by interpolation: a view of the weighted sum of both neighbors. The gradient is a matrix product with
 * the interpolation weights, which is faster than sums by index.
 */
const resizedAxisOp: GivenOp = {
  name: "resizedAxis",
  kind: "view",
  gradient(node, upstream) {
    const from = node.inputs[1]!.shape[1]!;
    return [undefined, matmul(interpolation(from, upstream.shape[1]!), upstream, { transposeLeft: true })];
  },
};

/** @param x [outer, from, inner] @returns [outer, to, inner] */
function resizedAxis(x: Tensor, to: number): Tensor {
  if (x.shape[1] === to) return x;
  const neighbors = neighborsOf(x.shape[1]!, to);
  const part = (elements: readonly number[], shares: readonly number[]) =>
    multiply(take(x, constant(elements, [to], "uint32"), { axis: 1 }), constant(shares, [to, 1]));
  const values = add(
    part(
      neighbors.map(({ first }) => first),
      neighbors.map(({ share }) => 1 - share),
    ),
    part(
      neighbors.map(({ second }) => second),
      neighbors.map(({ share }) => share),
    ),
  );
  return new Tensor(resizedAxisOp, [values, x], {}, values);
}

/**
 * Resizes images by bilinear interpolation between the four nearest elements. The outer edges of the corner elements
 * stay aligned, as with `align_corners=False` in PyTorch. There is no antialiasing: smaller images are sampled, not
 * averaged.
 * @param images float32 [examples, height, width, channels]
 * @param size the height and width of the result
 * @returns [examples, ...size, channels]
 * @throws GraphError if types or axes do not fit, if a size is not an integer of at least 1, or if the product of the
 * old and the new size of an axis exceeds 2²⁴
 */
export function resizeBilinear2d(images: Tensor, size: Pair): Tensor {
  requireImages("resizeBilinear2d", images);
  const [rows, columns] = pairOf("resizeBilinear2d", "the size", size);
  const [examples, height, width, channels] = images.shape as [number, number, number, number];
  if (rows * height > MOST_SHARES || columns * width > MOST_SHARES) {
    throw new GraphError({
      where: "resizeBilinear2d",
      what: `images of ${height} × ${width} to ${rows} × ${columns}`,
      fix: "Give sizes whose product with the old ones is at most 2^24",
    });
  }
  const down = resizedAxis(reshape(images, [examples, height, width * channels]), rows);
  const across = resizedAxis(reshape(down, [examples * rows, width, channels]), columns);
  return reshape(across, [examples, rows, columns, channels]);
}
