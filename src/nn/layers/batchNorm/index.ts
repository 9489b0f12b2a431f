import { GraphError } from "../../../errors.ts";
import { add, multiply, rsqrt, subtract } from "../../../ops/elementwise/index.ts";
import { batchNorm as normalize } from "../../../ops/normalization/index.ts";
import { requireNumber } from "../../checks.ts";
import type { Layer, LayerType } from "../layer.ts";
import { channelsOf, normConfig, weightAndBiasOf, type NormOptions } from "../norms.ts";

/** The options of `layers.batchNorm`. */
export interface BatchNormLayerOptions extends NormOptions {
  /** The share of each batch in the new running statistics, in (0, 1]; 0.1 by default. Keras' momentum is 1 minus this. */
  readonly momentum?: number;
}

/**
 * Batch normalization (Ioffe and Szegedy 2015): (x − mean) / √(variance + epsilon) · weight + bias for each channel, the
 * last axis. It equals PyTorch's `nn.BatchNorm1d` and `nn.BatchNorm2d`.
 *
 * During training, mean and variance are those of the batch, over all axes but the last; they also update the states
 * `runningMean`, initially 0, and `runningVariance`, initially 1. Outside training, the running statistics normalize, so
 * that the output for an example does not depend on the others.
 *
 * @example
 * ```ts
 * const { batchNorm, conv2d } = layers;
 * const block = [conv2d(16, 3, { bias: false }), batchNorm(), activation("relu")];
 * ```
 *
 * @param options epsilon is 1e-5 by default
 * @throws OptionError for an option outside its range; GraphError, when the layer is applied for training, if a channel
 * has only one value in a batch
 */
export function batchNorm(options: BatchNormLayerOptions = {}): Layer {
  const { epsilon, affine } = normConfig("batchNorm", options, 1e-5, { momentum: true });
  const { momentum = 0.1 } = options;
  requireNumber("batchNorm momentum", momentum, momentum > 0 && momentum <= 1, "a number in (0, 1]");
  return {
    config: { type: "batchNorm", momentum, epsilon, affine },
    build(context) {
      const { inputShape, path } = context;
      const channels = channelsOf(inputShape);
      const factors = affine ? weightAndBiasOf(context, channels) : undefined;
      const runningMean = context.state("runningMean", [channels], 0);
      const runningVariance = context.state("runningVariance", [channels], 1);
      return {
        outputShape: inputShape,
        apply(x, { training, recordMoments }) {
          if (!training) {
            const normalized = multiply(subtract(x, runningMean), rsqrt(add(runningVariance, epsilon)));
            return factors ? add(multiply(normalized, factors.weight), factors.bias) : normalized;
          }
          const count = x.size / channels;
          if (count === 1) {
            throw new GraphError({
              where: `layer ${path}, batchNorm`,
              what: `training needs more than 1 value per channel, but the batch is ${x}`,
              fix: "Use a larger batch, or layerNorm() or groupNorm()",
            });
          }
          const { values, mean, variance } = normalize(x, { epsilon, affine: factors });
          recordMoments({ runningMean, runningVariance, mean, variance, count, momentum });
          return values;
        },
      };
    },
  };
}

export const layerType: LayerType = {
  options: ["momentum", "epsilon", "affine"],
  fromConfig: ({ momentum, epsilon, affine }) =>
    batchNorm({ momentum: momentum as number, epsilon: epsilon as number, affine: affine as boolean }),
};
