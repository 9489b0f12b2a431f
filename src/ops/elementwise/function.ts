import { GraphError } from "../../errors.ts";
import { constant, requireHeld } from "../../graph/leaves.ts";
import { requireType, sameShape, Tensor, type ComputeOp, type DType, type Shape } from "../../graph/tensor.ts";
import { sumToShape } from "../reduce/index.ts";

/** A tensor, or a number that stands for a constant scalar. */
export type Operand = Tensor | number;

/** One row of the table of elementwise functions. */
export interface ElementwiseFunction {
  readonly name: string;
  readonly arity: 1 | 2 | 3;
  /** The formula, in JavaScript's float64. Parameters follow the arguments. */
  readonly cpu: (...values: number[]) => number;
  /** The WGSL function with the same meaning: one of `source`, or of wgrad's own. */
  readonly wgsl: string;
  /** WGSL text with that function, for one that is not wgrad's own: `fn NAME(x: f32, …) -> f32 { … }`. */
  readonly source?: string | undefined;
  /** Floating-point operations, a transcendental function counted as 8; 1 if absent. */
  readonly flops?: number | undefined;
  /** Type of the inputs, float32 if absent. */
  readonly takes?: DType;
  /**
   * The gradient with respect to each input, before broadcasting is undone. Absent where the function is constant
   * almost everywhere (comparisons, step), so that no gradient flows. "unknown" makes `gradients` refuse the function
   * where a gradient would have to pass it.
   */
  readonly gradient?: ElementwiseGradient | "unknown";
}

/** Gives the gradient with respect to each input of an elementwise function, before broadcasting is undone. */
export type ElementwiseGradient = (
  upstream: Tensor,
  inputs: readonly Tensor[],
  output: Tensor,
  parameters: readonly number[],
) => readonly (Tensor | undefined)[];

export interface ElementwiseAttributes {
  /** Numbers that the function takes after its arguments: a slope, an exponent. */
  readonly parameters: readonly number[];
}

export interface ElementwiseOp extends ComputeOp {
  readonly row: ElementwiseFunction;
}

/**
 * Makes an op of a row: a function of numbers that both backends apply element by element, fused like any other.
 * Bundlers read the annotation: an op that a page does not use is left out.
 * @returns a function from operands and parameters to the node, with broadcasting; it throws a GraphError for operands
 * of another type, shapes that do not broadcast, and numbers that the type does not hold
 */
/* @__NO_SIDE_EFFECTS__ */
export function elementwise(
  row: ElementwiseFunction,
): (operands: readonly Operand[], ...parameters: number[]) => Tensor {
  const op: ElementwiseOp = {
    name: row.name,
    kind: "compute",
    traits: { kind: "pointwise" },
    kernel: "elementwise",
    row,
    ...(row.gradient !== "unknown" && {
      gradient: (node, upstream) => gradient(row.gradient as ElementwiseGradient | undefined, node, upstream),
    }),
  };
  const dtype = row.takes ?? "float32";
  return (operands, ...parameters) => {
    for (const operand of operands) if (typeof operand === "number") requireHeld(row.name, operand, dtype);
    for (const value of parameters) requireHeld(row.name, value);
    const inputs = operands.map((operand) => (typeof operand === "number" ? constant(operand, [], dtype) : operand));
    for (const tensor of inputs) requireType(row.name, tensor, dtype);
    const shape = broadcastShapes(row.name, inputs);
    return new Tensor<ElementwiseAttributes>(op, inputs, { parameters }, { shape, dtype: "float32" });
  };
}

function gradient(
  of: ElementwiseGradient | undefined,
  node: Tensor,
  upstream: Tensor,
): readonly (Tensor | undefined)[] {
  if (!of) return node.inputs.map(() => undefined);
  const { parameters } = node.attributes as ElementwiseAttributes;
  return of(upstream, node.inputs, node, parameters).map(
    (partial, position) => partial && sumToShape(partial, node.inputs[position]!.shape),
  );
}

/**
 * The shape that inputs have together: axes are aligned at the last one, and an axis of size 1 is repeated.
 * @throws GraphError naming the op and all shapes where sizes differ and none is 1
 */
export function broadcastShapes(where: string, inputs: readonly { readonly shape: Shape }[]): Shape {
  const rank = Math.max(...inputs.map(({ shape }) => shape.length));
  return Array.from({ length: rank }, (_, axis) => {
    const sizes = inputs.map(({ shape }) => shape[axis - rank + shape.length] ?? 1);
    const size = Math.max(...sizes);
    if (sizes.some((other) => other !== size && other !== 1)) {
      throw new GraphError({
        where,
        what: `shapes ${inputs.map(({ shape }) => `[${shape.join(", ")}]`).join(" and ")} do not broadcast`,
        fix: "Aligned at the last axis, sizes must be equal or 1",
      });
    }
    return size;
  });
}

/** Whether `shape` broadcasts to `target` without changing it. */
export function broadcastsTo(shape: Shape, target: Shape): boolean {
  const missing = target.length - shape.length;
  return (
    missing >= 0 &&
    (sameShape(shape, target) || shape.every((size, axis) => size === 1 || size === target[axis + missing]))
  );
}
