import type { Shape, Tensor } from "../../graph/tensor.ts";
import type { GruState, LstmState, RecurrentResult } from "../../ops/recurrent/index.ts";
import type { Precision } from "../../precisions.ts";
import type { ActivationName, CustomActivation } from "../activations.ts";
import type { Fans, Initializer } from "../initializers.ts";

/** A value in a layer's config: JSON without null, nested to any depth. */
export type ConfigValue = string | number | boolean | readonly ConfigValue[] | { readonly [name: string]: ConfigValue };

/** A layer as plain JSON: its type and options, which may contain lists and the configs of other layers. */
export interface LayerConfig {
  readonly type: string;
  readonly [option: string]: ConfigValue;
}

/** The position of a layer in a model, which the layer gets when the model is built. */
export interface LayerContext {
  /**
   * Distinguishes the random numbers of the model's layers: the index of the layer in the model, from 0. For a layer
   * inside another one, it is computed from both indices. See `ApplyOptions.dropoutKeyAt`.
   */
  readonly index: number;
  /**
   * The indices of the containing layers and the layer, such as "3" or "3.0", which prefix the names of its parameters.
   */
  readonly path: string;
  /** The shape of one example of the layer's input. */
  readonly inputShape: Shape;
  /** The name of the activation applied next, if the next layer is an activation layer. */
  readonly nextActivation: string | undefined;
  /** Makes a parameter named `layers.PATH.NAME`. Its initial values use their own random stream. */
  parameter(name: string, shape: Shape, initializer: Initializer, fans: Fans): Tensor;
  /**
   * Makes a state named `layers.PATH.NAME`: values that training changes without a gradient, such as running statistics.
   * @param initial the value of all elements before the first step
   */
  state(name: string, shape: Shape, initial: number): Tensor;
}

/** The mean and the variance of a layer's values over one batch, and the running statistics that follow them. */
export interface BatchMoments {
  /** States with a value per channel, [channels]. */
  readonly runningMean: Tensor;
  readonly runningVariance: Tensor;
  /** The mean of each channel over the batch, [channels]. */
  readonly mean: Tensor;
  /** The mean squared distance from `mean`, [channels]. */
  readonly variance: Tensor;
  /** The number of values per channel. */
  readonly count: number;
  /** The share of the batch in the new running statistics, in (0, 1]. */
  readonly momentum: number;
}

/** The weights of one attention layer. */
export interface RecordedAttention {
  /** The indices of the containing layers and the layer, which prefix the names of its parameters, as in `LayerContext.path`. */
  readonly path: string;
  /**
   * The shape is [batch, heads, queries, keys]. A weight says how much each position (query) takes of each position (key),
   * without dropout. Each row sums to 1.
   */
  readonly weights: Tensor;
}

/** Options of applying a model. */
export interface ApplyOptions {
  /** Whether dropout and noise are active, and batch normalization uses the batch's statistics; false by default. */
  readonly training?: boolean;
  /**
   * Called during training for each use of a layer that keeps running statistics. By default they do not change;
   * `momentUpdates` makes the updates that change them.
   */
  readonly recordMoments?: (moments: BatchMoments) => void;
  /**
   * Called with the output of each layer, in order: of the layers of a model, also of those inside `sequential` and
   * `tiedEmbedding`, but not of those inside other layers, such as `residual` and `transformerBlock`.
   */
  readonly recordOutput?: (output: Tensor) => void;
  /**
   * The key of a layer's random numbers at a step, such as a dropout layer's mask, a uint32. By default
   * `dropoutKey(model.seed, step, layer)`, with the layer's `index`. To apply a model several times in one step with
   * different random numbers, return different keys.
   */
  readonly dropoutKeyAt?: (step: number, layer: number) => number;
  /**
   * Called for each use of a layer with attention, with its weights, which can then be outputs of a graph. They are
   * computed only there: the output of the layer does not depend on them.
   */
  readonly recordAttention?: (attention: RecordedAttention) => void;
  /** The precision of matrix products; "float32" by default. See `matmul`. */
  readonly precision?: Precision;
}

