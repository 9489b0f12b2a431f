import { GraphError } from "../../errors.ts";
import { constant, requireHeld } from "../../graph/leaves.ts";
import { requireType, sameShape, Tensor, type ComputeOp, type DType, type Shape } from "../../graph/tensor.ts";
import { sumToShape } from "../reduce/index.ts";

/** A tensor, or a number for a constant scalar. */
export type Operand = Tensor | number;

/** An elementwise function. */
export interface ElementwiseFunction {
  readonly name: string;
  readonly arity: 1 | 2 | 3;
  /** The function in JavaScript (float64). Parameters follow the arguments. */
  readonly cpu: (...values: number[]) => number;
  /** The name of the WGSL function: one in `source`, or a built-in one. */
  readonly wgsl: string;
  /** WGSL source of that function, unless it is built-in: `fn NAME(x: f32, …) -> f32 { … }`. */
  readonly source?: string | undefined;
  /** Floating-point operations, where a transcendental function counts as 8; 1 by default. */
  readonly flops?: number | undefined;
  /** The type of the inputs; float32 by default. */
  readonly takes?: DType;
  /** Whether whole numbers keep their value, so that limits on integers also apply to the result. */
  readonly rearranges?: true;
  /**
   * The gradient with respect to each input, before broadcasting is undone. Absent if the function is constant almost
   * everywhere (comparisons, step), so that there is no gradient. With "unknown", `gradients` refuses to differentiate
   * the function.
   */
  readonly gradient?: ElementwiseGradient | "unknown";
}

/** Returns the gradient with respect to each input of an elementwise function, before broadcasting is undone. */
export type ElementwiseGradient = (
  upstream: Tensor,
  inputs: readonly Tensor[],
  output: Tensor,
  parameters: readonly number[],
) => readonly (Tensor | undefined)[];

export interface ElementwiseAttributes {
  /** Numbers that the function takes after its arguments, such as a slope or an exponent. */
  readonly parameters: readonly number[];
}

export interface ElementwiseOp extends ComputeOp {
  readonly row: ElementwiseFunction;
}

/**
 * Makes an op from an elementwise function, which all backends apply element by element and fuse like any other. The
 * annotation below lets bundlers leave out ops that a page does not use.
 * @returns a function from operands and parameters to a tensor, with broadcasting. It throws a GraphError for operands
 * of another type, shapes that do not broadcast, and numbers that the type cannot represent.
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
    ...(row.rearranges && { rearranges: true }),
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
 * The common shape of inputs: axes are aligned at the last one, and axes of size 1 are repeated.
 * @throws GraphError that names the op and all shapes if they do not broadcast
 */
export function broadcastShapes(where: string, inputs: readonly { readonly shape: Shape }[]): Shape {
  const rank = Math.max(...inputs.map(({ shape }) => shape.length));
  return Array.from({ length: rank }, (_, axis) => {
    const sizes = inputs.map(({ shape }) => shape[axis - rank + shape.length] ?? 1);
    const size = Math.max(...sizes);
    if (sizes.some((other) => other !== size && other !== 1)) {
      throw new GraphError({
        where,
        what: `the shapes ${inputs.map(({ shape }) => `[${shape.join(", ")}]`).join(" and ")} do not broadcast`,
        fix: "Aligned at the last axis, sizes must be equal or 1",
      });
    }
    return size;
  });
}

/** Whether `shape` broadcasts to exactly `target`. */
export function broadcastsTo(shape: Shape, target: Shape): boolean {
  const missing = target.length - shape.length;
  return (
    missing >= 0 &&
    (sameShape(shape, target) || shape.every((size, axis) => size === 1 || size === target[axis + missing]))
  );
}
