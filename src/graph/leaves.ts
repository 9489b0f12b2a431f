import { GraphError } from "../errors.ts";
import { sizeOf, Tensor, type DType, type Op, type Shape } from "./tensor.ts";

const leaf = (name: string): Op => ({ name, kind: "leaf" });

export const parameterOp = leaf("parameter");
export const stateOp = leaf("state");
export const inputOp = leaf("input");
export const constantOp = leaf("constant");
export const stepScalarOp = leaf("stepScalar");

/** A leaf that keeps its values on the device from step to step. */
export interface StoredAttributes {
  readonly name: string;
  /** Values before the first step, row-major; zeros if absent. */
  readonly initial?: Float32Array | undefined;
}

export interface ConstantAttributes {
  readonly values: readonly number[];
}

export interface StepScalarAttributes {
  readonly name: string;
  /** The value at a step, counted from 0; computed on the CPU in float64 before the step is submitted. */
  readonly valueAt: (step: number) => number;
}

function stored(op: Op, name: string, shape: Shape, initial: ArrayLike<number> | undefined): Tensor<StoredAttributes> {
  if (initial !== undefined && initial.length !== sizeOf(shape)) {
    throw new GraphError({
      where: `${op.name} ${name}`,
      what: `${initial.length} initial values for shape [${shape.join(", ")}], which holds ${sizeOf(shape)}`,
      fix: "Give one value per element, row after row",
    });
  }
  const attributes = { name, initial: initial && Float32Array.from(initial) };
  return new Tensor<StoredAttributes>(op, [], attributes, { shape, dtype: "float32" });
}

/** A float32 value that training changes and `gradients` is asked for: a weight or a bias. */
export function parameter(name: string, shape: Shape, initial?: ArrayLike<number>): Tensor<StoredAttributes> {
  return stored(parameterOp, name, shape, initial);
}

/** A float32 value that steps update but no gradient is taken of: an optimizer's moment, a running sum. */
export function state(name: string, shape: Shape, initial?: ArrayLike<number>): Tensor<StoredAttributes> {
  return stored(stateOp, name, shape, initial);
}

/** A value that the caller writes between steps: a data set, its labels, the order of an epoch. */
export function input(name: string, shape: Shape, dtype: DType = "float32"): Tensor<{ name: string }> {
  return new Tensor(inputOp, [], { name }, { shape, dtype });
}

/**
 * Fixed values, part of the graph itself. A scalar becomes a literal in the kernels that read it.
 * @param value a number for a scalar, or the elements of `shape`, row-major; finite
 * @throws GraphError for NaN and infinity, which WGSL does not allow in a program
 */
export function constant(value: number | readonly number[], shape?: Shape, dtype: DType = "float32"): Tensor {
  const values = typeof value === "number" ? [value] : value;
  const wrong = values.find((element) => !Number.isFinite(element));
  if (wrong !== undefined) {
    throw new GraphError({ where: "constant", what: `the value ${wrong} is not finite`, fix: "Use finite values" });
  }
  const wanted = shape ?? (typeof value === "number" ? [] : [values.length]);
  if (values.length !== sizeOf(wanted)) {
    throw new GraphError({
      where: "constant",
      what: `${values.length} values for shape [${wanted.join(", ")}]`,
      fix: "Give one value per element, row after row",
    });
  }
  return new Tensor<ConstantAttributes>(constantOp, [], { values }, { shape: wanted, dtype });
}

/**
 * A scalar that is a function of the step's number alone: the learning rate, where the batch starts, Adam's bias
 * correction. Being no running product, any step can be recomputed by itself.
 */
export function stepScalar(name: string, valueAt: (step: number) => number, dtype: DType = "float32"): Tensor {
  return new Tensor<StepScalarAttributes>(stepScalarOp, [], { name, valueAt }, { shape: [], dtype });
}

/**
 * Refuses different leaves of one name: values are kept in snapshots and files by name, so one would replace the other.
 * @throws GraphError naming both
 */
export function requireDistinctNames(where: string, leaves: readonly Tensor[]): void {
  const known = new Map<string, Tensor>();
  for (const current of leaves) {
    const { name } = current.attributes as StoredAttributes;
    const other = known.get(name);
    known.set(name, current);
    if (!other || other === current) continue;
    throw new GraphError({
      where,
      what: `two different leaves have one name: ${other.op.name} ${other} and ${current.op.name} ${current}`,
      fix: 'Give each a name of its own, and each model of several, as in sequential(layers, { name: "encoder", … })',
    });
  }
}

/** Whether a tensor keeps its values on the device between runs and can be written and read by the caller. */
export function isStored(tensor: Tensor): tensor is Tensor<StoredAttributes> {
  return tensor.op === parameterOp || tensor.op === stateOp || tensor.op === inputOp;
}
