import { activations } from "../activations.ts";
import type { ConfigValue, LayerConfig } from "../layers/layer.ts";
import { layerTypes } from "../layers/registry.ts";
import { textForms } from "./forms.ts";
import { partialResolver } from "./partial-config.ts";
import { fullText, shortText } from "./values.ts";

/**
 * Writes the layers of a model's config as a text from which `layersFromText` makes the same layers. Options with their
 * default values are omitted.
 * @param configs the layers, such as `model.config.layers`
 * @returns undefined if there is a custom layer or activation
 */
export function layersToText(configs: readonly LayerConfig[]): string | undefined {
  const texts = configs.map(layerToText);
  return texts.includes(undefined) ? undefined : texts.join(", ");
}

function layerToText(config: LayerConfig): string | undefined {
  const { type } = config;
  if (!Object.hasOwn(textForms, type)) return undefined;
  const { word, values, inner, isActivation } = textForms[type]!;
  if (isActivation) return activationText(config[values[0]!]!);
  const { options, fromConfig } = layerTypes[type]!;
  const within = inner === undefined ? "" : innerText(config[inner]!);
  if (within === undefined) return undefined;
  const required = [...values, ...(inner === undefined ? [] : [inner])];
  const own = Object.fromEntries(required.map((name) => [name, config[name]!]));
  const usual = fromConfig({ ...own, type }, partialResolver(type)).config;
  const others = options
    .filter((name) => !required.includes(name) && JSON.stringify(config[name]) !== JSON.stringify(usual[name]))
    .map((name) => optionText(name, config[name]!));
  const parts = [...values.map((name) => fullText(config[name]!)), ...activationFirst(others)];
  if (parts.includes(undefined)) return undefined;
  return [`${word}${within}`, ...parts].join(" ");
}

const activationText = (name: ConfigValue) =>
  typeof name === "string" && Object.hasOwn(activations, name) ? name : undefined;

function innerText(configs: ConfigValue): string | undefined {
  const text = layersToText(configs as readonly LayerConfig[]);
  return text === undefined ? undefined : `(${text})`;
}

/** An activation by its name, another option as name=value. */
function optionText(name: string, value: ConfigValue): string | undefined {
  if (name === "activation") return activationText(value);
  if (!isLayers(value)) return `${name}=${shortText(value)}`;
  const within = innerText(value);
  return within === undefined ? undefined : `${name}=${within}`;
}

const isLayers = (value: ConfigValue): boolean =>
  Array.isArray(value) && value.length > 0 && value.every((part) => typeof part === "object" && "type" in part);

const activationFirst = (parts: readonly (string | undefined)[]) =>
  parts.toSorted((a, b) => Number(a?.includes("=") ?? false) - Number(b?.includes("=") ?? false));
