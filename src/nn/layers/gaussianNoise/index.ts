import { add, multiply } from "../../../ops/elementwise/index.ts";
import { randomNormal } from "../../../ops/random/index.ts";
import { requireFloat32, requireNumber } from "../../checks.ts";
import type { Layer, LayerType } from "../layer.ts";
import { stepKey } from "../step-key.ts";

/**
 * Adds normal noise with mean 0 to each element during training. Outside training nothing changes.
 * @param deviation the standard deviation of the noise, at least 0
 * @throws OptionError for a deviation outside its range
 */
export function gaussianNoise(deviation: number): Layer {
  requireNumber("gaussianNoise deviation", deviation, deviation >= 0, "a standard deviation of at least 0");
  requireFloat32("gaussianNoise deviation", deviation);
  return {
    config: { type: "gaussianNoise", deviation },
    build: (context) => ({
      outputShape: context.inputShape,
      apply(x, options) {
        if (!options.training || deviation === 0) return x;
        return add(x, multiply(randomNormal(x.shape, stepKey(context, options)), deviation));
      },
    }),
  };
}

export const layerType: LayerType = {
  options: ["deviation"],
  fromConfig: ({ deviation }) => gaussianNoise(deviation as number),
};
