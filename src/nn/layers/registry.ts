import { byFolder } from "./by-folder.ts";
import type { LayerConfig, LayerSummary, LayerType } from "./layer.ts";

/** The built-in types of layers, by name. */
export const layerTypes = byFolder<LayerType>(import.meta.glob("./*/index.ts", { eager: true, import: "layerType" }));

/**
 * Summarizes a layer's config for a page that shows a network of dense layers.
 * @returns undefined for a layer that a `LayerSummary` cannot describe, such as a custom one
 */
export function summarizeLayer(config: LayerConfig): LayerSummary | undefined {
  return Object.hasOwn(layerTypes, config.type) ? layerTypes[config.type]!.summarize?.(config) : undefined;
}
