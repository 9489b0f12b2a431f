import { excerpt, OptionError } from "../errors.ts";
import { parameter, state } from "../graph/leaves.ts";
import type { Shape, Tensor } from "../graph/tensor.ts";
import { activations } from "./activations.ts";
import { uninitialized } from "./build.ts";
import { activationNamed, type ModelExtensions } from "./extensions.ts";
import { functionalFromConfig, isFunctionalConfig } from "./functional-config.ts";
import type { AnyModel, FunctionalModel, ModelFunction } from "./functional.ts";
import { initializedWith, requireNoOthers, type GivenValues } from "./given-values.ts";
import type { ConfigResolver, ConfigValue, Layer, LayerConfig } from "./layers/layer.ts";
import { layerTypes } from "./layers/registry.ts";
import {
  buildModel,
  requireShape,
  sequential,
  type Model,
  type ModelConfig,
  type SequentialOptions,
} from "./sequential.ts";

const notConfig = "Give the value of model.config";

/** What `modelFromConfig` needs for a functional model. */
export interface FunctionalExtensions<Input extends string = string, Output extends string = string> {
  /** The function of the model, which a config does not contain. It must use the layers of the config. */
  readonly modelFunction: ModelFunction<Input, Output>;
}

/**
 * Makes a model from a config, for example one that was read from a file.
 * @param config the value of `model.config`; anything else is refused
 * @param values the values of the parameters and states by name, row-major; if absent, initial values are drawn with the default
 * initializers, since initializers are not part of a config. A functional model keeps the initializers of its layers
 * @param extensions the model's custom layers and activations; for a functional model, its function
 * @throws OptionError that names the layer and option, or the parameter whose values are missing, unknown or of another
 * length
 */
export function modelFromConfig(config: unknown, values?: GivenValues, extensions?: ModelExtensions): Model;
export function modelFromConfig<Input extends string, Output extends string>(
  config: unknown,
  values: GivenValues | undefined,
  extensions: FunctionalExtensions<Input, Output>,
): FunctionalModel<Input, Output>;
export function modelFromConfig(
  config: unknown,
  values?: GivenValues,
  extensions: ModelExtensions | FunctionalExtensions = {},
): AnyModel {
  if ("modelFunction" in extensions) return functionalFromConfig(config, extensions.modelFunction, values);
  if (isFunctionalConfig(config)) {
    const what = "a functional model is made by a function, which its config does not contain";
    throw new OptionError({
      where: "model config",
      what,
      fix: "Give { modelFunction } with the function of the model",
    });
  }
  const { made, options } = partsOfConfig(config, resolverOf(extensions));
  if (!values) return sequential(made, options);
  const model = buildModel(made, options, initializedWith(values));
  requireNoOthers(model, values);
  return model;
}

/** Resolves names and nested configs among the built-in and the custom layers. */
function resolverOf(
  extensions: ModelExtensions,
  options: Partial<Pick<Resolver, "activation">> = {},
  depth = 0,
): Resolver {
  const where = "nested layer";
  return {
    layers: extensions.layers ?? {},
    activation: (name) => activationNamed(name, extensions.activations),
    ...options,
    layer(config) {
      if (depth < DEEPEST) return layerFromConfig(where, config, resolverOf(extensions, options, depth + 1));
      throw new OptionError({ where, what: `it is inside ${DEEPEST} layers`, fix: `Nest at most ${DEEPEST} layers` });
    },
  };
}

/** Layers inside layers. The limit keeps a damaged file from exhausting the stack. */
export const DEEPEST = 32;

interface Resolver extends ConfigResolver {
  readonly layers: NonNullable<ModelExtensions["layers"]>;
}

function partsOfConfig(config: unknown, resolver: Resolver): { made: Layer[]; options: SequentialOptions } {
  const where = "model config";
  const { name, ...rest } = requireObject(where, config);
  const { inputShape, seed, layers } = requireObject(where, rest, ["inputShape", "seed", "layers"]);
  if (!Array.isArray(layers)) {
    throw new OptionError({ where, what: `layers is ${excerpt(layers)}, not a list`, fix: notConfig });
  }
  requireShape(inputShape);
  const made = layers.map((layer, index) => layerFromConfig(`${where}, layer ${index}`, layer, resolver));
  return { made, options: { inputShape, seed: seed as number, ...(name !== undefined && { name: name as string }) } };
}

/**
 * The parameters and states for which `modelFromConfig` needs values, without initial values.
 * @returns undefined if the config has custom layers
 * @throws OptionError, as `modelFromConfig` does
 */
