import { excerpt, OptionError } from "../../errors.ts";
import { randomKey } from "../../random.ts";
import { checkedLayer } from "../extensions.ts";
import type { BuiltLayer, ConfigResolver, ConfigValue, Layer, LayerConfig, LayerContext } from "./layer.ts";

/**
 * Requires a list of layers.
 * @param where the owner of the list, for messages
 * @throws OptionError
 */
export function requireLayers(where: string, layers: readonly Layer[]): void {
  if (!Array.isArray(layers)) {
    const what = `${excerpt(layers)} is not a list of layers`;
    throw new OptionError({ where, what, fix: "Give a list such as [dense(10)]" });
  }
  const wrong = layers.findIndex(
    (layer: Partial<Layer> | null | undefined) =>
      typeof layer?.build !== "function" || typeof layer.config?.type !== "string",
  );
  if (wrong >= 0) {
    const what = `layer ${wrong} is ${excerpt(layers[wrong])}, which is not a layer`;
    throw new OptionError({ where, what, fix: "Give a layer that a function such as dense() returned" });
  }
}

/** Like `requireLayers`, for a list that must not be empty. */
export function requireSomeLayers(where: string, layers: readonly Layer[]): void {
  requireLayers(where, layers);
  if (layers.length > 0) return;
  throw new OptionError({ where, what: "there are no layers", fix: "Give at least one layer" });
}

/** The configs of layers, as an option in the config of the layer that contains them. */
export const configsOf = (layers: readonly Layer[]): readonly LayerConfig[] => layers.map(({ config }) => config);

interface ChainOptions {
  /** The context of the layer that contains the chain. */
  readonly context: LayerContext;
  /** Precedes the positions in the path, such as "projection."; for a layer with several chains. */
  readonly prefix?: string;
  /** The number of layers in the chains before this one. */
  readonly first?: number;
}

/** Builds the layers inside another layer, each on the output shape of the one before it. */
export function buildChain(layers: readonly Layer[], { context, prefix = "", first = 0 }: ChainOptions): BuiltLayer {
  let shape = context.inputShape;
  const built = layers.map((layer, position) => {
    const path = `${context.path}.${prefix}${position}`;
    const result = layer.build({
      index: randomKey(context.index, first + position),
      path,
      inputShape: shape,
      nextActivation:
        layers[position + 1]?.activation ?? (position === layers.length - 1 ? context.nextActivation : undefined),
      parameter: (name, ...rest) => context.parameter(`${prefix}${position}.${name}`, ...rest),
      state: (name, ...rest) => context.state(`${prefix}${position}.${name}`, ...rest),
    });
    const checked = checkedLayer(layer, path, result);
    shape = checked.outputShape;
    return checked;
  });
  return {
    outputShape: shape,
    apply: (x, options) => built.reduce((value, layer) => layer.apply(value, options), x),
  };
}

/**
 * The layers of a list of configs in another layer's config.
 * @param where the option, for messages
 * @throws OptionError
 */
export function layersFrom(where: string, configs: ConfigValue | undefined, resolver: ConfigResolver): Layer[] {
  if (Array.isArray(configs)) return configs.map((config: ConfigValue) => resolver.layer(config));
  throw new OptionError({ where, what: `${excerpt(configs)} is not a list`, fix: "Give the value of model.config" });
}
