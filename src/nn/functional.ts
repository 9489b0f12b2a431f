/*
 * Free-form models: a function of named inputs to named outputs that uses layers, so that branches, skip connections,
 * shared layers and several inputs are written as they are drawn.
 */
import { excerpt, GraphError, OptionError } from "../errors.ts";
import { input } from "../graph/leaves.ts";
import { requireTensor, sameShape, type DType, type Shape, type Tensor } from "../graph/tensor.ts";
import { drawnFrom, isName, LayerBuilder, requireModelName, resolvedOptions, type Initialization } from "./build.ts";
import { isRecord, requireCount, requireSeed } from "./checks.ts";
import type { Precision } from "../precisions.ts";
import { LayerUses } from "./layer-uses.ts";
import type { ApplyOptions, Layer, LayerConfig, RecurrentLayer, RecurrentState } from "./layers/layer.ts";
import type { RecurrentResult } from "../ops/recurrent/index.ts";
import { parameterPrefix, type Model } from "./sequential.ts";

/** The type of an input: float32, or uint32 for indices, such as those of an embedding. */
export type InputType = Exclude<DType, "uint8">;

/** An input of a functional model: the shape of one example, with float32 values or the given type. */
export type InputDescription = Shape | { readonly shape: Shape; readonly dtype: InputType };

/** Tensors by name. */
export type NamedTensors<Name extends string = string> = Readonly<Record<Name, Tensor>>;

/** The options of a use of a layer. */
export interface UseOptions {
  /**
   * Names the layer's parameters, `layers.NAME.…`; by default the layer's position among the layers used, from 0. Letters,
   * digits, "_" and "-", starting with a letter. Not needed for later uses.
   */
  readonly name?: string;
  /**
   * Which positions are valid, for a layer with attention: float32 [batch, length], not 0 where they are. No position
   * attends to one that is not valid, such as padding; a position that may attend to none gets zeros from the attention.
   * All positions are valid by default.
   */
  readonly mask?: Tensor;
  /**
   * Another sequence that the attention of the layer reads, float32 [batch, any length, width]: its keys and values are made
   * of this one, and its queries of x. The positions of `mask` are then those of this sequence. By default, x is read.
   */
  readonly memory?: Tensor;
  /**
   * The state from which a recurrent layer starts: `{ h }` for `layers.gru`, `{ h, c }` for `layers.lstm`. Each is float32
   * [batch, units], or with `bidirectional` [batch, 2 · units], first of the forward direction, then of the backward one. Zeros by
   * default.
   */
  readonly state?: RecurrentState;
}

/** The options of a use of a recurrent layer that returns its state. */
export interface StateUseOptions<State extends RecurrentState> extends UseOptions {
  readonly state?: State;
}

/** What the function of a functional model gets besides its inputs. */
export interface FunctionContext {
  /** Whether the model is applied for training, with dropout and noise. */
  readonly training: boolean;
  /** The precision of matrix products, for those that the function computes without a layer. See `matmul`. */
  readonly precision: Precision;
  /**
   * Applies a layer. Its parameters are made at its first use and shared by all uses of the same layer object. Each use
   * of a layer with dropout or noise draws other random numbers.
   * @param x [batch, ...shape]; examples may have another shape at each use if the parameters have the same shapes for it
   * @param options the name of the layer, or its name, a mask, and a sequence to read
   * @throws OptionError for an invalid name, or the name of another layer; GraphError if the layer's
   * parameters do not fit x, for a mask, memory or state of another shape, for a layer without attention that gets a mask or memory,
   * and for a layer that is not recurrent and gets a state
   */
  use(layer: Layer, x: Tensor, options?: string | UseOptions): Tensor;
  /**
   * As `use`, for `layers.gru` and `layers.lstm`: returns also the state after the step that is read last, in the form of the option
   * `state`. It may start another layer, such as a decoder, or be an output of the model.
   * @throws OptionError and GraphError, as `use` does, also for another layer
   */
  useWithState<State extends RecurrentState>(
    layer: RecurrentLayer<State>,
    x: Tensor,
    options?: string | StateUseOptions<State>,
  ): RecurrentResult<State>;
  /**
   * A key of random numbers, a uint32 scalar for ops such as `randomNormal`. It differs for each step, and for each call
   * of this function within a step.
   */
  randomKey(): Tensor;
}

