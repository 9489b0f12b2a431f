import type { Tensor } from "../../graph/tensor.ts";
import { dropoutMask } from "../dropout/index.ts";
import { lessEqual, multiply, select, toFloat } from "../elementwise/index.ts";
import { axisIndex } from "../layout/index.ts";
import { matmul } from "../matmul/index.ts";
import { softmax } from "../softmax/index.ts";
import type { AttentionOptions } from "./index.ts";

/** Below all scores, and finite, so that a row without any key has no infinite difference. */
export const MASKED = -1e30;

/** `attention` by batched products and a softmax, which store the weights of all keys for each query. */
export function plainAttention(q: Tensor, k: Tensor, v: Tensor, options: AttentionOptions = {}): Tensor {
  const { dropout, precision = "float32" } = options;
  const attended = attentionWeights(q, k, options);
  const kept = dropout ? multiply(attended, dropoutMask(attended.shape, dropout.rate, dropout.key)) : attended;
  return matmul(kept, v, { precision });
}

/**
 * The weights by which attention sums up the values, before dropout: softmax(q kᵀ / √width). Each row sums to 1, or is 0 for a
 * query that may attend to no key.
 * @returns [..., queries, keys]
 */
export function attentionWeights(q: Tensor, k: Tensor, options: Omit<AttentionOptions, "dropout">): Tensor {
  const { causal = false, mask, precision = "float32" } = options;
  const [queries, width] = q.shape.slice(-2) as [number, number];
  const products = matmul(q, k, { transposeRight: true, precision });
  const allowed = causal ? bothAllow(causalMask(queries), mask) : mask;
  const scores = multiply(products, 1 / Math.sqrt(width));
  const weights = softmax(allowed ? select(allowed, scores, MASKED) : scores);
  // Without a key, the softmax is uniform. A causal query always has a key.
  return mask ? select(allowed!, weights, 0) : weights;
}

/** [positions, positions]: 1 where the column is not after the row, else 0. */
function causalMask(positions: number): Tensor {
  const index = (axis: number) => toFloat(axisIndex([positions, positions], axis));
  return lessEqual(index(1), index(0));
}

const bothAllow = (causal: Tensor, mask: Tensor | undefined): Tensor => (mask ? select(causal, mask, 0) : causal);