export function parametersOfConfig(config: ModelConfig): readonly Tensor[] | undefined {
  if (hasCustomLayer(config.layers)) return undefined;
  const { made, options } = partsOfConfig(config, resolverOf({}, { activation: anyActivation }));
  const { parameters, states } = buildModel(made, options, uninitialized);
  return [...parameters, ...states];
}

/**
 * The shapes of one example of the input of each layer, and of the last one's output, for built-in layers inside another
 * layer.
 * @param configs the configs in a checked config
 * @throws OptionError for a custom layer
 */
export function shapesOfLayers(configs: ConfigValue | undefined, inputShape: Shape): Shape[] {
  const resolver = resolverOf({}, { activation: anyActivation });
  const shapes = [inputShape];
  (configs as readonly LayerConfig[]).forEach((config, index) => {
    const { outputShape } = resolver.layer(config).build({
      index,
      path: String(index),
      inputShape: shapes[index]!,
      nextActivation: undefined,
      parameter: (name, shape) => parameter(name, shape),
      state: (name, shape) => state(name, shape),
    });
    shapes.push(outputShape);
  });
  return shapes;
}

/**
 * The shapes of a model by its config, without its values.
 * @throws OptionError or GraphError, as `modelFromConfig` does
 */
export function shapesOfConfig(config: unknown): readonly Shape[] {
  const { made, options } = partsOfConfig(config, resolverOf({}));
  return buildModel(made, options, uninitialized).shapes;
}

/** Whether there is a custom layer among configs, or in the configs of layers inside them. */
function hasCustomLayer(configs: readonly ConfigValue[]): boolean {
  return configs.some((config) => {
    if (Array.isArray(config)) return hasCustomLayer(config as readonly ConfigValue[]);
    if (typeof config !== "object") return false;
    const { type } = config as LayerConfig;
    return !Object.hasOwn(layerTypes, type) || hasCustomLayer(Object.values(config));
  });
}

/** Accepts any name: activations do not affect the parameters. */
const anyActivation = (name: ConfigValue | undefined) =>
  typeof name === "string" && !Object.hasOwn(activations, name)
    ? { name, apply: (x: Tensor) => x }
    : activationNamed(name);

function layerFromConfig(where: string, config: unknown, resolver: Resolver): Layer {
  const { options, optional, fromConfig } = layerTypeOf(where, requireObject(where, config)["type"], resolver);
  const checked = requireObject(where, config, options && ["type", ...options], optional) as LayerConfig;
  try {
    return fromConfig(checked, resolver);
  } catch (error) {
    if (!(error instanceof OptionError)) throw error;
    const { what, fix } = error;
    // Of layers inside layers, the message names the outer one and the option of the inner one.
    const path = error.where?.startsWith(where) ? error.where : `${where}, ${error.where}`;
    throw new OptionError({ where: path, what, fix }, { cause: error });
  }
}

/** Makes a layer of a type. The options of a custom type are unknown. */
interface LayerMaker {
  readonly options?: readonly string[];
  readonly optional?: readonly string[];
  fromConfig(config: LayerConfig, resolver: ConfigResolver): Layer;
}

function layerTypeOf(where: string, type: unknown, { layers }: Resolver): LayerMaker {
  const clash = Object.keys(layers).find((name) => Object.hasOwn(layerTypes, name));
  if (clash !== undefined) {
    throw new OptionError({
      where: "layers",
      what: `"${clash}" is a built-in layer type`,
      fix: "Choose another name",
    });
  }
  if (typeof type === "string" && Object.hasOwn(layers, type)) return { fromConfig: layers[type]! };
  if (typeof type === "string" && Object.hasOwn(layerTypes, type)) return layerTypes[type]!;
  const what = `unknown layer type ${excerpt(type)}`;
  throw new OptionError({
    where,
    what:
      typeof type === "string" ? `${what}. A custom one must be given as { layers: { ${excerpt(type)}: … } }` : what,
    fix: `Choose one of ${Object.keys(layerTypes).join(", ")}`,
  });
}

/**
 * Checks that a value read from JSON is an object with exactly these fields, or with any fields if none are given.
 * @param optional those of the fields that it may lack
 */
function requireObject(
  where: string,
  value: unknown,
  fields?: readonly string[],
  optional: readonly string[] = [],
): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new OptionError({ where, what: `${excerpt(value)} is not an object`, fix: notConfig });
  }
  const found = Object.keys(value);
  const missing = fields?.find((field) => !found.includes(field) && !optional.includes(field));
  const unknown = fields && found.find((field) => !fields.includes(field));
  if (missing !== undefined || unknown !== undefined) {
    throw new OptionError({
      where,
      what: missing === undefined ? `unknown option ${excerpt(unknown)}` : `"${missing}" is missing`,
      fix: `Give exactly ${fields!.join(", ")}`,
    });
  }
  return value as Record<string, unknown>;
}