/**
 * Computes the outputs for a batch of examples: float32 [batch, ...shape] each. It must use the same layers in the same
 * order at every call. It may make them itself: the first layers of two calls are the same layer, and so on.
 */
export type ModelFunction<Input extends string = string, Output extends string = string> = (
  inputs: NamedTensors<Input>,
  context: FunctionContext,
) => NamedTensors<Output>;

/** A functional model as plain JSON, without its function and the values of its parameters. */
export interface FunctionalConfig {
  readonly type: "functional";
  readonly inputs: Readonly<Record<string, { readonly shape: Shape; readonly dtype: InputType }>>;
  readonly seed: number;
  /** The layers in the order of their first uses, by the names of their uses. */
  readonly layers: Readonly<Record<string, LayerConfig>>;
  /** Absent if the model has no name. */
  readonly name?: string;
}

/** One use of a layer when a functional model is applied. */
export interface LayerUse {
  /** The name of the layer in `config.layers`. */
  readonly name: string;
  readonly input: Tensor;
  readonly output: Tensor;
  /** The mask of valid positions, and the other sequence that attention reads, if they were given. */
  readonly mask?: Tensor;
  readonly memory?: Tensor;
  /** The state from which a recurrent layer started, if one was given. */
  readonly initialState?: RecurrentState;
  /** The final state, if `useWithState` returned it. */
  readonly finalState?: RecurrentState;
}

/** A model with named inputs and outputs. */
export interface FunctionalModel<Input extends string = string, Output extends string = string> {
  /** The trainable parameters in the order of their layers' first uses, named `layers.NAME.…`. */
  readonly parameters: readonly Tensor[];
  /** The states of the layers, see `Model.states`. */
  readonly states: readonly Tensor[];
  /** The shape of one example of each input, and its type. */
  readonly inputs: Readonly<Record<Input, { readonly shape: Shape; readonly dtype: InputType }>>;
  /** The shape of one example of each output. */
  readonly outputs: Readonly<Record<Output, Shape>>;
  /** The seed of the initial values, and of dropout if training has no seed of its own. */
  readonly seed: number;
  readonly config: FunctionalConfig;
  /**
   * Applies the model.
   * @param inputs [batch, ...shape] for each of `inputs`; others are refused
   * @returns [batch, ...shape] for each of `outputs`
   * @throws GraphError for a missing input, or one of another shape or type
   */
  apply(inputs: NamedTensors<Input>, options?: ApplyOptions): NamedTensors<Output>;
  /**
   * Applies the model and also returns each use of a layer, in order.
   * @throws GraphError, as `apply` does
   */
  applyEach(
    inputs: NamedTensors<Input>,
    options?: ApplyOptions,
  ): { readonly outputs: NamedTensors<Output>; readonly uses: readonly LayerUse[] };
}

/** A model of layers in sequence, or one with named inputs and outputs. */
export type AnyModel = Model | FunctionalModel;

/** The options of `functionalModel`. */
export interface FunctionalOptions<Input extends string = string> {
  /** The inputs by name: letters, digits, "_" and "-", starting with a letter. An empty shape is a number per example. */
  readonly inputs: Readonly<Record<Input, InputDescription>>;
  /** A whole number in 0 … 2³²−1; 1 by default. The same seed gives the same initial values. */
  readonly seed?: number;
  /** A prefix of the parameters' names, as in `sequential`. None by default. */
  readonly name?: string;
}

