import { excerpt, GraphError, OptionError } from "../errors.ts";
import { input, parameter, state } from "../graph/leaves.ts";
import { sameShape, sizeOf, type Shape, type Tensor } from "../graph/tensor.ts";
import { Random, randomKey } from "../random.ts";
import { requireCount, requireSeed } from "./checks.ts";
import { checkedLayer } from "./extensions.ts";
import { requireSomeLayers } from "./layers/chain.ts";
import { evaluation, type ApplyOptions, type Layer, type LayerConfig } from "./layers/layer.ts";
import { sequential as sequentialLayer } from "./layers/sequential/index.ts";

/** A model as plain JSON, without the values of its parameters. */
export interface ModelConfig {
  readonly inputShape: readonly number[];
  readonly seed: number;
  readonly layers: readonly LayerConfig[];
  /** Absent if the model has no name. */
  readonly name?: string;
}

/** A function of examples with trainable parameters. */
export interface Model {
  /** The trainable parameters in the order of the layers, named such as `layers.0.weight` or `NAME.layers.0.weight`. */
  readonly parameters: readonly Tensor[];
  /**
   * The values that layers keep and training changes without gradients, such as running statistics, named like
   * parameters. Snapshots and files store them with the parameters.
   */
  readonly states: readonly Tensor[];
  /** The shape of one example of the input and of each layer's output. */
  readonly shapes: readonly Shape[];
  readonly inputShape: Shape;
  readonly outputShape: Shape;
  /** The seed of the initial values, and of dropout if training has no seed of its own. */
  readonly seed: number;
  readonly config: ModelConfig;
  /**
   * Applies the model.
   * @param x float32 [batch, ...inputShape]
   * @returns [batch, ...outputShape]
   * @throws GraphError for another shape
   */
  apply(x: Tensor, options?: ApplyOptions): Tensor;
  /**
   * Applies the model and returns the output of each layer; the last one is the result of `apply`.
   * @param x float32 [batch, ...inputShape]
   * @returns for each layer [batch, ...shape], with the shapes in `shapes`
   * @throws GraphError for another shape
   */
  applyEach(x: Tensor, options?: ApplyOptions): Tensor[];
}

/** All that snapshots and files store of a model: its parameters, then its layers' states. */
export const storedLeaves = ({ parameters, states }: Pick<Model, "parameters" | "states">): readonly Tensor[] => [
  ...parameters,
  ...states,
];

/** The options of `sequential`. */
export interface SequentialOptions {
  /** The shape of one example, such as [28, 28]. */
  readonly inputShape: readonly number[];
  /** A whole number in 0 … 2³²−1; 1 by default. The same seed gives the same initial values. */
  readonly seed?: number;
  /**
   * A prefix of the parameters' names, such as `encoder` in `encoder.layers.0.weight`, so that several models can be
   * used together. Letters, digits, "_" and "-", starting with a letter; not "optimizer". None by default.
   */
  readonly name?: string;
}

/** The prefix of a model's parameter names: empty, or the model's name and a dot. */
export const parameterPrefix = ({ name }: Pick<ModelConfig, "name">): string => (name === undefined ? "" : `${name}.`);

/** The first part of every key, "in" or "dr", which separates the random streams of one seed. */
const INITIAL_STREAM = 0x696e;
const DROPOUT_STREAM = 0x6472;

/** More elements than any device can hold in one buffer. The limit avoids exhausting memory if a width is absurd. */
const LARGEST_PARAMETER = 2 ** 30;

/** More axes than any example has. The limit keeps shapes in messages short. */
const MOST_AXES = 16;

/** The key of a dropout layer's mask: a function of the seed, the step, the layer, and the part of the step's batch. */
export function dropoutKey(seed: number, step: number, layer: number, part = 0): number {
  return randomKey(DROPOUT_STREAM, seed, step, layer, part);
}

/**
 * A model that applies layers one after another. Without options, they become one layer, to be used among other layers.
 *
 * @example
 * ```ts
 * const model = sequential([flatten(), dense(128, { activation: "relu" }), dropout(0.2), dense(10)], {
 *   inputShape: [28, 28],
 *   seed: 1,
 * });
 * ```
 *
 * @throws OptionError for no layers, an invalid shape or name, or a seed outside its range; GraphError if a layer does
 * not accept the shape of its input, or its result differs from its `outputShape`
 */
export function sequential(layers: readonly Layer[], options: SequentialOptions): Model;
export function sequential(layers: readonly Layer[]): Layer;
export function sequential(layers: readonly Layer[], options?: SequentialOptions): Model | Layer {
  if (options === undefined) return sequentialLayer(layers);
  return buildModel(layers, options, (index, position, name, shape, initializer, fans) => {
    if (sizeOf(shape) > LARGEST_PARAMETER) {
      throw new OptionError({
        where: name,
        what: `shape [${shape.join(", ")}] has more than ${LARGEST_PARAMETER} elements`,
        fix: "Use fewer units",
      });
    }
    return initializer(shape, fans, new Random(INITIAL_STREAM, options.seed ?? 1, index, position));
  });
}

