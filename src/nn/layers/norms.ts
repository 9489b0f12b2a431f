import type { Shape, Tensor } from "../../graph/tensor.ts";
import { refuseOtherOptions, type OptionNames } from "../../option-names.ts";
import { add, multiply, rsqrt, square, subtract } from "../../ops/elementwise/index.ts";
import { mean } from "../../ops/reduce/index.ts";
import { requirePositiveFloat32 } from "../checks.ts";
import { constant, zeros } from "../initializers.ts";
import { requireBoolean } from "./affine.ts";
import type { LayerContext } from "./layer.ts";

/** The options of a normalization layer. */
export interface NormOptions {
  /** Added to the variance, or the mean square, before the square root; above 0. */
  readonly epsilon?: number;
  /** Whether learned weights scale, and learned biases (if the layer has them) shift, each channel; true by default. */
  readonly affine?: boolean;
}

/**
 * @param names the layer's other options
 * @throws OptionError
 */
export function normConfig<Options extends NormOptions>(
  where: string,
  options: Options,
  usualEpsilon: number,
  names: Omit<OptionNames<Options>, keyof NormOptions>,
) {
  refuseOtherOptions<NormOptions>(where, options, { ...names, epsilon: true, affine: true });
  const { epsilon, affine = true } = options;
  const chosen = epsilon ?? usualEpsilon;
  requirePositiveFloat32(`${where} epsilon`, chosen);
  requireBoolean(`${where} affine`, affine);
  return { epsilon: chosen, affine };
}

/** x shifted and scaled to mean 0 and variance 1 over axes. The variance is computed in two passes. */
export function normalized(x: Tensor, axes: readonly number[], epsilon: number): Tensor {
  const centered = subtract(x, mean(x, { axes, keepAxes: true }));
  return scaledToUnit(centered, axes, epsilon);
}

/** x scaled to a mean square of 1 over axes. */
export function scaledToUnit(x: Tensor, axes: readonly number[], epsilon: number): Tensor {
  return multiply(x, rsqrt(add(mean(square(x), { axes, keepAxes: true }), epsilon)));
}

const fans = { fanIn: 1, fanOut: 1 };

/** The learned `weight` of each channel, initially 1. */
const weightOf = ({ parameter }: LayerContext, channels: number): Tensor =>
  parameter("weight", [channels], constant(1), fans);

/** The learned `weight`, initially 1, and `bias`, initially 0, of each channel. */
export const weightAndBiasOf = (context: LayerContext, channels: number) => ({
  weight: weightOf(context, channels),
  bias: context.parameter("bias", [channels], zeros, fans),
});

/** Multiplies by the learned `weight` and, if wanted, adds the learned `bias`, along the last axis. */
export function channelFactors(context: LayerContext, channels: number, withBias: boolean) {
  if (!withBias) {
    const weight = weightOf(context, channels);
    return (x: Tensor): Tensor => multiply(x, weight);
  }
  const { weight, bias } = weightAndBiasOf(context, channels);
  return (x: Tensor): Tensor => add(multiply(x, weight), bias);
}

/** The number of channels, the last axis. */
export const channelsOf = (shape: Shape): number => shape.at(-1)!;
