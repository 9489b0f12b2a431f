import { GraphError } from "../../../errors.ts";
import { dropoutMask } from "../../../ops/dropout/index.ts";
import { multiply } from "../../../ops/elementwise/index.ts";
import { reshape } from "../../../ops/layout/index.ts";
import { requireNumber } from "../../checks.ts";
import type { Layer, LayerType } from "../layer.ts";
import { channelsOf } from "../norms.ts";
import { stepKey } from "../step-key.ts";

/**
 * Dropout of whole channels (Tompson et al. 2015), for images and signals, whose adjacent elements are correlated:
 * during training, each channel of an example is set to 0 with probability `rate` and otherwise multiplied by
 * 1 / (1 − rate).
 * @param rate in [0, 1)
 * @throws OptionError for a rate outside [0, 1); GraphError, when the model is built, if its input is neither
 * [height, width, channels] nor [length, channels] per example
 */
export function spatialDropout(rate: number): Layer {
  requireNumber("spatialDropout rate", rate, rate >= 0 && rate < 1, "the fraction of channels to drop, in [0, 1)");
  return {
    config: { type: "spatialDropout", rate },
    build(context) {
      const { inputShape } = context;
      if (inputShape.length !== 2 && inputShape.length !== 3) {
        throw new GraphError({
          where: "spatialDropout",
          what: `its input has the shape [${inputShape.join(", ")}] per example`,
          fix: "Give [height, width, channels] or [length, channels], or use dropout()",
        });
      }
      const channels = channelsOf(inputShape);
      return {
        outputShape: inputShape,
        apply(x, options) {
          if (!options.training || rate === 0) return x;
          const examples = x.shape[0]!;
          const mask = dropoutMask([examples, channels], rate, stepKey(context, options));
          return multiply(x, reshape(mask, [examples, ...inputShape.slice(1).map(() => 1), channels]));
        },
      };
    },
  };
}

export const layerType: LayerType = {
  options: ["rate"],
  fromConfig: ({ rate }) => spatialDropout(rate as number),
};
