/*
 * Attention in one kernel, which processes the keys in blocks and never stores the weights of all of them (FlashAttention-2,
 * Dao 2023, algorithms 1 and 2). Besides its output, it stores the largest score and the sum of the exponentials of each
 * query. Two other kernels recompute the weights from them: one for the gradient of the queries, one for those of the keys
 * and values.
 */
import { sizeOf, Tensor, type ComputeOp, type GivenOp, type Shape } from "../../graph/tensor.ts";
import type { AnchorTraits } from "../../graph/traits.ts";
import { dropoutMask } from "../dropout/index.ts";
import { multiply } from "../elementwise/index.ts";
import { slice } from "../indexing/index.ts";
import { broadcastTo } from "../layout/index.ts";
import { sum } from "../reduce/index.ts";
import type { AttentionOptions } from "./index.ts";

/** The sizes and options of a fused attention. Its three kernels share them. */
export interface FusedAttributes {
  /** The product of the leading axes. */
  readonly batches: number;
  readonly queries: number;
  readonly keys: number;
  readonly width: number;
  /** The width of a value. */
  readonly values: number;
  /** The factor of the scores, 1 / √width. */
  readonly scale: number;
  readonly causal: boolean;
  /** The mask's strides, in elements, along the leading axes and the queries; along the keys it is 1. Absent without a mask. */
  readonly mask?: MaskStrides;
  /** Whether weights are multiplied by the factors of dropout. */
  readonly drops: boolean;
}

export interface MaskStrides {
  /** The sizes of the leading axes. */
  readonly sizes: readonly number[];
  readonly leading: readonly number[];
  readonly query: number;
}

/** What a kernel reads, by name. Those of the forward kernel are q, k, v, mask and dropout. */
export interface FusedOperands<Value> {
  readonly q: Value;
  readonly k: Value;
  readonly v: Value;
  /** [..., queries, 2]: the largest score of each query, and the sum of its exponentials. */
  readonly statistics?: Value;
  /** The gradient of the output, [..., queries, values]. */
  readonly upstream?: Value;
  /** [..., queries, 1]: the sum over the values of upstream · output (FlashAttention-2, algorithm 2, line 4). */
  readonly delta?: Value;
  readonly mask?: Value;
  /** The factors of the weights, [..., queries, keys]. Backends compute them where they are read. */
  readonly dropout?: Value;
}

/** The operands of a node, or what a backend has in their place, by name. */
export function operandsOf<Value>({ op, attributes }: Tensor, inputs: readonly Value[]): FusedOperands<Value> {
  const { mask, drops } = attributes as FusedAttributes;
  const names = [
    "q",
    "k",
    "v",
    ...(op === forwardOp ? [] : ["statistics", "upstream", "delta"]),
    ...(mask ? ["mask"] : []),
    ...(drops ? ["dropout"] : []),
  ];
  return Object.fromEntries(
    names.map((name, position) => [name, inputs[position]!]),
  ) as unknown as FusedOperands<Value>;
}

/** The multiply-adds of each kernel for one query and one key. */
const products: Readonly<Record<string, (sizes: FusedAttributes) => number>> = {
  attention: ({ width, values }) => width + values,
  attentionQueryGradient: ({ width, values }) => 2 * width + values,
  attentionKeyValueGradient: ({ width, values }) => 2 * (width + values),
};

/** The floating-point operations of the products of one of the kernels. */
export const flopsOf = ({ op, attributes }: Tensor): number => {
  const sizes = attributes as FusedAttributes;
  const pairs = (sizes.batches * sizes.queries * sizes.keys) / (sizes.causal ? 2 : 1);
  return 2 * pairs * products[op.name]!(sizes);
};

const traits: AnchorTraits = { kind: "anchor", flops: flopsOf };

/** [..., queries, values + 2]: the output, the largest score, and the sum of the exponentials. */
const forwardOp: ComputeOp = { name: "attention", kind: "compute", traits, holdsStatistics: true };

/** The gradient of q. */
const queryGradientOp: ComputeOp = { name: "attentionQueryGradient", kind: "compute", traits };

/** [..., keys, width + values]: the gradients of k and v. */
const keyValueGradientOp: ComputeOp = { name: "attentionKeyValueGradient", kind: "compute", traits };

/** A view of the output. Its other inputs are those of the attention, so that gradients flow to them. */
const fusedAttentionOp: GivenOp = {
  name: "fusedAttention",
  kind: "view",
  gradient(node, upstream) {
    const [output, computed, q, k, v, ...others] = node.inputs as [Tensor, Tensor, Tensor, Tensor, Tensor];
    const attributes = computed.attributes as FusedAttributes;
    const { values, width } = attributes;
    const statistics = columns(computed, values, values + 2);
    const delta = sum(multiply(upstream, output), { axes: -1, keepAxes: true });
    const inputs = [q, k, v, statistics, upstream, delta, ...others];
    const ofKeysAndValues = new Tensor(keyValueGradientOp, inputs, attributes, {
      shape: [...k.shape.slice(0, -1), width + values],
      dtype: "float32",
    });
    return [
      undefined,
      undefined,
      new Tensor(queryGradientOp, inputs, attributes, q),
      columns(ofKeysAndValues, 0, width),
      columns(ofKeysAndValues, width, width + values),
    ];
  },
};

/**
 * `attention` in one kernel, and its gradients in two. It computes in float32.
 * @param q [..., queries, width]
 * @param k with the same leading axes
 * @param v with the same leading axes
 */
export function fusedAttention(q: Tensor, k: Tensor, v: Tensor, options: AttentionOptions = {}): Tensor {
  const { causal = false, mask, dropout } = options;
  const leading = q.shape.slice(0, -2);
  const [queries, width] = q.shape.slice(-2) as [number, number];
  const [keys, values] = v.shape.slice(-2) as [number, number];
  const whole = mask && broadcastTo(mask, [...mask.shape.slice(0, -1), keys]);
  const attributes: FusedAttributes = {
    batches: sizeOf(leading),
    queries,
    keys,
    width,
    values,
    scale: 1 / Math.sqrt(width),
    causal,
    drops: dropout !== undefined,
    ...(whole && { mask: maskStrides(whole.shape, leading, queries) }),
  };
  const factors = dropout && dropoutMask([...leading, queries, keys], dropout.rate, dropout.key);
  const others = [whole, factors].filter((tensor) => tensor !== undefined);
  const type = { shape: [...leading, queries, values + 2], dtype: "float32" } as const;
  const computed = new Tensor(forwardOp, [q, k, v, ...others], attributes, type);
  const output = columns(computed, 0, values);
  return new Tensor(fusedAttentionOp, [output, computed, q, k, v, ...others], {}, output);
}

/** Columns [start, end) of the last axis. */
const columns = (x: Tensor, start: number, end: number): Tensor =>
  slice(x, [...x.shape.slice(0, -1).map(() => undefined), { start, end }]);

/** @param shape [..., keys], which broadcasts to [...leading, queries, keys] */
function maskStrides(shape: Shape, leading: Shape, queries: number): MaskStrides {
  const target = [...leading, queries];
  const missing = target.length - (shape.length - 1);
  const strides = target.map((_, axis) => {
    const own = shape[axis - missing] ?? 1;
    return axis < missing || own === 1 ? 0 : sizeOf(shape.slice(axis - missing + 1));
  });
  return { sizes: leading, leading: strides.slice(0, -1), query: strides.at(-1)! };
}