type ParameterArguments = Parameters<Parameters<Layer["build"]>[0]["parameter"]>;

/** The initial values of the parameter at a position in a layer; undefined if they are not needed. */
export type InitialValues = (
  index: number,
  position: number,
  ...parameterArguments: ParameterArguments
) => Float32Array | undefined;

/** The initial values of a layer's state. */
export type InitialStates = (name: string, shape: Shape, initial: number) => Float32Array;

const filled: InitialStates = (_name, shape, initial) => new Float32Array(sizeOf(shape)).fill(initial);

/** Builds each layer on the output shape of the previous one. */
export function buildModel(
  layers: readonly Layer[],
  given: SequentialOptions,
  initialValues: InitialValues,
  initialStates: InitialStates = filled,
): Model {
  const { inputShape, seed = 1, name: modelName } = requireParts(layers, given);
  const named = modelName === undefined ? {} : { name: modelName };
  requireShape(inputShape);
  requireModelName(modelName);
  requireSeed("sequential seed", seed);
  const parameters: Tensor[] = [];
  const states: Tensor[] = [];
  const shapes: Shape[] = [inputShape];
  const built = layers.map((layer, index) => {
    let position = 0;
    const result = layer.build({
      index,
      path: String(index),
      inputShape: shapes[index]!,
      nextActivation: layers[index + 1]?.activation,
      parameter(name, shape, initializer, fans) {
        const fullName = `${parameterPrefix(named)}layers.${index}.${name}`;
        requireNewName(fullName, [...parameters, ...states]);
        const made = parameter(fullName, shape, initialValues(index, position++, fullName, shape, initializer, fans));
        parameters.push(made);
        return made;
      },
      state(name, shape, initial) {
        const fullName = `${parameterPrefix(named)}layers.${index}.${name}`;
        requireNewName(fullName, [...parameters, ...states]);
        const made = state(fullName, shape, initialStates(fullName, shape, initial));
        states.push(made);
        return made;
      },
    });
    const checked = checkedLayer(layer, String(index), result);
    // Applies the layer once, so that a faulty custom layer is found here and not when the model is used.
    checked.apply(input("examples", [1, ...shapes[index]!]), evaluation);
    shapes.push(checked.outputShape);
    return checked;
  });
  const applyEach = (x: Tensor, options: ApplyOptions = {}): Tensor[] => {
    const { training = false, precision = "float32" } = options;
    const { dropoutKeyAt = (step, layer) => dropoutKey(seed, step, layer), recordMoments = () => {} } = options;
    requireBatch(x, inputShape);
    let value = x;
    const resolved = { training, dropoutKeyAt, precision, recordMoments };
    return built.map((layer) => (value = layer.apply(value, resolved)));
  };
  return {
    parameters,
    states,
    shapes,
    inputShape,
    outputShape: shapes.at(-1)!,
    seed,
    config: { inputShape: [...inputShape], seed, layers: layers.map(({ config }) => config), ...named },
    apply: (x, options) => applyEach(x, options).at(-1)!,
    applyEach,
  };
}

function requireNewName(name: string, leaves: readonly Tensor[]): void {
  if (leaves.some(({ attributes }) => (attributes as { name: string }).name === name)) {
    throw new OptionError({
      where: name,
      what: "the layer makes two parameters or states with this name",
      fix: "Use different names",
    });
  }
}

/** @throws OptionError for invalid layers or options */
function requireParts(layers: readonly Layer[], options: SequentialOptions): SequentialOptions {
  const where = "sequential";
  requireSomeLayers(where, layers);
  if (typeof options !== "object" || options === null) {
    throw new OptionError({
      where,
      what: `${excerpt(options)} are not options`,
      fix: "Give options such as { inputShape: [784] }",
    });
  }
  return options;
}

function requireModelName(name: unknown): void {
  if (name === undefined || (typeof name === "string" && /^[A-Za-z][\w-]*$/.test(name) && name !== "optimizer")) return;
  throw new OptionError({
    where: "sequential name",
    what: `${excerpt(name)} is not a valid name of a model`,
    fix: 'Give letters, digits, "_" and "-", starting with a letter; not "optimizer"',
  });
}

/** @throws OptionError if it is not the shape of an example */
export function requireShape(shape: unknown): asserts shape is readonly number[] {
  if (!Array.isArray(shape) || shape.length === 0) {
    throw new OptionError({
      where: "inputShape",
      what: `${excerpt(shape)} is not a list of sizes`,
      fix: "Give a list such as [28, 28]",
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
      what: `expected float32[batch, ${inputShape.join(", ")}] but got ${x}`,
      fix: "Reshape the examples, or build the model with their shape",
    });
  }
}
