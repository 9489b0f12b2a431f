import { excerpt, GraphError, OptionError } from "../errors.ts";
import { input } from "../graph/leaves.ts";
import { sameShape, type Shape, type Tensor } from "../graph/tensor.ts";
import { drawnFrom, LayerBuilder, requireModelName, resolvedOptions, type Initialization } from "./build.ts";
import { requireCount, requireSeed } from "./checks.ts";
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

/** More axes than any example has. The limit keeps shapes in messages short. */
const MOST_AXES = 16;

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
  return buildModel(layers, options, drawnFrom(options?.seed ?? 1));
}

/** Builds each layer on the output shape of the previous one. */
export function buildModel(layers: readonly Layer[], given: SequentialOptions, initialization: Initialization): Model {
  const { inputShape, seed = 1, name: modelName } = requireParts(layers, given);
  const named = modelName === undefined ? {} : { name: modelName };
  requireShape(inputShape);
  requireModelName("sequential", modelName);
  requireSeed("sequential seed", seed);
  const builder = new LayerBuilder(parameterPrefix(named), initialization);
  const shapes: Shape[] = [inputShape];
  const built = layers.map((layer, index) => {
    const checked = builder.build(layer, {
      index,
      path: String(index),
      inputShape: shapes[index]!,
      nextActivation: layers[index + 1]?.activation,
    });
    // Applies the layer once, so that a faulty custom layer is found here and not when the model is used.
    checked.apply(input("examples", [1, ...shapes[index]!]), evaluation);
    shapes.push(checked.outputShape);
    return checked;
  });
  const applyEach = (x: Tensor, options: ApplyOptions = {}): Tensor[] => {
    requireBatch(x, inputShape);
    let value = x;
    const resolved = resolvedOptions(options, seed);
    return built.map((layer) => {
      value = layer.apply(value, resolved);
      resolved.recordOutput(value);
      return value;
    });
  };
  return {
    parameters: builder.parameters,
    states: builder.states,
    shapes,
    inputShape,
    outputShape: shapes.at(-1)!,
    seed,
    config: { inputShape: [...inputShape], seed, layers: layers.map(({ config }) => config), ...named },
    apply: (x, options) => applyEach(x, options).at(-1)!,
    applyEach,
  };
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
