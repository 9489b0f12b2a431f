import { excerpt, OptionError } from "../../errors.ts";
import { nearest } from "../../nearest.ts";
import { activations, type ActivationName } from "../activations.ts";
import { entryOf } from "../checks.ts";
import type { ConfigResolver, ConfigValue, Layer, LayerConfig } from "../layers/layer.ts";
import { layerTypes } from "../layers/registry.ts";
import { DEEPEST } from "../model-config.ts";

/**
 * Makes built-in layers from configs as in `model.config`, in which options may be absent: they then have the defaults of
 * the functions that make layers.
 * @param where the list, for messages
 * @throws OptionError that names the layer and its option
 */
export function layersFromPartialConfigs(where: string, configs: unknown): Layer[] {
  if (Array.isArray(configs)) return configs.map((config, index) => layerFrom(`${where}, layer ${index}`, config, 0));
  throw new OptionError({
    where,
    what: `${excerpt(configs)} is not a list of layers`,
    fix: 'Give a list such as [{"type": "dense", "units": 10}]',
  });
}

function layerFrom(where: string, config: unknown, depth: number): Layer {
  const { type } = (typeof config === "object" && config !== null ? config : {}) as { readonly type?: unknown };
  if (typeof type !== "string" || !Object.hasOwn(layerTypes, type)) throw notLayer(where, config, type);
  const { options, fromConfig } = layerTypes[type]!;
  const unknown = Object.keys(config as object).find((name) => name !== "type" && !options.includes(name));
  if (unknown !== undefined) throw unknownOption(`${where}, ${type}`, unknown, options);
  try {
    return fromConfig(config as LayerConfig, partialResolver(where, depth));
  } catch (error) {
    if (!(error instanceof OptionError) || error.where?.startsWith(where)) throw error;
    const { what, fix } = error;
    throw new OptionError({ where: `${where}, ${error.where}`, what, fix }, { cause: error });
  }
}

/** Resolves the names and nested configs in a config whose options may be absent. */
export function partialResolver(where: string, depth = 0): ConfigResolver {
  return {
    activation(name = "identity") {
      entryOf("activation", "activation", activations, name);
      return name as ActivationName;
    },
    layer(config: ConfigValue | undefined) {
      if (depth < DEEPEST) return layerFrom(where, config, depth + 1);
      throw new OptionError({ where, what: `it is inside ${DEEPEST} layers`, fix: `Nest at most ${DEEPEST} layers` });
    },
  };
}

/** The refusal of an option that a layer does not have. */
export function unknownOption(where: string, name: string, options: readonly string[]): OptionError {
  const near = nearest(name, options);
  const known = options.length === 0 ? "It has no options" : `Its options are ${options.join(", ")}`;
  return new OptionError({
    where,
    what: `there is no option ${excerpt(name)}`,
    fix: near === undefined ? known : `Did you mean ${near}?`,
  });
}

function notLayer(where: string, config: unknown, type: unknown): OptionError {
  const names = Object.keys(layerTypes);
  if (typeof type !== "string") {
    return new OptionError({
      where,
      what: `${excerpt(config)} is not the config of a layer`,
      fix: 'Give an object such as {"type": "dense", "units": 10}',
    });
  }
  const near = nearest(type, names);
  return new OptionError({
    where,
    what: `unknown layer type ${excerpt(type)}`,
    fix: near === undefined ? `Choose one of ${names.join(", ")}` : `Did you mean ${near}?`,
  });
}
