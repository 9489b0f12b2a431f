/*
 * Attention, composed of other ops: products, a masked softmax, and rotations by positions.
 */
import { GraphError } from "../../errors.ts";
import { requireType, type Tensor } from "../../graph/tensor.ts";
import { dropoutMask } from "../dropout/index.ts";
import { lessEqual, multiply, select, toFloat } from "../elementwise/index.ts";
import { broadcastsTo } from "../elementwise/function.ts";
import { axisIndex } from "../layout/index.ts";
import { matmul } from "../matmul/index.ts";
import type { Precision } from "../matmul/precision.ts";
import { softmax } from "../softmax/index.ts";

export { rotateByPosition, type RotationOptions } from "./rotation.ts";

/** The options of `attention`. */
export interface AttentionOptions {
  /** Whether query i attends only to the keys 0 … i, of which there must be as many as queries; false by default. */
  readonly causal?: boolean;
  /**
   * Which keys a query may attend to: float32, not 0 where it may, of a shape that broadcasts to
   * [..., queries, keys]. A mask of padding, [batch, keys], becomes [batch, 1, 1, keys] for several heads. All keys by
   * default.
   */
  readonly mask?: Tensor;
  /** Dropout of the attention weights, for training; see `dropoutMask`. None by default. */
  readonly dropout?: { readonly rate: number; readonly key: Tensor };
  /** The precision of both products; "float32" by default. See `matmul`. */
  readonly precision?: Precision;
}

/** Below all scores, and finite, so that a row without any key has no infinite difference. */
const MASKED = -1e30;

/**
 * Scaled dot-product attention (Vaswani et al. 2017, equation 1): softmax(q kᵀ / √width) v. A query that may attend to no
 * key gets zeros. Leading axes, such as those of the batch and the heads, broadcast like those of `matmul`.
 * @param q float32 [..., queries, width]
 * @param k float32 [..., keys, width]
 * @param v float32 [..., keys, values]
 * @returns [..., queries, values]
 * @throws GraphError if shapes do not fit, or if a causal attention has not as many queries as keys
 */
export function attention(q: Tensor, k: Tensor, v: Tensor, options: AttentionOptions = {}): Tensor {
  const { causal = false, mask, dropout, precision = "float32" } = options;
  requireSequences(q, k, v);
  const [queries, width] = q.shape.slice(-2) as [number, number];
  const keys = k.shape.at(-2)!;
  const products = matmul(q, k, { transposeRight: true, precision });
  if (mask) requireMask(mask, products);
  if (causal && queries !== keys) {
    const what = `there are ${queries} queries and ${keys} keys`;
    throw new GraphError({ where: "attention causal", what, fix: "Give a mask instead" });
  }
  const allowed = causal ? bothAllow(causalMask(queries), mask) : mask;
  const scores = multiply(products, 1 / Math.sqrt(width));
  const weights = softmax(allowed ? select(allowed, scores, MASKED) : scores);
  // Without a key, the softmax is uniform. A causal query always has a key.
  const attended = mask ? select(allowed!, weights, 0) : weights;
  const kept = dropout ? multiply(attended, dropoutMask(attended.shape, dropout.rate, dropout.key)) : attended;
  return matmul(kept, v, { precision });
}

/** [positions, positions]: 1 where the column is not after the row, else 0. */
function causalMask(positions: number): Tensor {
  const index = (axis: number) => toFloat(axisIndex([positions, positions], axis));
  return lessEqual(index(1), index(0));
}

const bothAllow = (causal: Tensor, mask: Tensor | undefined): Tensor => (mask ? select(causal, mask, 0) : causal);

function requireSequences(q: Tensor, k: Tensor, v: Tensor): void {
  for (const tensor of [q, k, v]) requireType("attention", tensor, "float32");
  const areMatrices = [q, k, v].every(({ shape }) => shape.length >= 2);
  if (areMatrices && q.shape.at(-1) === k.shape.at(-1) && k.shape.at(-2) === v.shape.at(-2)) return;
  throw new GraphError({
    where: "attention",
    what: `queries ${q}, keys ${k} and values ${v} do not fit`,
    fix: "Give q [..., queries, width], k [..., keys, width] and v [..., keys, values]",
  });
}

function requireMask(mask: Tensor, scores: Tensor): void {
  requireType("attention mask", mask, "float32");
  if (broadcastsTo(mask.shape, scores.shape)) return;
  throw new GraphError({
    where: "attention mask",
    what: `${mask} does not broadcast to the scores [${scores.shape.join(", ")}]`,
    fix: "Give [keys], [queries, keys], or more leading axes of size 1 or of the same size",
  });
}
