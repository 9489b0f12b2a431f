import { sizeOf } from "../../../graph/tensor.ts";
import { reshape } from "../../../ops/layout/index.ts";
import { requireCount } from "../../checks.ts";
import { requireGroups } from "../images.ts";
import type { Layer, LayerType } from "../layer.ts";
import { channelFactors, channelsOf, normalized, normConfig, type NormOptions } from "../norms.ts";

/**
 * Group normalization (Wu and He 2018): the channels, the last axis, are divided into groups, and each group of an
 * example is normalized over all its elements: (x − mean) / √(variance + epsilon) · weight + bias, with weight and bias
 * [channels]. One group normalizes the whole example. As many groups as channels make instance normalization.
 * @param groups number of groups, which must divide the channels
 * @param options epsilon is 1e-5 by default
 * @throws OptionError for an option outside its range; GraphError, when the model is built, if the groups do not divide
 * the channels
 */
export function groupNorm(groups: number, options: NormOptions = {}): Layer {
  requireCount("groupNorm groups", groups);
  const { epsilon, affine } = normConfig("groupNorm", options, 1e-5, {});
  return {
    config: { type: "groupNorm", groups, epsilon, affine },
    build(context) {
      const { inputShape } = context;
      const channels = channelsOf(inputShape);
      requireGroups("groupNorm", groups, channels);
      const finish = affine ? channelFactors(context, channels, true) : undefined;
      const apart = [sizeOf(inputShape) / channels, groups, channels / groups];
      return {
        outputShape: inputShape,
        apply(x) {
          const values = reshape(normalized(reshape(x, [x.shape[0]!, ...apart]), [1, 3], epsilon), x.shape);
          return finish ? finish(values) : values;
        },
      };
    },
  };
}

export const layerType: LayerType = {
  options: ["groups", "epsilon", "affine"],
  fromConfig: ({ groups, epsilon, affine }) =>
    groupNorm(groups as number, { epsilon: epsilon as number, affine: affine as boolean }),
};