/** The state of a recurrent layer: that of `layers.gru` has `h`, that of `layers.lstm` `h` and `c`. */
export type RecurrentState = GruState | LstmState;

/** The options of applying one layer. */
export interface LayerApplyOptions extends Required<ApplyOptions> {
  /**
   * Which positions of a sequence are valid, float32 [batch, length], not 0 where they are: attention ignores the others.
   * Layers with inner layers pass it on. All positions by default.
   */
  readonly mask?: Tensor;
  /** The state from which a recurrent layer starts. Other layers do not get it. Zeros by default. */
  readonly state?: RecurrentState;
  /**
   * A sequence, float32 [batch, any length, width], of which attention makes its keys and values; `mask` is then of its
   * positions. Layers with inner layers pass it on. By default, these are of the layer's input.
   */
  readonly memory?: Tensor;
}

/** The options of applying a model outside training. */
export const evaluation: Required<ApplyOptions> = {
  training: false,
  precision: "float32",
  dropoutKeyAt: () => 0,
  recordMoments: () => {},
  recordAttention: () => {},
  recordOutput: () => {},
};

/** The options in a layer's config. */
export const optionsOf = ({ type: _type, ...options }: LayerConfig) => options;

/** A layer with its parameters. */
export interface BuiltLayer {
  /** The shape of one example of the layer's output. */
  readonly outputShape: Shape;
  /**
   * Applies the layer.
   * @param x [batch, ...inputShape]
   * @returns [batch, ...outputShape]
   */
  apply(x: Tensor, options: LayerApplyOptions): Tensor;
  /** As `apply`, and returns also the final state; only of a `RecurrentLayer`. */
  applyWithState?(x: Tensor, options: LayerApplyOptions): RecurrentResult<RecurrentState>;
}

/** A layer before the model is built, independent of the shape of its input. */
export interface Layer {
  readonly config: LayerConfig;
  /** The activation of a layer that only applies one. The initial weights of the previous layer depend on it. */
  readonly activation?: string;
  /** Makes the layer's parameters and determines its output shape. */
  build(context: LayerContext): BuiltLayer;
}

/** A layer with a state, which `use` and `useWithState` of a functional model can give and return. */
export interface RecurrentLayer<State extends RecurrentState = RecurrentState> extends Layer {
  build(context: LayerContext): BuiltLayer & {
    /**
     * Applies the layer, from `options.state` or zeros.
     * @param x [batch, ...inputShape]
     */
    applyWithState(x: Tensor, options: LayerApplyOptions): RecurrentResult<State>;
  };
}

/** Resolves the names and nested configs in a layer's config. */
export interface ConfigResolver {
  /**
   * The activation with a name.
   * @throws OptionError for an unknown name
   */
  activation(name: ConfigValue | undefined): ActivationName | CustomActivation;
  /**
   * The layer of a nested config.
   * @throws OptionError for a config that is not a layer
   */
  layer(config: ConfigValue | undefined): Layer;
}

/** A layer as networks of dense layers are usually described. */
export interface LayerSummary {
  /** The number of outputs of a dense layer. */
  readonly units?: number;
  readonly activation?: string;
  /** The fraction of elements that dropout sets to 0. */
  readonly dropout?: number;
}

/** A type of layer, without the function that makes one. Each folder exports it as `layerType`. */
export interface LayerType {
  /** The names of the options in the layer's config. */
  readonly options: readonly string[];
  /** Those of the options that a config has only if they do not have their defaults; none by default. */
  readonly rareOptions?: readonly string[];
  /**
   * Makes a layer from a config.
   * @param config has all options of the type but rare ones, with unchecked values
   * @throws OptionError for an invalid value
   */
  fromConfig(config: LayerConfig, resolver: ConfigResolver): Layer;
  /** Whether the layer takes indices, as uint32 or float32; false by default. */
  readonly takesIndices?: boolean;
  /** Absent if a `LayerSummary` cannot describe the layer. */
  summarize?(config: LayerConfig): LayerSummary;
}
