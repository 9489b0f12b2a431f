import { excerpt, GraphError, OptionError } from "../errors.ts";
import { input, parameter } from "../graph/leaves.ts";
import { sameShape, sizeOf, type Shape, type Tensor } from "../graph/tensor.ts";
import { Random, randomKey } from "../random.ts";
import { activations as knownActivations } from "./activations.ts";
import { requireCount, requireSeed } from "./checks.ts";
import { activationNamed, checkedLayer, type ModelExtensions } from "./extensions.ts";
import { activation, dense, dropout, flatten, type ApplyOptions, type Layer, type LayerConfig } from "./layers.ts";

/** A model as plain JSON: everything but its parameters' values. */
export interface ModelConfig {
  readonly inputShape: readonly number[];
  readonly seed: number;
  readonly layers: readonly LayerConfig[];
  /** Absent where the model has no name. */
  readonly name?: string;
}

/** A function of examples with parameters. */
export interface Model {
  /** What training changes, named such as `layers.0.weight` or `NAME.layers.0.weight`, in the order of the layers. */
  readonly parameters: readonly Tensor[];
  /** The shape of one example, of what each layer makes of it, and so of one output. */
  readonly shapes: readonly Shape[];
  readonly inputShape: Shape;
  readonly outputShape: Shape;
  /** Names the random streams of the initial values and, where training names no other, of dropout. */
  readonly seed: number;
  readonly config: ModelConfig;
  /**
   * @param x float32 [batch, ...inputShape]
   * @returns [batch, ...outputShape]
   * @throws GraphError for another shape
   */
  apply(x: Tensor, options?: ApplyOptions): Tensor;
  /**
   * What each layer makes of the examples, to look inside; the last is what `apply` gives.
   * @param x float32 [batch, ...inputShape]
   * @returns for each layer [batch, ...its entry in `shapes`]
   * @throws GraphError for another shape
   */
  applyEach(x: Tensor, options?: ApplyOptions): Tensor[];
}

/** What a model takes, and from which random numbers it starts. */
export interface SequentialOptions {
  /** The shape of one example, such as [28, 28]. */
  readonly inputShape: readonly number[];
  /** A whole number in 0 … 2³²−1; 1 by default. The same seed gives the same initial values. */
  readonly seed?: number;
  /**
   * Begins the names of the parameters, so that several models can be used together: `encoder.layers.0.weight`. Letters,
   * digits, "_" and "-", beginning with a letter; not "optimizer". None by default.
   */
  readonly name?: string;
}

/** Before the names of a model's parameters: nothing, or the model's name and a dot. */
export const parameterPrefix = ({ name }: Pick<ModelConfig, "name">): string => (name === undefined ? "" : `${name}.`);

/** The first part of every key, so that one seed gives unrelated streams for different purposes: "in" and "dr". */
const INITIAL_STREAM = 0x696e;
const DROPOUT_STREAM = 0x6472;

/** More float32 values than any device holds in one buffer; it keeps a nonsense width from exhausting the memory. */
const LARGEST_PARAMETER = 2 ** 30;

/** More than any examples have; it keeps the shapes in messages short. */
const MOST_AXES = 16;

/** The key of a dropout layer's mask: a function of the seed, the step, the layer, and the part of a step's batch. */
export function dropoutKey(seed: number, step: number, layer: number, part = 0): number {
  return randomKey(DROPOUT_STREAM, seed, step, layer, part);
}

/**
 * Layers applied one after the other.
 * @throws OptionError for no layers, a shape that is none, a seed outside its range, or a name that is none; GraphError
 * where a layer cannot take the shape that reaches it, or makes another one than it says
 */
export function sequential(layers: readonly Layer[], options: SequentialOptions): Model {
  return buildModel(layers, options, (index, position, name, shape, initializer, fans) => {
    if (sizeOf(shape) > LARGEST_PARAMETER) {
      throw new OptionError({
        where: name,
        what: `shape [${shape.join(", ")}] holds more than ${LARGEST_PARAMETER} values`,
        fix: "Use fewer units",
      });
    }
    return initializer(shape, fans, new Random(INITIAL_STREAM, options.seed ?? 1, index, position));
  });
}

type ParameterArguments = Parameters<Parameters<Layer["build"]>[0]["parameter"]>;
type InitialValues = (index: number, position: number, ...parameterArguments: ParameterArguments) => Float32Array | undefined;

