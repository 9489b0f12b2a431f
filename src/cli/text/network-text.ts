/*
 * Networks in a few words.
 */
import { sizeOf } from "../../graph/tensor.ts";
import type { LayerConfig } from "../../nn/layers/layer.ts";
import { textForms } from "../../nn/layer-text/forms.ts";
import { summarizeLayer } from "../../nn/layers/registry.ts";
import type { Model } from "../../nn/sequential.ts";
import { counted } from "./text.ts";

/** The number of parameters, such as "101,770 parameters". */
export const parametersText = ({ parameters }: Model): string =>
  counted(
    parameters.reduce((sum, { size }) => sum + size, 0),
    "parameter",
  );

/** The widths of a network of dense layers, such as "784-128-10". */
export function widthsText({ inputShape, config }: Model): string {
  const widths = config.layers.flatMap(({ units }) => (units === undefined ? [] : [units as number]));
  return [sizeOf(inputShape), ...widths].join("-");
}

/** Whether a model has dense layers, each on all values of the layer before it, and no other layers with weights. */
export const isDenseNetwork = ({ config, shapes }: Model): boolean =>
  config.layers.map(summarizeLayer).every((layer, index) => layer && (!layer.units || shapes[index]!.length === 1));

/**
 * A model in words: "784-128-10, 101,770 parameters" for dense layers, and otherwise the layers with weights, such as
 * "28×28, conv 16-16-32, dense 64-10, 45,274 parameters". Long lists are shortened in the middle.
 */
export function networkText(model: Model): string {
  const { config, inputShape } = model;
  if (isDenseNetwork(model)) return `${widthsText(model)}, ${parametersText(model)}`;
  const runs: { word: string; sizes: (number | string)[] }[] = [];
  for (const { word, size } of config.layers.flatMap(weighted)) {
    if (runs.at(-1)?.word === word) runs.at(-1)!.sizes.push(size);
    else runs.push({ word, sizes: [size] });
  }
  const named = runs.map(({ word, sizes }) => `${word} ${withoutMiddle(sizes, 8, "-")}`);
  const layers = named.length === 0 ? [counted(config.layers.length, "layer")] : [withoutMiddle(named, 4, ", ")];
  return [inputShape.join("×"), ...layers, parametersText(model)].join(", ");
}

/** A layer with weights, or those of the layers inside it, but not of a projection. */
function weighted(config: LayerConfig): { word: string; size: number | string }[] {
  const { type, layers, units, outputs, width, multiplier } = config;
  if (Array.isArray(layers)) return (layers as readonly LayerConfig[]).flatMap(weighted);
  const size = units ?? outputs ?? width ?? (multiplier === undefined ? undefined : `×${multiplier as number}`);
  if (size === undefined) return [];
  return [{ word: textForms[type]?.word ?? type, size: size as number | string }];
}

/** Joins parts. If there are more than `most`, an ellipsis replaces those in the middle. */
function withoutMiddle(parts: readonly (number | string)[], most: number, separator: string): string {
  if (parts.length <= most) return parts.join(separator);
  return [...parts.slice(0, most - 2), "…", parts.at(-1)!].join(separator);
}