/**
 * A model that is a function of named inputs to named outputs. The function is called once for each time that the model
 * is applied, to build a graph; it does not run during training.
 *
 * The default initial weights of a layer without an activation do not depend on the layer after it, unlike in
 * `sequential`: give the layer its activation, as in `dense(64, { activation: "relu" })`.
 *
 * @example
 * ```ts
 * const hidden = layers.dense(64, { activation: "relu" });
 * const model = functionalModel({ inputs: { left: [20], right: [20] } }, ({ left, right }, { use }) => {
 *   const distance = square(subtract(use(hidden, left), use(hidden, right)));
 *   return { same: use(layers.dense(1), distance, "decision") };
 * });
 * const { same } = model.apply({ left: a, right: b });
 * ```
 *
 * @throws OptionError for an invalid name, shape, type or seed, or a function that does not return tensors by name or
 * uses other layers at its second call; GraphError if a layer does not accept its input, or an output does not keep the
 * batch as its first axis
 */
export function functionalModel<Input extends string, Output extends string>(
  options: FunctionalOptions<Input>,
  compute: ModelFunction<Input, Output>,
): FunctionalModel<Input, Output> {
  return buildFunctional(options, compute, drawnFrom(options?.seed ?? 1));
}

/** As `functionalModel`, with initial values from elsewhere. */
export function buildFunctional(
  options: FunctionalOptions,
  compute: ModelFunction,
  initialization: Initialization,
): FunctionalModel {
  requireParts(options, compute);
  const { seed = 1, name } = options;
  const named = name === undefined ? {} : { name };
  requireModelName(WHERE, name);
  requireSeed(`${WHERE} seed`, seed);
  const inputs = describedInputs(options.inputs);
  const builder = new LayerBuilder(parameterPrefix(named), initialization);
  const layers = new LayerUses(builder);
  let shapes: Readonly<Record<string, Shape>> | undefined;
  const applyEach = (given: NamedTensors, applied: ApplyOptions = {}) => {
    const batch = requireInputs(inputs, given);
    const call = layers.call(resolvedOptions(applied, seed));
    const found = compute(given, call.context);
    call.end();
    const own = shapesOfOutputs(found, batch);
    shapes ??= own;
    requireSameOutputs(shapes, own);
    return {
      outputs: Object.fromEntries(Object.keys(shapes).map((output) => [output, found[output]!])),
      uses: call.uses,
    };
  };
  const exampleOf = (batch: number) =>
    Object.entries(inputs).map(([key, { shape, dtype }]) => [key, input(key, [batch, ...shape], dtype)] as const);
  // The second call finds a function that is not the same at each call, or that does not keep the batch.
  for (const batch of [1, 2]) applyEach(Object.fromEntries(exampleOf(batch)));
  return {
    parameters: builder.parameters,
    states: builder.states,
    inputs,
    outputs: shapes!,
    seed,
    config: { type: "functional", inputs, seed, layers: layers.configs(), ...named },
    apply: (given, applied) => applyEach(given, applied).outputs,
    applyEach,
  };
}

const WHERE = "functionalModel";

const NAME_RULE = 'Give letters, digits, "_" and "-", starting with a letter';

const inputTypes: readonly unknown[] = ["float32", "uint32"] satisfies InputType[];

function requireParts(options: unknown, compute: unknown): void {
  if (!isRecord(options) || !isRecord(options["inputs"]) || Object.keys(options["inputs"]).length === 0) {
    throw new OptionError({
      where: WHERE,
      what: `${excerpt(options)} has no inputs`,
      fix: "Give options such as { inputs: { image: [28, 28, 1] } }",
    });
  }
  if (typeof compute === "function") return;
  throw new OptionError({
    where: WHERE,
    what: `${excerpt(compute)} is not a function`,
    fix: "Give a function such as ({ image }, { use }) => ({ logits: use(dense(10), image) })",
  });
}

