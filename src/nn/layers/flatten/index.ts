import { sizeOf } from "../../../graph/tensor.ts";
import { reshape } from "../../../ops/layout/index.ts";
import type { Layer, LayerType } from "../layer.ts";

/** A layer that flattens each example to one axis, row-major. */
export function flatten(): Layer {
  return {
    config: { type: "flatten" },
    build: ({ inputShape }) => ({
      outputShape: [sizeOf(inputShape)],
      apply: (x) => reshape(x, [x.shape[0]!, sizeOf(inputShape)]),
    }),
  };
}

export const layerType: LayerType = { options: [], fromConfig: flatten, summarize: () => ({}) };
