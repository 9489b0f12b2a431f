/*
 * Activations as ONNX operators with the same formula.
 */
import { onnxTypes, type OnnxOperators } from "../forms.ts";

/** Writes an activation of the last result. */
export type ActivationWriter = (writer: OnnxOperators, name: string, parameters: readonly number[]) => void;

/** By name; parameters that are not given have their defaults. */
export const activationWriters = {
  identity: () => {},
  step(writer, name) {
    writer.applyNumber("GreaterOrEqual", `${name}.from0`, 0);
    writer.apply("Cast", name, [], { to: { int: onnxTypes.float } });
  },
  sigmoid: (writer, name) => writer.apply("Sigmoid", name),
  tanh: (writer, name) => writer.apply("Tanh", name),
  relu: (writer, name) => writer.apply("Relu", name),
  leakyRelu: (writer, name, [slope = 0.01]) => writer.apply("LeakyRelu", name, [], { alpha: { float: slope } }),
  elu: (writer, name, [alpha = 1]) => writer.apply("Elu", name, [], { alpha: { float: alpha } }),
  softplus: (writer, name) => writer.apply("Softplus", name),
  gelu(writer, name) {
    const { value } = writer;
    writer.applyNumber("Mul", `${name}.scaled`, Math.SQRT1_2);
    writer.apply("Erf", `${name}.erf`);
    gateBy(writer, name, value);
  },
  geluTanh(writer, name) {
    const { value } = writer;
    writer.apply("Mul", `${name}.square`, [value]);
    writer.applyNumber("Mul", `${name}.cubic`, 0.044715);
    writer.applyNumber("Add", `${name}.polynomial`, 1);
    writer.apply("Mul", `${name}.product`, [value]);
    writer.applyNumber("Mul", `${name}.scaled`, Math.sqrt(2 / Math.PI));
    writer.apply("Tanh", `${name}.tanh`);
    gateBy(writer, name, value);
  },
  silu(writer, name) {
    const { value } = writer;
    writer.apply("Sigmoid", `${name}.sigmoid`);
    writer.apply("Mul", name, [value]);
  },
} satisfies Readonly<Record<string, ActivationWriter>>;

/** x · (1 + the last value) / 2, the end of both forms of GELU. ONNX has an operator for GELU only from opset 20. */
function gateBy(writer: OnnxOperators, name: string, x: string): void {
  writer.applyNumber("Add", `${name}.sum`, 1);
  writer.applyNumber("Mul", `${name}.gate`, 0.5);
  writer.apply("Mul", name, [x]);
}