function describedInputs(given: FunctionalOptions["inputs"]): FunctionalModel["inputs"] {
  const described = Object.entries(given).map(([name, value]: [string, unknown]) => {
    if (!isName(name)) {
      throw new OptionError({ where: WHERE, what: `${excerpt(name)} is not a name of an input`, fix: NAME_RULE });
    }
    const where = `${WHERE} input ${name}`;
    const { shape, dtype } = isRecord(value) ? value : { shape: value, dtype: "float32" };
    if (!Array.isArray(shape) || !inputTypes.includes(dtype)) {
      const fix = 'Give the shape of one example, such as [28, 28], or { shape: [12], dtype: "uint32" }';
      throw new OptionError({ where, what: `${excerpt(value)} is not a shape`, fix });
    }
    for (const size of shape as unknown[]) requireCount(where, size as number);
    return [name, { shape: [...(shape as number[])], dtype: dtype as InputType }] as const;
  });
  return Object.fromEntries(described);
}

/** @returns the number of examples */
function requireInputs(inputs: FunctionalModel["inputs"], given: NamedTensors): number {
  const where = "model inputs";
  const names = Object.keys(inputs);
  const fix = `Give ${names.join(", ")}`;
  if (!isRecord(given)) throw new GraphError({ where, what: `${excerpt(given)} are not tensors by name`, fix });
  const unknown = Object.keys(given).find((name) => !names.includes(name));
  if (unknown !== undefined) throw new GraphError({ where, what: `there is no input ${excerpt(unknown)}`, fix });
  const missing = names.find((name) => !Object.hasOwn(given, name));
  if (missing !== undefined) throw new GraphError({ where, what: `${missing} is missing`, fix });
  const [first] = Object.values(given);
  for (const [name, { shape, dtype }] of Object.entries(inputs)) {
    const tensor = given[name];
    requireTensor(`model input ${name}`, tensor);
    const batch = tensor.shape[0];
    if (tensor.dtype !== dtype || batch === undefined || !sameShape(tensor.shape.slice(1), shape)) {
      throw new GraphError({
        where: `model input ${name}`,
        what: `expected ${dtype}[${["batch", ...shape].join(", ")}] but got ${tensor}`,
        fix: "Reshape the examples, or make the model with their shape and type",
      });
    }
    if (batch !== first!.shape[0]) {
      const what = `${tensor} has ${batch} examples, and ${first!} has ${first!.shape[0]}`;
      throw new GraphError({ where: `model input ${name}`, what, fix: "Give inputs of as many examples" });
    }
  }
  return first!.shape[0]!;
}

/** The shape of one example of each output. */
function shapesOfOutputs(outputs: unknown, batch: number): Readonly<Record<string, Shape>> {
  if (!isRecord(outputs) || Object.keys(outputs).length === 0) {
    throw new OptionError({
      where: "model function",
      what: `it returns ${excerpt(outputs)}`,
      fix: "Return tensors by name, such as { logits }",
    });
  }
  const shapes = Object.entries(outputs).map(([name, tensor]) => {
    if (!isName(name)) {
      throw new OptionError({
        where: "model function",
        what: `${excerpt(name)} is not a name of an output`,
        fix: NAME_RULE,
      });
    }
    requireTensor(`model output ${name}`, tensor);
    if (tensor.dtype !== "float32" || tensor.shape[0] !== batch) {
      throw new GraphError({
        where: `model output ${name}`,
        what: `it is ${tensor} for a batch of ${batch}, not float32[batch, …]`,
        fix: "Keep the batch as the first axis: reduce over other axes only",
      });
    }
    return [name, tensor.shape.slice(1)] as const;
  });
  return Object.fromEntries(shapes);
}

function requireSameOutputs(wanted: Readonly<Record<string, Shape>>, found: Readonly<Record<string, Shape>>): void {
  const text = (shapes: Readonly<Record<string, Shape>>) =>
    Object.entries(shapes)
      .map(([name, shape]) => `${name} [${["batch", ...shape].join(", ")}]`)
      .toSorted()
      .join(", ");
  if (text(wanted) === text(found)) return;
  throw new GraphError({
    where: "model function",
    what: `it returns ${text(found)}, but returned ${text(wanted)} when the model was made`,
    fix: "Return the same outputs for each batch, in training and in evaluation",
  });
}
