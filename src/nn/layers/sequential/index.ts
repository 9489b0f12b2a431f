import { buildChain, configsOf, layersFrom, requireSomeLayers } from "../chain.ts";
import type { Layer, LayerType } from "../layer.ts";

/**
 * Layers one after another as one layer, for a block that is used in several places. See `sequential`, which makes a
 * model if it gets options.
 * @throws OptionError for no layers
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
