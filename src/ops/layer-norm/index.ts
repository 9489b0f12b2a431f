/*
 * Layer normalization in one kernel for the moments of each row, and its gradient in one. Composed of other ops, both take
 * eleven dispatches on WebGPU instead of five.
 */
import { GraphError } from "../../errors.ts";
import { requireHeld } from "../../graph/leaves.ts";
import { requireType, sameShape, Tensor, type ComputeOp, type GivenOp } from "../../graph/tensor.ts";
import { add, multiply, subtract } from "../elementwise/index.ts";
import { slice } from "../indexing/index.ts";
import { sumToShape } from "../reduce/index.ts";

/** The options of `layerNorm`. */
export interface LayerNormOptions {
  /** Added to the variance before the square root; 1e-5 by default. */
  readonly epsilon?: number;
  /** The factor and the summand of each channel, float32 [channels]; none by default. */
  readonly affine?: { readonly weight: Tensor; readonly bias: Tensor };
}

export interface RowMomentsAttributes {
  readonly epsilon: number;
}

/** [..., 2]: the mean of each row of the last axis, and 1 / √(variance + epsilon), computed in two passes. */
const rowMomentsOp: ComputeOp = {
  name: "rowMoments",
  kind: "compute",
  traits: { kind: "anchor" },
  holdsStatistics: true,
};

/** The gradient of x, from x, its moments, the upstream gradient and, if there is one, the weight. */
const layerNormGradientOp: ComputeOp = { name: "layerNormGradient", kind: "compute", traits: { kind: "anchor" } };

/** A view of the result. Its other inputs are x, its moments and the factors, so that the gradient has a closed form. */
const layerNormOp: GivenOp = {
  name: "layerNorm",
  kind: "view",
  gradient(node, upstream) {
    const [, x, moments, weight] = node.inputs as [Tensor, Tensor, Tensor, Tensor?];
    const inputs = [x, moments, upstream, ...(weight ? [weight] : [])];
    const ofX = new Tensor(layerNormGradientOp, inputs, {}, x);
    if (!weight) return [undefined, ofX, undefined];
    // Normalized values are computed anew, which takes less time than to store and read them.
    const ofWeight = multiply(upstream, normalized(x, moments));
    return [undefined, ofX, undefined, sumToShape(ofWeight, weight.shape), sumToShape(upstream, weight.shape)];
  },
};

/**
 * Layer normalization (Ba, Kiros and Hinton 2016) over the last axis, the channels: (x − mean) / √(variance + epsilon) ·
 * weight + bias, with the mean and the variance of each row.
 * @param x float32 [..., channels]
 * @returns the shape of x
 * @throws GraphError for other types or shapes, or an epsilon that is not above 0
 */
export function layerNorm(x: Tensor, { epsilon = 1e-5, affine }: LayerNormOptions = {}): Tensor {
  requireType("layerNorm", x, "float32");
  requireHeld("layerNorm epsilon", epsilon);
  const channels = x.shape.at(-1);
  if (channels === undefined || !(epsilon > 0)) {
    const what = `${x} with epsilon ${epsilon}`;
    throw new GraphError({ where: "layerNorm", what, fix: "Give x [..., channels], and an epsilon above 0" });
  }
  for (const factor of affine ? [affine.weight, affine.bias] : []) {
    if (factor.dtype === "float32" && sameShape(factor.shape, [channels])) continue;
    throw new GraphError({ where: "layerNorm", what: `${factor} for ${x}`, fix: `Give float32 [${channels}]` });
  }
  const moments = new Tensor<RowMomentsAttributes>(
    rowMomentsOp,
    [x],
    { epsilon },
    { shape: [...x.shape.slice(0, -1), 2], dtype: "float32" },
  );
  const values = normalized(x, moments);
  const result = affine ? add(multiply(values, affine.weight), affine.bias) : values;
  return new Tensor(layerNormOp, [result, x, moments, ...(affine ? [affine.weight, affine.bias] : [])], {}, x);
}

/** (x − mean) / √(variance + epsilon). */
function normalized(x: Tensor, moments: Tensor): Tensor {
  const moment = (start: number) =>
    slice(moments, [...moments.shape.slice(0, -1).map(() => undefined), { start, end: start + 1 }]);
  return multiply(subtract(x, moment(0)), moment(1));
}
