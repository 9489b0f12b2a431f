/*
 * Attention, either composed of other ops or in kernels of its own, and rotations by positions.
 */
import { GraphError } from "../../errors.ts";
import { requireType, sameShape, type Shape, type Tensor } from "../../graph/tensor.ts";
import { refuseOtherOptions } from "../../option-names.ts";
import { broadcastShapes, broadcastsTo } from "../elementwise/function.ts";
import type { Precision } from "../../precisions.ts";
import { fusedAttention } from "./fused.ts";
import { attentionWeights, plainAttention } from "./plain.ts";

export { attentionWeights, fusedAttention, plainAttention };
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

/** From this number of keys on, attention is fused: the weights of all heads are then larger than all other values of a block. */
const FEWEST_KEYS_OF_FUSED = 256;

/** The largest width of a query, key or value of a fused attention, whose kernels keep a row of each in fast memory. */
const MOST_FUSED_WIDTH = 256;

/**
 * Scaled dot-product attention (Vaswani et al. 2017, equation 1): softmax(q kᵀ / √width) v. A query that may attend to no
 * key gets zeros. Leading axes, such as those of the batch and the heads, broadcast like those of `matmul`.
 *
 * With at least 256 keys, in float32, it is computed in one kernel that does not store the weights (FlashAttention-2, Dao 2023),
 * if q, k and v have the same leading axes and a width of at most 256. Such attention has a gradient, but no second derivative.
 * @param q float32 [..., queries, width]
 * @param k float32 [..., keys, width]
 * @param v float32 [..., keys, values]
 * @returns [..., queries, values]
 * @throws GraphError if shapes do not fit, or if a causal attention has not as many queries as keys
 */
export function attention(q: Tensor, k: Tensor, v: Tensor, options: AttentionOptions = {}): Tensor {
  refuseOtherOptions("attention", options, { causal: true, mask: true, dropout: true, precision: true });
  const { causal = false, mask } = options;
  requireSequences(q, k, v);
  const [queries, keys] = [q.shape.at(-2)!, k.shape.at(-2)!];
  if (mask) requireMask(mask, [...broadcastShapes("attention", [q, k].map(leadingOf)), queries, keys]);
  if (causal && queries !== keys) {
    const what = `there are ${queries} queries and ${keys} keys`;
    throw new GraphError({ where: "attention causal", what, fix: "Give a mask instead" });
  }
  return isFused(q, k, v, options) ? fusedAttention(q, k, v, options) : plainAttention(q, k, v, options);
}

const leadingOf = ({ shape }: Tensor) => ({ shape: shape.slice(0, -2) });

/** Depends only on shapes and options, so that a model computes the same on every machine. */
function isFused(q: Tensor, k: Tensor, v: Tensor, { precision = "float32" }: AttentionOptions): boolean {
  const haveSameBatches = [k, v].every((other) => sameShape(leadingOf(other).shape, leadingOf(q).shape));
  const isNarrow = [q, v].every(({ shape }) => shape.at(-1)! <= MOST_FUSED_WIDTH);
  return precision === "float32" && k.shape.at(-2)! >= FEWEST_KEYS_OF_FUSED && haveSameBatches && isNarrow;
}

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

function requireMask(mask: Tensor, scores: Shape): void {
  requireType("attention mask", mask, "float32");
  if (broadcastsTo(mask.shape, scores)) return;
  throw new GraphError({
    where: "attention mask",
    what: `${mask} does not broadcast to the scores [${scores.join(", ")}]`,
    fix: "Give [keys], [queries, keys], or more leading axes of size 1 or of the same size",
  });
}