function buildModel(layers: readonly Layer[], given: SequentialOptions, initialValues: InitialValues): Model {
  const { inputShape, seed = 1, name: modelName } = requireParts(layers, given);
  const named = modelName === undefined ? {} : { name: modelName };
  requireShape(inputShape);
  requireModelName(modelName);
  requireSeed("sequential seed", seed);
  if (layers.length === 0) {
    throw new OptionError({ where: "sequential", what: "there are no layers", fix: "Give at least one" });
  }
  const parameters: Tensor[] = [];
  const shapes: Shape[] = [inputShape];
  const built = layers.map((layer, index) => {
    let position = 0;
    const result = layer.build({
      index,
      inputShape: shapes[index]!,
      nextActivation: activationOf(layers[index + 1]),
      parameter(name, shape, initializer, fans) {
        const fullName = `${parameterPrefix(named)}layers.${index}.${name}`;
        requireNewName(fullName, parameters);
        const made = parameter(fullName, shape, initialValues(index, position++, fullName, shape, initializer, fans));
        parameters.push(made);
        return made;
      },
    });
    const checked = checkedLayer(layer, index, result);
    // A wrong layer is found here, and not first where the model is used.
    checked.apply(input("examples", [1, ...shapes[index]!]), { training: false, precision: "float32", dropoutKeyAt: () => 0 });
    shapes.push(checked.outputShape);
    return checked;
  });
  const applyEach = (x: Tensor, options: ApplyOptions = {}): Tensor[] => {
    const { training = false, precision = "float32" } = options;
    const { dropoutKeyAt = (step, layer) => dropoutKey(seed, step, layer) } = options;
    requireBatch(x, inputShape);
    let value = x;
    return built.map((layer) => (value = layer.apply(value, { training, dropoutKeyAt, precision })));
  };
  return {
    parameters,
    shapes,
    inputShape,
    outputShape: shapes.at(-1)!,
    seed,
    config: { inputShape: [...inputShape], seed, layers: layers.map(({ config }) => config), ...named },
    apply: (x, options) => applyEach(x, options).at(-1)!,
    applyEach,
  };
}

function activationOf(layer: Layer | undefined): string | undefined {
  return layer?.config.type === "activation" ? String(layer.config["name"]) : undefined;
}

function requireNewName(name: string, parameters: readonly Tensor[]): void {
  if (parameters.some(({ attributes }) => (attributes as { name: string }).name === name)) {
    throw new OptionError({ where: name, what: "the layer makes two parameters of this name", fix: "Name each otherwise" });
  }
}

/** @throws OptionError for layers or options that are none */
function requireParts(layers: readonly Layer[], options: SequentialOptions): SequentialOptions {
  const where = "sequential";
  if (!Array.isArray(layers)) {
    throw new OptionError({ where, what: `${excerpt(layers)} is no list of layers`, fix: "Give one such as [dense(10)]" });
  }
  const wrong = layers.findIndex(
    (layer: Partial<Layer> | null | undefined) => typeof layer?.build !== "function" || typeof layer.config?.type !== "string",
  );
  if (wrong >= 0) {
    const what = `layer ${wrong} is ${excerpt(layers[wrong])}, which is no layer`;
    throw new OptionError({ where, what, fix: "Give what dense(), activation(), flatten() or dropout() returns" });
  }
  if (typeof options !== "object" || options === null) {
    throw new OptionError({ where, what: `${excerpt(options)} are no options`, fix: "Give { inputShape: [784] }" });
  }
  return options;
}

function requireModelName(name: unknown): void {
  if (name === undefined || (typeof name === "string" && /^[A-Za-z][\w-]*$/.test(name) && name !== "optimizer")) return;
  throw new OptionError({
    where: "sequential name",
    what: `${excerpt(name)} is no name of a model`,
    fix: 'Give letters, digits, "_" and "-", beginning with a letter, and not "optimizer"',
  });
}

function requireShape(shape: unknown): asserts shape is readonly number[] {
  if (!Array.isArray(shape) || shape.length === 0) {
    throw new OptionError({
      where: "inputShape",
      what: `${excerpt(shape)} is no list of sizes`,
      fix: "Give one such as [28, 28]",
    });
  }
  if (shape.length > MOST_AXES) {
    throw new OptionError({ where: "inputShape", what: `there are ${shape.length} axes`, fix: `Give at most ${MOST_AXES}` });
  }
  for (const size of shape) requireCount("inputShape", size);
}

function requireBatch(x: Tensor, inputShape: Shape): void {
  if (x.dtype !== "float32" || !sameShape(x.shape.slice(1), inputShape) || x.shape.length === 0) {
    throw new GraphError({
      where: "model",
      what: `takes float32[batch, ${inputShape.join(", ")}] but was given ${x}`,
      fix: "Reshape the examples or build the model with their shape",
    });
  }
}

const notConfig = "Give what model.config was";
const otherValues = "Give the values that were saved with this config";

/** How a layer of wgrad's own is made again of the options in its config. */
interface LayerType {
  readonly options: readonly string[];
  make(config: LayerConfig, extensions: ModelExtensions): Layer;
}

const layerTypes: Readonly<Record<string, LayerType>> = {
  dense: {
    options: ["units", "activation", "bias"],
    make: ({ units, activation: name, bias }, { activations }) =>
      dense(units as number, { activation: activationNamed(name, activations), bias: bias as boolean }),
  },
  activation: { options: ["name"], make: ({ name }, { activations }) => activation(activationNamed(name, activations)) },
  flatten: { options: [], make: flatten },
  dropout: { options: ["rate"], make: ({ rate }) => dropout(rate as number) },
};

