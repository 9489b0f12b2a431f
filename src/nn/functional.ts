/*
 * Free-form models: a function of named inputs to named outputs that uses layers, so that branches, skip connections,
 * shared layers and several inputs are written as they are drawn.
 */
import type { DType, Shape, Tensor } from "../graph/tensor.ts";
import type { ApplyOptions, Layer, LayerConfig } from "./layers/layer.ts";

/** An input of a functional model: the shape of one example, with float32 values or the given type. */
export type InputDescription = Shape | { readonly shape: Shape; readonly dtype: DType };

/** Tensors by name. */
export type NamedTensors = Readonly<Record<string, Tensor>>;

/** What the function of a functional model gets besides its inputs. */
export interface FunctionContext {
  /** Whether the model is applied for training, with dropout and noise. */
  readonly training: boolean;
  /**
   * Applies a layer. Its parameters are made at its first use and shared by all uses of the same layer object.
   * @param x [batch, ...shape], with the same shape of an example at each use
   * @param name names the layer's parameters, `layers.NAME.…`; by default the layer's position among the layers used,
   * from 0. Letters, digits, "_" and "-"
   * @throws OptionError if two layers have the same name, or the layer was first used with another shape
   */
  use(layer: Layer, x: Tensor, name?: string): Tensor;
}

/** Computes the outputs for a batch of examples: [batch, ...shape] each. It must use the same layers at every call. */
export type ModelFunction = (inputs: NamedTensors, context: FunctionContext) => NamedTensors;

/** A functional model as plain JSON, without its function and the values of its parameters. */
export interface FunctionalConfig {
  readonly type: "functional";
  readonly inputs: Readonly<Record<string, { readonly shape: Shape; readonly dtype: DType }>>;
  readonly seed: number;
  /** The layers in the order of their first uses, by the names of their uses. */
  readonly layers: Readonly<Record<string, LayerConfig>>;
  /** Absent if the model has no name. */
  readonly name?: string;
}

/** A model with named inputs and outputs. */
export interface FunctionalModel {
  /** The trainable parameters in the order of their layers' first uses, named `layers.NAME.…`. */
  readonly parameters: readonly Tensor[];
  /** The states of the layers, see `Model.states`. */
  readonly states: readonly Tensor[];
  /** The shape of one example of each input, and its type. */
  readonly inputs: Readonly<Record<string, { readonly shape: Shape; readonly dtype: DType }>>;
  /** The shape of one example of each output. */
  readonly outputs: Readonly<Record<string, Shape>>;
  /** The seed of the initial values, and of dropout if training has no seed of its own. */
  readonly seed: number;
  readonly config: FunctionalConfig;
  /**
   * Applies the model.
   * @param inputs [batch, ...shape] for each of `inputs`; others are refused
   * @returns [batch, ...shape] for each of `outputs`
   * @throws GraphError for a missing input, or one of another shape or type
   */
  apply(inputs: NamedTensors, options?: ApplyOptions): NamedTensors;
}
