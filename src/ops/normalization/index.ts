import { GraphError } from "../../errors.ts";
import { requireType, sameShape, Tensor, type GivenOp } from "../../graph/tensor.ts";
import { add, divide, multiply, rsqrt, square, subtract } from "../elementwise/index.ts";
import { reshape, stopGradient } from "../layout/index.ts";
import { partsOfRows, sumOverRows, USEFUL_PARTS } from "../parts/rows.ts";

/** The options of `batchNorm`. */
export interface BatchNormOptions {
  /** Added to the variance before the square root; 1e-5 by default. */
  readonly epsilon?: number;
  /** The factor and the summand of each channel, float32 [channels]; none by default. */
  readonly affine?: { readonly weight: Tensor; readonly bias: Tensor };
}

/** The result of `batchNorm`. */
export interface BatchNorm {
  /** The normalized values, in the shape of x. */
  readonly values: Tensor;
  /** The mean of each channel, [channels]. */
  readonly mean: Tensor;
  /** The mean squared distance of each channel's values from their mean, [channels]. */
  readonly variance: Tensor;
}

/**
 * A view of the normalized values. Its inputs also include x, its statistics and the factors, so that the gradient is
 * computed in closed form: two sums over the batch instead of four.
 */
const batchNormOp: GivenOp = {
  name: "batchNorm",
  kind: "view",
  hasChannels: true,
  gradient(node, upstream) {
    const [, x, mean, scale, weight] = node.inputs as [Tensor, Tensor, Tensor, Tensor, Tensor?];
    const { shape } = x;
    const [rows, g] = [rowsOf(x), rowsOf(upstream)];
    const count = rows.shape[0]!;
    // Distances are computed anew by each reader: it takes less time than to store and read them.
    const total = sumRows(g);
    const correlation = multiply(sumRows(multiply(g, subtract(rows, mean))), scale);
    const [meanTotal, slope] = [divide(total, count), multiply(divide(correlation, count), scale)];
    const inner = subtract(subtract(g, meanTotal), multiply(subtract(rows, mean), slope));
    const gradient = reshape(multiply(inner, weight ? multiply(scale, weight) : scale), shape);
    return [undefined, gradient, undefined, undefined, ...(weight ? [correlation, total] : [])];
  },
};

/**
 * Batch normalization (Ioffe and Szegedy 2015): (x − mean) / √(variance + epsilon) · weight + bias, with the mean and the
 * variance of each channel, the last axis, over all other axes. The variance is computed in two passes.
 * @param x float32 [..., channels]
 * @throws GraphError for other types or shapes, or if a channel has only one value
 */
export function batchNorm(x: Tensor, { epsilon = 1e-5, affine }: BatchNormOptions = {}): BatchNorm {
  requireType("batchNorm", x, "float32");
  const channels = x.shape.at(-1);
  if (channels === undefined || x.size === channels) {
    throw new GraphError({
      where: "batchNorm",
      what: `${x} has one value per channel, whose variance is 0`,
      fix: "Give [..., channels] with more than one value per channel, as in a larger batch",
    });
  }
  for (const factor of affine ? [affine.weight, affine.bias] : []) {
    if (factor.dtype === "float32" && sameShape(factor.shape, [channels])) continue;
    throw new GraphError({ where: "batchNorm", what: `${factor} for ${x}`, fix: `Give float32 [${channels}]` });
  }
  const rows = rowsOf(x);
  const count = rows.shape[0]!;
  const mean = divide(sumRows(rows), count);
  // The derivative with respect to the mean is 0: the distances add up to 0.
  const variance = divide(sumRows(square(subtract(rows, stopGradient(mean)))), count);
  const scale = rsqrt(add(variance, epsilon));
  const normalized = multiply(subtract(rows, mean), affine ? multiply(scale, affine.weight) : scale);
  const values = affine ? add(normalized, affine.bias) : normalized;
  const inputs = [values, x, mean, scale, ...(affine ? [affine.weight, affine.bias] : [])];
  return { values: new Tensor(batchNormOp, inputs, {}, x), mean, variance };
}

const rowsOf = (x: Tensor): Tensor => reshape(x, [-1, x.shape.at(-1)!]);

const sumRows = (rows: Tensor): Tensor => sumOverRows(rows, partsOfRows(rows.shape[0]!, USEFUL_PARTS));
