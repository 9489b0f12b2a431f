/*
 * How a layer is written in the formats of other libraries. Each layer's folder has one file for each format; the format
 * finds them by name, so that a program that uses none of a format carries none of its files.
 */
import type { Shape } from "../../graph/tensor.ts";
import type { LayerConfig } from "./layer.ts";

/** The values of a parameter, row-major. */
export interface ParameterTensor {
  readonly shape: Shape;
  readonly values: Float32Array;
}

/** A module of PyTorch as Python code. */
export interface PytorchModule {
  /** The expression that makes it, such as `nn.ReLU()`. */
  readonly code: string;
  /** The statement that the expression needs, where the module is none of PyTorch's own. */
  readonly definition?: string;
}

/** A layer's place in its model. */
export interface LayerPlace {
  readonly index: number;
  readonly inputShape: Shape;
}

/** A layer as modules of an nn.Sequential. `pytorch.ts` exports it as `pytorch`. */
export interface PytorchForm {
  /** In the order in which they work. The layer's parameters are those of the first. */
  modules(config: LayerConfig, place: LayerPlace): readonly PytorchModule[];
  /** How a parameter is kept there and here. A layer without parameters has none. */
  readonly parameters?: {
    toPytorch(tensor: ParameterTensor): ParameterTensor;
    fromPytorch(tensor: ParameterTensor): ParameterTensor;
  };
}

/** The attributes of an operator, by name. */
export type OnnxAttributes = Readonly<Record<string, { readonly int: number } | { readonly float: number }>>;

/** Writes the nodes of an ONNX graph one after the other, each applied to what the one before it made. */
export interface OnnxWriter {
  /** The name of the last value. */
  readonly value: string;
  /**
   * Applies an operator to the last value and to others.
   * @param name of the node and of what it makes
   */
  apply(operator: string, name: string, others?: readonly string[], attributes?: OnnxAttributes): void;
  /** Applies an operator of two operands to the last value and a number. */
  applyNumber(operator: string, name: string, number: number): void;
  /** Adds a parameter of the model to the graph. @returns its name */
  parameter(name: string): string;
}

/**
 * Writes a layer as operators of ONNX. `onnx.ts` exports it as `onnx`.
 * @param name begins the names of the layer's parameters and of its nodes, such as `layers.0`
 */
export type OnnxForm = (writer: OnnxWriter, config: LayerConfig, name: string) => void;
