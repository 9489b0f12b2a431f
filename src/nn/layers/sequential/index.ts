import { buildChain, configsOf, layersFrom, requireSomeLayers } from "../chain.ts";
import type { Layer, LayerType } from "../layer.ts";

/**
 * Several layers in sequence as one layer, for a block that is used in several places. With options, `sequential` makes
 * a model instead.
 * @throws OptionError for an empty list
 */
export function sequential(layers: readonly Layer[]): Layer {
  requireSomeLayers("sequential", layers);
  return {
    config: { type: "sequential", layers: configsOf(layers) },
    build: (context) => buildChain(layers, { context }),
  };
}

export const layerType: LayerType = {
  options: ["layers"],
  fromConfig: ({ layers }, resolver) => sequential(layersFrom("sequential layers", layers, resolver)),
};
