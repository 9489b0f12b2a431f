/*
 * How layers are written as text and in the formats of other libraries. Each layer's folder has one file per format, which is found
 * by name, so that a program that does not use a format does not load its files.
 */
import type { Shape } from "../../graph/tensor.ts";
import type { OnnxOperators } from "../../ops/forms.ts";
import type { ConfigValue, LayerConfig } from "./layer.ts";

/** The values of a parameter, row-major. */
export interface ParameterTensor {
  readonly shape: Shape;
  readonly values: Float32Array;
}

/** Where a parameter is in a PyTorch module, and how its layout differs. */
export interface PytorchParameter {
  /** Its name in the module. */
  readonly name: string;
  toPytorch(tensor: ParameterTensor): ParameterTensor;
  fromPytorch(tensor: ParameterTensor): ParameterTensor;
}

/** A PyTorch module as Python code. */
export interface PytorchModule {
  /** The expression that creates it, such as `nn.ReLU()`. */
  readonly code: string;
  /** Statements that the expression needs for modules that are not part of PyTorch. */
  readonly definitions?: readonly string[];
  /** The layer's parameters that the module has, by their names in the layer; none by default. */
  readonly parameters?: Readonly<Record<string, PytorchParameter>>;
  /** The axes, for a module that only permutes them. Two permutations that undo each other are removed. */
  readonly permutes?: readonly number[];
  /** Whether the module works on each element separately, so that it commutes with permutations of the axes. */
  readonly elementwise?: boolean;
}

/** The position of a layer in its model. */
export interface LayerPlace {
  /** Whether the layer is the first of the model. */
  readonly isFirst: boolean;
  readonly inputShape: Shape;
}

/** The options of the nn.Sequential of layers inside a layer. */
export interface PytorchChainOptions {
  /** A module before the layers, such as a permutation. */
  readonly before?: PytorchModule;
  readonly after?: PytorchModule;
  /** The shape of one example of their input; that of the containing layer's input by default. */
  readonly inputShape?: Shape;
}

/** The position of a layer in a PyTorch network. */
export interface PytorchPlace extends LayerPlace {
  readonly outputShape: Shape;
  /** The nn.Sequential of layers inside the layer. */
  chain(layers: ConfigValue | undefined, options?: PytorchChainOptions): PytorchModule;
}

/** A layer as modules of an nn.Sequential, in order of execution. Each `pytorch.ts` exports it as `pytorch`. */
export type PytorchForm = (config: LayerConfig, place: PytorchPlace) => readonly PytorchModule[];

export type { OnnxAttributes, OnnxOpForm, OpPlace, PytorchOpForm, Size } from "../../ops/forms.ts";

/** Writes the nodes of an ONNX graph. Each node is applied to the result of the previous one. */
export interface OnnxWriter extends OnnxOperators {
  /** Permutes the axes of the last result. Two consecutive permutations that undo each other are removed. */
  transpose(name: string, axes: readonly number[]): void;
  /** Reshapes each example of the last result. */
  reshape(name: string, shape: Shape): void;
  /** Adds a parameter of the model to the graph, once for all uses, with its axes permuted if given. @returns its name */
  parameter(name: string, axes?: readonly number[]): string;
  /**
   * Writes layers inside a layer.
   * @param name the prefix of their names
   * @param inputShape the shape of one example of the last result
   */
  layers(configs: ConfigValue | undefined, name: string, inputShape: Shape): void;
}

/**
 * Writes a layer as ONNX operators. Each `onnx.ts` exports it as `onnx`.
 * @param name the prefix of the names of the layer's parameters and nodes, such as `layers.0`
 */
export type OnnxForm = (writer: OnnxWriter, config: LayerConfig, name: string, place: LayerPlace) => void;

/** How a layer is written in a text such as `conv 16 3x3 relu`. Each `text.ts` exports it as `text`. */
export interface TextForm {
  /** The word that names the layer, in lower case. The name of the type is accepted as well. */
  readonly word: string;
  /** The options whose values follow the word, in this order, without their names. */
  readonly values: readonly string[];
  /** The option that holds the layers in parentheses after the word. */
  readonly inner?: string;
  /** Whether the layer only applies an activation: its value is the name of one, which is also written without the word. */
  readonly isActivation?: boolean;
  /** Options that are lists, also if they have one element. */
  readonly lists?: readonly string[];
  /** For messages. */
  readonly example: string;
}
