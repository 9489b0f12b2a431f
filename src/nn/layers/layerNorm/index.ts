import { layerNorm as layerNormOf } from "../../../ops/layer-norm/index.ts";
import type { Layer, LayerType } from "../layer.ts";
import { channelsOf, normConfig, weightAndBiasOf, type NormOptions } from "../norms.ts";

/**
 * Layer normalization (Ba, Kiros and Hinton 2016) over the last axis, the features or channels: (x − mean) /
 * √(variance + epsilon) · weight + bias, with weight and bias of the size of that axis. It equals PyTorch's
 * `nn.LayerNorm` with one size, and Keras' default.
 * @param options epsilon is 1e-5 by default
 * @throws OptionError for an option outside its range
 */
export function layerNorm(options: NormOptions = {}): Layer {
  const { epsilon, affine } = normConfig("layerNorm", options, 1e-5, {});
  return {
    config: { type: "layerNorm", epsilon, affine },
    build(context) {
      const { inputShape } = context;
      const factors = affine ? { affine: weightAndBiasOf(context, channelsOf(inputShape)) } : {};
      return {
        outputShape: inputShape,
        apply: (x) => layerNormOf(x, { epsilon, ...factors }),
      };
    },
  };
}

export const layerType: LayerType = {
  options: ["epsilon", "affine"],
  fromConfig: ({ epsilon, affine }) => layerNorm({ epsilon: epsilon as number, affine: affine as boolean }),
};
