/*
 * The functions that make layers. Everything else in a layer's folder is found by its name: see registry.ts and
 * forms.ts.
 */
export { activation } from "./activation/index.ts";
export { dense, type DenseOptions } from "./dense/index.ts";
export { dropout } from "./dropout/index.ts";
export { flatten } from "./flatten/index.ts";
export type {
  ApplyOptions,
  BuiltLayer,
  ConfigResolver,
  ConfigValue,
  Layer,
  LayerConfig,
  LayerContext,
  LayerSummary,
} from "./layer.ts";
export { summarizeLayer } from "./registry.ts";
