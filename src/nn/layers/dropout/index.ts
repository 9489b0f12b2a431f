import { dropoutMask } from "../../../ops/dropout/index.ts";
import { multiply } from "../../../ops/elementwise/index.ts";
import { requireNumber } from "../../checks.ts";
import type { Layer, LayerType } from "../layer.ts";
import { stepKey } from "../step-key.ts";

/**
 * Inverted dropout (Srivastava et al. 2014, section 10). During training, each element is set to 0 with probability
 * `rate` and otherwise multiplied by 1 / (1 − rate), which preserves its mean. Outside training nothing changes.
 * @param rate in [0, 1)
 * @throws OptionError for a rate outside [0, 1)
 */
export function dropout(rate: number): Layer {
  requireNumber("dropout rate", rate, rate >= 0 && rate < 1, "the fraction of elements to drop, in [0, 1)");
  return {
    config: { type: "dropout", rate },
    build: (context) => ({
      outputShape: context.inputShape,
      apply(x, options) {
        if (!options.training || rate === 0) return x;
        return multiply(x, dropoutMask(x.shape, rate, stepKey(context, options)));
      },
    }),
  };
}

export const layerType: LayerType = {
  options: ["rate"],
  fromConfig: ({ rate }) => dropout(rate as number),
  summarize: ({ rate }) => ({ dropout: rate as number }),
};
