import type { Layer, LayerType } from "../layer.ts";
import { channelFactors, channelsOf, normConfig, scaledToUnit, type NormOptions } from "../norms.ts";

/**
 * Root mean square normalization (Zhang and Sennrich 2019) over the last axis: x / √(mean(x²) + epsilon) · weight. There
 * is no bias.
 * @param options epsilon is 1e-6 by default
 * @throws OptionError for an option outside its range
 */
export function rmsNorm(options: NormOptions = {}): Layer {
  const { epsilon, affine } = normConfig("rmsNorm", options, 1e-6, {});
  return {
    config: { type: "rmsNorm", epsilon, affine },
    build(context) {
      const { inputShape } = context;
      const finish = affine ? channelFactors(context, channelsOf(inputShape), false) : undefined;
      return {
        outputShape: inputShape,
        apply(x) {
          const values = scaledToUnit(x, [x.shape.length - 1], epsilon);
          return finish ? finish(values) : values;
        },
      };
    },
  };
}

export const layerType: LayerType = {
  options: ["epsilon", "affine"],
  fromConfig: ({ epsilon, affine }) => rmsNorm({ epsilon: epsilon as number, affine: affine as boolean }),
};
