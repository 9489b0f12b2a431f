/*
 * How layers are written in the formats of other libraries. Each layer's folder has one file per format, which is found
 * by name, so that a program that does not use a format does not load its files.
 */
import type { Shape } from "../../graph/tensor.ts";
import type { LayerConfig } from "./layer.ts";

/** The values of a parameter, row-major. */
export interface ParameterTensor {
  readonly shape: Shape;
  readonly values: Float32Array;
}

/** A PyTorch module as Python code. */
export interface PytorchModule {
  /** The expression that creates it, such as `nn.ReLU()`. */
  readonly code: string;
  /** A statement that the expression needs if the module is not part of PyTorch. */
  readonly definition?: string;
}

/** The position of a layer in its model. */
export interface LayerPlace {
  readonly index: number;
  readonly inputShape: Shape;
}

/** A layer as modules of an nn.Sequential. Each `pytorch.ts` exports it as `pytorch`. */
export interface PytorchForm {
  /** In order of execution. The layer's parameters belong to the first module. */
  modules(config: LayerConfig, place: LayerPlace): readonly PytorchModule[];
  /** Converts parameters to PyTorch's layout and back. Absent for a layer without parameters. */
  readonly parameters?: {
    toPytorch(tensor: ParameterTensor): ParameterTensor;
    fromPytorch(tensor: ParameterTensor): ParameterTensor;
  };
}

/** The attributes of an operator, by name. */
export type OnnxAttributes = Readonly<Record<string, { readonly int: number } | { readonly float: number }>>;

/** Writes the nodes of an ONNX graph. Each node is applied to the result of the previous one. */
export interface OnnxWriter {
  /** The name of the last result. */
  readonly value: string;
  /**
   * Applies an operator to the last result and to other values.
   * @param name the name of the node and of its result
   */
  apply(operator: string, name: string, others?: readonly string[], attributes?: OnnxAttributes): void;
  /** Applies a binary operator to the last result and a number. */
  applyNumber(operator: string, name: string, number: number): void;
  /** Adds a parameter of the model to the graph. @returns its name */
  parameter(name: string): string;
}

/**
 * Writes a layer as ONNX operators. Each `onnx.ts` exports it as `onnx`.
 * @param name the prefix of the names of the layer's parameters and nodes, such as `layers.0`
 */
export type OnnxForm = (writer: OnnxWriter, config: LayerConfig, name: string) => void;
