import { sizeOf, stridesOf, type Shape } from "../../graph/tensor.ts";
import type { CpuKernel } from "../kernel.ts";
import type { ElementwiseAttributes, ElementwiseOp } from "./function.ts";

/** Maps a flat index in `target` to the flat index in `shape` from which broadcasting takes the value. */
export function broadcastIndex(shape: Shape, target: Shape): (index: number) => number {
  const size = sizeOf(shape);
  const missing = target.length - shape.length;
  if (size === sizeOf(target)) return (index) => index;
  if (size === 1) return () => 0;
  const leading = shape.findIndex((axisSize) => axisSize > 1);
  if (shape.every((axisSize, axis) => axis < leading || axisSize === target[axis + missing]))
    return (index) => index % size;
  const own = stridesOf(shape);
  const strides = stridesOf(target);
  return (index) =>
    shape.reduce(
      (sum, axisSize, axis) => sum + (Math.floor(index / strides[axis + missing]!) % axisSize) * own[axis]!,
      0,
    );
}

const elementwise: CpuKernel = (node, inputs, output) => {
  const f = (node.op as ElementwiseOp).row.cpu;
  const { parameters } = node.attributes as ElementwiseAttributes;
  const [a, b, c] = inputs;
  const [atA, atB, atC] = node.inputs.map(({ shape }) => broadcastIndex(shape, node.shape));
  const [first, second] = parameters;
  if (c) for (let i = 0; i < output.length; i++) output[i] = f(a![atA!(i)]!, b![atB!(i)]!, c[atC!(i)]!);
  else if (b) for (let i = 0; i < output.length; i++) output[i] = f(a![atA!(i)]!, b[atB!(i)]!);
  else for (let i = 0; i < output.length; i++) output[i] = f(a![i]!, first!, second!);
};

export const kernels = { elementwise };
