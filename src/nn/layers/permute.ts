import { sizeOf, stridesOf } from "../../graph/tensor.ts";
import type { ParameterTensor, PytorchParameter } from "./forms.ts";

/** The axes that undo a permutation. */
export const inverseAxes = (axes: readonly number[]): number[] => axes.map((_, axis) => axes.indexOf(axis));

/**
 * Permutes the axes of a parameter without changing the bits of its values. A tensor with another number of axes, as in
 * a damaged file, is returned unchanged.
 * @param axes for each axis of the result, the axis of the tensor
 */
export function permuted(tensor: ParameterTensor, axes: readonly number[]): ParameterTensor {
  if (tensor.shape.length !== axes.length) return tensor;
  const shape = axes.map((axis) => tensor.shape[axis]!);
  const strides = stridesOf(tensor.shape);
  const steps = axes.map((axis) => strides[axis]!);
  const bits = new Uint32Array(tensor.values.buffer, tensor.values.byteOffset, tensor.values.length);
  const result = new Uint32Array(sizeOf(shape));
  const position = shape.map(() => 0);
  for (let index = 0, source = 0; index < result.length; index++) {
    result[index] = bits[source]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      source += steps[axis]!;
      if (++position[axis]! < shape[axis]!) break;
      source -= shape[axis]! * steps[axis]!;
      position[axis] = 0;
    }
  }
  return { shape, values: new Float32Array(result.buffer) };
}

/** A parameter that PyTorch stores with permuted axes. */
export function inLayout(name: string, axes: readonly number[]): PytorchParameter {
  const back = inverseAxes(axes);
  return {
    name,
    toPytorch: (tensor) => permuted(tensor, axes),
    fromPytorch: (tensor) => permuted(tensor, back),
  };
}

/** A parameter that PyTorch stores with the same axes. */
export const asIs = (name: string): PytorchParameter => ({
  name,
  toPytorch: (tensor) => tensor,
  fromPytorch: (tensor) => tensor,
});

/** `weight` with permuted axes and, if there is one, `bias`. */
export const weightAndBias = (axes: readonly number[], hasBias: unknown): Record<string, PytorchParameter> => ({
  weight: inLayout("weight", axes),
  ...(hasBias === true && { bias: asIs("bias") }),
});
