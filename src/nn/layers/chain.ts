import { excerpt, OptionError } from "../../errors.ts";
import { randomKey } from "../../random.ts";
import { checkedLayer } from "../extensions.ts";
import type { Shape } from "../../graph/tensor.ts";
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

/** A layer inside another one. */
interface InnerPlace {
  /** Distinguishes the layer from others inside the same one: follows a dot in its path and its parameters' names. */
  readonly name: string;
  /** The position among all layers inside the same one, which distinguishes their random numbers. */
  readonly position: number;
  readonly inputShape: Shape;
  /** That of the next layer; none by default. */
  readonly nextActivation?: string | undefined;
}

/**
 * Builds a layer inside another layer.
 * @param context that of the containing layer
 */
export function buildInner(layer: Layer, context: LayerContext, place: InnerPlace): BuiltLayer {
  const { name, position, inputShape, nextActivation } = place;
  const path = `${context.path}.${name}`;
  const result = layer.build({
    index: randomKey(context.index, position),
    path,
    inputShape,
    nextActivation,
    parameter: (own, ...rest) => context.parameter(`${name}.${own}`, ...rest),
    state: (own, ...rest) => context.state(`${name}.${own}`, ...rest),
  });
  return checkedLayer(layer, path, result);
}

/** Builds the layers inside another layer, each on the output shape of the one before it. */
export function buildChain(layers: readonly Layer[], { context, prefix = "", first = 0 }: ChainOptions): BuiltLayer {
  let shape = context.inputShape;
  const built = layers.map((layer, position) => {
    const isLast = position === layers.length - 1;
    const inner = buildInner(layer, context, {
      name: `${prefix}${position}`,
      position: first + position,
      inputShape: shape,
      nextActivation: layers[position + 1]?.activation ?? (isLast ? context.nextActivation : undefined),
    });
    shape = inner.outputShape;
    return inner;
  });
  return {
    outputShape: shape,
    apply: (x, options) =>
      built.reduce((value, layer) => {
        const output = layer.apply(value, options);
        options.recordOutput(output);
        return output;
      }, x),
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
