import type { Shape, Tensor } from "../../graph/tensor.ts";
import type { Precision } from "../../ops/matmul/precision.ts";
import type { ActivationName, CustomActivation } from "../activations.ts";
import type { Fans, Initializer } from "../initializers.ts";

/** What an option of a layer's config may hold: plain JSON without null, nested to any depth. */
export type ConfigValue = string | number | boolean | readonly ConfigValue[] | { readonly [name: string]: ConfigValue };

/** A layer as plain JSON: its type and that type's options, among which may be lists and the configs of other layers. */
export interface LayerConfig {
  readonly type: string;
  readonly [option: string]: ConfigValue;
}

/** What a layer learns about its place when the model is built. */
export interface LayerContext {
  /** The layer's position in the model, from 0. */
  readonly index: number;
  /** The shape of one example that reaches the layer. */
  readonly inputShape: Shape;
  /** The name of the activation that the next layer applies to this one's output, if it is an activation layer. */
  readonly nextActivation: string | undefined;
  /** Makes a parameter named `layers.INDEX.NAME`, with initial values from a random stream of its own. */
  parameter(name: string, shape: Shape, initializer: Initializer, fans: Fans): Tensor;
}

/** How a model is applied. */
export interface ApplyOptions {
  /** Whether dropout drops; false by default. */
  readonly training?: boolean;
  /**
   * The key of a dropout layer's mask at a step, a uint32. By default `dropoutKey(model.seed, step, layer)`; whoever
   * applies the model several times in one step gives each its own.
   */
  readonly dropoutKeyAt?: (step: number, layer: number) => number;
  /** Of the matrix products; "float32" by default. See `matmul`. */
  readonly precision?: Precision;
}

/** A layer with its parameters. */
export interface BuiltLayer {
  /** The shape of one example that leaves the layer. */
  readonly outputShape: Shape;
  /**
   * What the layer makes of examples.
   * @param x [batch, ...inputShape]
   * @returns [batch, ...outputShape]
   */
  apply(x: Tensor, options: Required<ApplyOptions>): Tensor;
}

/** One step of a model, before it knows the shape of its input. */
export interface Layer {
  readonly config: LayerConfig;
  /** The name of the activation, for a layer that only applies one: the layer before chooses its initial weights by it. */
  readonly activation?: string;
  /** Makes the layer's parameters and says what shape leaves it. */
  build(context: LayerContext): BuiltLayer;
}

/** Gives a layer that is made from its config what the config only names. */
export interface ConfigResolver {
  /**
   * The activation of a name.
   * @throws OptionError for an unknown name
   */
  activation(name: ConfigValue | undefined): ActivationName | CustomActivation;
  /**
   * The layer of a nested config.
   * @throws OptionError for a config that describes no layer
   */
  layer(config: ConfigValue | undefined): Layer;
}

/** A layer in the terms in which a network of dense layers is usually described. */
export interface LayerSummary {
  /** Of a fully connected layer. */
  readonly units?: number;
  readonly activation?: string;
  /** The share of elements that training drops. */
  readonly dropout?: number;
}

/** What the library knows of a type of layer beside the function that makes one. Each folder exports it as `layerType`. */
export interface LayerType {
  /** The options in the layer's config, all of which it has. */
  readonly options: readonly string[];
  /**
   * @param config has the type's options, each of any value
   * @throws OptionError for a value that is not allowed
   */
  fromConfig(config: LayerConfig, resolver: ConfigResolver): Layer;
  /** Absent where these terms cannot describe the layer. */
  summarize?(config: LayerConfig): LayerSummary;
}
