import { activationModule } from "../activation/pytorch.ts";
import type { ParameterTensor, PytorchForm } from "../forms.ts";

/** The transposed matrix, with bit-identical values. */
export function transposed({ shape, values }: ParameterTensor): ParameterTensor {
  const [rows, columns] = shape as [number, number];
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const result = new Uint32Array(bits.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) result[column * rows + row] = bits[row * columns + column]!;
  }
  return { shape: [columns, rows], values: new Float32Array(result.buffer) };
}

/** The weight of PyTorch's Linear is [outputs, inputs]. The bias is the same. */
const inOtherLayout = (tensor: ParameterTensor) => (tensor.shape.length === 2 ? transposed(tensor) : tensor);

export const pytorch: PytorchForm = {
  modules({ units, activation, bias }, { inputShape: [inputs] }) {
    const linear = { code: `nn.Linear(${inputs}, ${units as number}${bias ? "" : ", bias=False"})` };
    return activation === "identity" ? [linear] : [linear, activationModule(activation)];
  },
  parameters: { toPytorch: inOtherLayout, fromPytorch: inOtherLayout },
};
