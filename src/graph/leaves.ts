import { excerpt, GraphError } from "../errors.ts";
import { firstTooLarge, FLOAT32_RANGE, isFloat32 } from "../float32.ts";
import { dtypes, sizeOf, Tensor, type DType, type Op, type Shape } from "./tensor.ts";

const leaf = (name: string): Op => ({ name, kind: "leaf" });

export const parameterOp = leaf("parameter");
export const stateOp = leaf("state");
export const inputOp = leaf("input");
export const constantOp = leaf("constant");
export const stepScalarOp = leaf("stepScalar");

/** The attributes of a leaf that keeps its values on the device between steps. */
export interface StoredAttributes {
  readonly name: string;
  /** The values before the first step, row-major; zeros if absent. */
  readonly initial?: Float32Array | undefined;
}

/** The name of a parameter, state or input. */
export const nameOf = ({ attributes }: Tensor): string => (attributes as StoredAttributes).name;

export interface ConstantAttributes {
  readonly values: readonly number[];
}

export interface StepScalarAttributes {
  readonly name: string;
  /** The value at a step, counted from 0. It is computed on the CPU in float64 before the step is submitted. */
  readonly valueAt: (step: number) => number;
}

function stored(op: Op, name: string, shape: Shape, initial: ArrayLike<number> | undefined): Tensor<StoredAttributes> {
  if (initial !== undefined && initial.length !== sizeOf(shape)) {
    throw new GraphError({
      where: `${op.name} ${name}`,
      what: `${initial.length} initial values for the shape [${shape.join(", ")}] of size ${sizeOf(shape)}`,
      fix: "Give one value per element, row-major",
    });
  }
  const wrong = initial && firstTooLarge(initial);
  if (wrong !== undefined) requireHeld(`${op.name} ${name}`, wrong);
  const attributes = { name, initial: initial && Float32Array.from(initial) };
  return new Tensor<StoredAttributes>(op, [], attributes, { shape, dtype: "float32" });
}

/** The largest value of each integer type. */
const LARGEST_INTEGER = { uint32: 2 ** 32 - 1, uint8: 255 };

/**
 * Refuses a number that the type cannot represent.
 * @param where the place of the number, for the message
 * @throws GraphError
 */
export function requireHeld(where: string, value: number, dtype: DType = "float32"): void {
  const largest = dtype === "float32" ? undefined : LARGEST_INTEGER[dtype];
  const isHeld = largest === undefined ? isFloat32(value) : Number.isInteger(value) && value >= 0 && value <= largest;
  if (isHeld) return;
  const fix = largest === undefined ? `Use ${FLOAT32_RANGE}` : `Use a whole number in 0 … ${largest}`;
  throw new GraphError({ where, what: `${dtype} cannot represent the number ${value}`, fix });
}

/**
 * A float32 value that training changes and for which gradients can be computed, such as a weight or a bias.
 * @param name the name under which it is stored in snapshots and files
 * @param initial values before the first step, row-major; zeros by default
 */
export function parameter(name: string, shape: Shape, initial?: ArrayLike<number>): Tensor<StoredAttributes> {
  return stored(parameterOp, name, shape, initial);
}

/**
 * A float32 value that steps update but for which no gradient is computed, such as an optimizer's moment.
 * @param name the name under which it is stored in snapshots
 * @param initial values before the first step, row-major; zeros by default
 */
export function state(name: string, shape: Shape, initial?: ArrayLike<number>): Tensor<StoredAttributes> {
  return stored(stateOp, name, shape, initial);
}

/** A value that the caller writes between steps, such as a data set, its labels, or the order of an epoch. */
export function input(name: string, shape: Shape, dtype: DType = "float32"): Tensor<{ name: string }> {
  if (!dtypes.includes(dtype)) {
    const fix = `Choose one of ${dtypes.join(", ")}`;
    throw new GraphError({ where: `input ${name}`, what: `there is no type ${excerpt(dtype)}`, fix });
  }
  return new Tensor(inputOp, [], { name }, { shape, dtype });
}

/**
 * Fixed values that are part of the graph. A scalar becomes a literal in the kernels that read it.
 * @param value a number for a scalar, or the elements of `shape`, row-major
 * @throws GraphError for numbers that the type cannot represent, NaN and infinity, which WGSL does not allow in a
 * program
 */
export function constant(value: number | readonly number[], shape?: Shape, dtype: DType = "float32"): Tensor {
  const values = typeof value === "number" ? [value] : value;
  if (values.some(Array.isArray)) {
    const fix = "Give one list of all elements, row-major, and the shape: constant([1, 2, 3, 4], [2, 2])";
    throw new GraphError({ where: "constant", what: "the value is a list of lists", fix });
  }
  for (const element of values) requireHeld("constant", element, dtype);
  const wanted = shape ?? (typeof value === "number" ? [] : [values.length]);
  if (values.length !== sizeOf(wanted)) {
    throw new GraphError({
      where: "constant",
      what: `${values.length} values for the shape [${wanted.join(", ")}]`,
      fix: "Give one value per element, row-major",
    });
  }
  return new Tensor<ConstantAttributes>(constantOp, [], { values }, { shape: wanted, dtype });
}

/**
 * A scalar that depends only on the number of the step, such as the learning rate, the start of a batch, or Adam's bias
 * correction. As a function of the step, it can be computed for any step independently.
 * @param valueAt the value at a step, counted from 0. If the type cannot represent it, `run` throws a GraphError.
 */
export function stepScalar(name: string, valueAt: (step: number) => number, dtype: DType = "float32"): Tensor {
  const checkedValueAt = (step: number) => {
    const value = valueAt(step);
    requireHeld(`${name} at step ${step}, counted from 0`, value, dtype);
    return value;
  };
  return new Tensor<StepScalarAttributes>(stepScalarOp, [], { name, valueAt: checkedValueAt }, { shape: [], dtype });
}

/**
 * Refuses different leaves with the same name. Values are stored by name in snapshots and files, so one would replace
 * the other.
 * @throws GraphError that names both
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
      what: `two different leaves have the same name: ${other.op.name} ${other} and ${current.op.name} ${current}`,
      fix: 'Give each its own name. With several models, name each, as in sequential(layers, { name: "encoder", … })',
    });
  }
}

/**
 * Whether a tensor is a parameter or state, whose values stay on the device between runs and can be read and written.
 */
export function isStored(tensor: Tensor): tensor is Tensor<StoredAttributes> {
  return tensor.op === parameterOp || tensor.op === stateOp || tensor.op === inputOp;
}
