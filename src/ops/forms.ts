/*
 * How ops are written in the formats of other libraries, for the functions of functional models. The folder of an op has one
 * file per format, which is found by name, so that a program that exports nothing does not load it.
 */
import { GraphError } from "../errors.ts";

/** The attributes of an ONNX operator, by name. */
export type OnnxAttributes = Readonly<
  Record<
    string,
    | { readonly int: number }
    | { readonly float: number }
    | { readonly ints: readonly number[] }
    | { readonly text: string }
  >
>;

/** The numbers of types in ONNX's TensorProto.DataType. */
export const onnxTypes = { float: 1, int64: 7, bool: 9 } as const;

/** Writes operators to an ONNX graph. Each is applied to the result of the previous one. */
export interface OnnxOperators {
  /** The name of the last result. */
  readonly value: string;
  /** Continues from an earlier result, for a branch. */
  continueFrom(value: string): void;
  /**
   * Applies an operator to the last result and to other values.
   * @param name the name of the node and of its result. Within a second use of a layer, the writer adds to it
   */
  apply(operator: string, name: string, others?: readonly string[], attributes?: OnnxAttributes): void;
  /** Applies an operator to values, none of which need be the last result. */
  applyTo(operator: string, name: string, values: readonly string[], attributes?: OnnxAttributes): void;
  /** Applies a binary operator to the last result and a number. */
  applyNumber(operator: string, name: string, number: number): void;
  /** Adds float32 numbers to the graph, a list unless a shape is given. @returns their name */
  numbers(name: string, values: readonly number[], shape?: readonly number[]): string;
  /** Adds int64 numbers to the graph, a list unless a shape is given. @returns their name */
  integers(name: string, values: readonly number[], shape?: readonly number[]): string;
}

/** The size of an axis: a number, or a multiple of the number of examples in the batch. */
export type Size = number | { readonly perExample: number };

/** Whether two sizes are equal for every batch. */
export const isSameSize = (a: Size | undefined, b: Size | undefined): boolean =>
  a === b || (typeof a === "object" && typeof b === "object" && a.perExample === b.perExample);

/** An op in a function, for batches of any size. */
export interface OpPlace {
  /** Those of the op for a batch of two examples. */
  readonly attributes: object;
  readonly inputs: readonly (readonly Size[])[];
  readonly shape: readonly Size[];
}

/**
 * Writes an op as ONNX operators; uint32 becomes int64. Each `onnx.ts` exports its ops' forms by name as `onnx`.
 * @param name the name of the result; other names begin with it
 * @param inputs the names of the inputs
 */
export type OnnxOpForm = (writer: OnnxOperators, place: OpPlace, name: string, inputs: readonly string[]) => void;

/**
 * Writes an op as an expression in Python, without operators outside of parentheses. Each `pytorch.ts` exports its ops' forms
 * by name as `pytorch`.
 * @param inputs the expressions of the inputs; a constant scalar is a number
 */
export type PytorchOpForm = (inputs: readonly string[], place: OpPlace) => string;

/** An ONNX operator that computes the same as an op. */
export const operator =
  (type: string, attributes: OnnxAttributes = {}): OnnxOpForm =>
  (writer, _, name, inputs) =>
    writer.applyTo(type, name, inputs, attributes);

const isNumber = (code: string): boolean => /^-?\d[\d.e+-]*$/.test(code);

/** An expression as a tensor, also if it is a number. */
export const tensorCode = (code: string): string => (isNumber(code) ? `torch.tensor(${code})` : code);

/** Operands of which at least one is a tensor. */
export const operandCodes = ([first, ...others]: readonly string[]): readonly string[] =>
  others.every(isNumber) ? [tensorCode(first!), ...others] : [first!, ...others];

/**
 * Sizes for a reshaping, of which one may depend on the batch.
 * @returns −1 for that one
 * @throws GraphError if several do
 */
export function reshapedSizes(shape: readonly Size[]): number[] {
  if (shape.filter((size) => typeof size !== "number").length <= 1)
    return shape.map((size) => (typeof size === "number" ? size : -1));
  throw new GraphError({
    where: "reshape",
    what: "more than one of its sizes depends on the number of examples",
    fix: "Keep the examples on one axis",
  });
}

/**
 * Refuses an op that moves elements along the axis of the examples.
 * @throws GraphError
 */
export function requireFixed(where: string, size: Size): asserts size is number {
  if (typeof size === "number") return;
  throw new GraphError({
    where,
    what: "an axis depends on the number of examples, which the exported model does not know",
    fix: "Move elements within each example only",
  });
}