/**
 * The model that a config describes, as read from a file.
 * @param config what `model.config` was; anything else is refused
 * @param values the parameters' values by name, row-major; if absent, the initial values are drawn by the defaults
 * (initializers are no part of a config)
 * @param extensions what layers and activations of one's own are, where the model has any
 * @throws OptionError naming the layer and option at fault, or the parameter whose values are missing, too many or
 * of another length
 */
export function modelFromConfig(
  config: unknown,
  values?: Readonly<Record<string, ArrayLike<number>>>,
  extensions: ModelExtensions = {},
): Model {
  const where = "model config";
  const { made, options } = partsOfConfig(config, extensions);
  if (!values) return sequential(made, options);
  const model = buildModel(made, options, (_index, _position, name, shape) => {
    const found = Object.hasOwn(values, name) ? values[name]! : undefined;
    if (found?.length !== sizeOf(shape)) {
      const wanted = `shape [${shape.join(", ")}], which holds ${sizeOf(shape)}`;
      const what = found ? `${found.length} values for ${wanted}` : "the values of this parameter are missing";
      throw new OptionError({ where: name, what, fix: otherValues });
    }
    // The parameter makes a copy of its own.
    return found instanceof Float32Array ? found : Float32Array.from(found);
  });
  const known = new Set(model.parameters.map(({ attributes }) => (attributes as { name: string }).name));
  const extra = Object.keys(values).find((name) => !known.has(name));
  if (extra !== undefined) {
    throw new OptionError({ where, what: `the model has no parameter ${excerpt(extra)}`, fix: otherValues });
  }
  return model;
}

function partsOfConfig(config: unknown, extensions: ModelExtensions): { made: Layer[]; options: SequentialOptions } {
  const where = "model config";
  const { name, ...rest } = requireObject(where, config);
  const { inputShape, seed, layers } = requireObject(where, rest, ["inputShape", "seed", "layers"]);
  if (!Array.isArray(layers)) {
    throw new OptionError({ where, what: `layers is ${excerpt(layers)}, not a list`, fix: notConfig });
  }
  requireShape(inputShape);
  const made = layers.map((layer, index) => layerFromConfig(`${where}, layer ${index}`, layer, extensions));
  return { made, options: { inputShape, seed: seed as number, name: name as string | undefined } };
}

/**
 * The parameters that `modelFromConfig` will ask values for, without values of their own.
 * @returns undefined where the config has layers that are not wgrad's own
 * @throws OptionError, as `modelFromConfig` does
 */
export function parametersOfConfig(config: ModelConfig): readonly Tensor[] | undefined {
  if (config.layers.some(({ type }) => !Object.hasOwn(layerTypes, type))) return undefined;
  const named = config.layers.flatMap(({ activation: ofDense, name }) => [ofDense, name]);
  const own = named.filter((name) => typeof name === "string" && !Object.hasOwn(knownActivations, name)) as string[];
  // What an activation computes says nothing about the parameters.
  const { made, options } = partsOfConfig(config, { activations: own.map((name) => ({ name, apply: (x) => x })) });
  return buildModel(made, options, () => undefined).parameters;
}

function layerFromConfig(where: string, config: unknown, extensions: ModelExtensions): Layer {
  const { options, make } = layerTypeOf(where, requireObject(where, config)["type"], extensions);
  const checked = requireObject(where, config, options && ["type", ...options]) as LayerConfig;
  try {
    return make(checked, extensions);
  } catch (error) {
    if (!(error instanceof OptionError)) throw error;
    const { what, fix } = error;
    throw new OptionError({ where: `${where}, ${error.where}`, what, fix }, { cause: error });
  }
}

function layerTypeOf(where: string, type: unknown, { layers = {} }: ModelExtensions): Partial<LayerType> & Pick<LayerType, "make"> {
  const clash = Object.keys(layers).find((name) => Object.hasOwn(layerTypes, name));
  if (clash !== undefined) {
    throw new OptionError({ where: "layers", what: `"${clash}" is a layer type of wgrad's own`, fix: "Name yours otherwise" });
  }
  if (typeof type === "string" && Object.hasOwn(layers, type)) return { make: layers[type]! };
  if (typeof type === "string" && Object.hasOwn(layerTypes, type)) return layerTypes[type]!;
  throw new OptionError({
    where,
    what: `there is no layer type ${excerpt(type)}, unless you give your own as { layers: { ${excerpt(type)}: … } }`,
    fix: `Choose one of ${Object.keys(layerTypes).join(", ")}`,
  });
}

/** Checks that a value read from JSON is an object with exactly these fields, or with any if none are named. */
function requireObject(where: string, value: unknown, fields?: readonly string[]): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new OptionError({ where, what: `${excerpt(value)} is no object`, fix: notConfig });
  }
  const found = Object.keys(value);
  const missing = fields?.find((field) => !found.includes(field));
  const unknown = fields && found.find((field) => !fields.includes(field));
  if (missing !== undefined || unknown !== undefined) {
    throw new OptionError({
      where,
      what: missing === undefined ? `there is no option ${excerpt(unknown)}` : `"${missing}" is missing`,
      fix: `Give exactly ${fields!.join(", ")}`,
    });
  }
  return value as Record<string, unknown>;
}
