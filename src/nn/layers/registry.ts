import { byFolder } from "./by-folder.ts";
import type { LayerConfig, LayerSummary, LayerType } from "./layer.ts";

/** The library's own types of layers, by name. */
export const layerTypes = byFolder<LayerType>(import.meta.glob("./*/index.ts", { eager: true, import: "layerType" }));

/**
 * What a layer of a model's config adds to a network of dense layers, for a page that shows one.
 * @returns undefined for a layer that these terms do not describe, such as one of your own
 */
export function summarizeLayer(config: LayerConfig): LayerSummary | undefined {
  return Object.hasOwn(layerTypes, config.type) ? layerTypes[config.type]!.summarize?.(config) : undefined;
}
