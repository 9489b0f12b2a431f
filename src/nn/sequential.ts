import { excerpt, GraphError, OptionError } from "../errors.ts";
import { input, parameter } from "../graph/leaves.ts";
import { sameShape, sizeOf, type Shape, type Tensor } from "../graph/tensor.ts";
import { Random, randomKey } from "../random.ts";
import { requireCount, requireSeed } from "./checks.ts";
import { checkedLayer } from "./extensions.ts";
import type { ApplyOptions, Layer, LayerConfig } from "./layers/layer.ts";

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

/** The initial values of the parameter at a position in the layer of an index; undefined where none are needed. */
export type InitialValues = (
  index: number,
  position: number,
  ...parameterArguments: ParameterArguments
) => Float32Array | undefined;

/** Builds each layer on the shape that the one before gives. */
export function buildModel(layers: readonly Layer[], given: SequentialOptions, initialValues: InitialValues): Model {
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
      nextActivation: layers[index + 1]?.activation,
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
    checked.apply(input("examples", [1, ...shapes[index]!]), {
      training: false,
      precision: "float32",
      dropoutKeyAt: () => 0,
    });
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

function requireNewName(name: string, parameters: readonly Tensor[]): void {
  if (parameters.some(({ attributes }) => (attributes as { name: string }).name === name)) {
    throw new OptionError({
      where: name,
      what: "the layer makes two parameters of this name",
      fix: "Name each otherwise",
    });
  }
}

/** @throws OptionError for layers or options that are none */
function requireParts(layers: readonly Layer[], options: SequentialOptions): SequentialOptions {
  const where = "sequential";
  if (!Array.isArray(layers)) {
    throw new OptionError({
      where,
      what: `${excerpt(layers)} is no list of layers`,
      fix: "Give one such as [dense(10)]",
    });
  }
  const wrong = layers.findIndex(
    (layer: Partial<Layer> | null | undefined) =>
      typeof layer?.build !== "function" || typeof layer.config?.type !== "string",
  );
  if (wrong >= 0) {
    const what = `layer ${wrong} is ${excerpt(layers[wrong])}, which is no layer`;
    throw new OptionError({ where, what, fix: "Give what a function such as dense() returns" });
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

/** @throws OptionError for what is no shape of an example */
export function requireShape(shape: unknown): asserts shape is readonly number[] {
  if (!Array.isArray(shape) || shape.length === 0) {
    throw new OptionError({
      where: "inputShape",
      what: `${excerpt(shape)} is no list of sizes`,
      fix: "Give one such as [28, 28]",
    });
  }
  if (shape.length > MOST_AXES) {
    throw new OptionError({
      where: "inputShape",
      what: `there are ${shape.length} axes`,
      fix: `Give at most ${MOST_AXES}`,
    });
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
