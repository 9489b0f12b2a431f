import type { ActivationName } from "../../activations.ts";
import { entryOf } from "../../checks.ts";
import type { OnnxForm, OnnxWriter } from "../forms.ts";

/** The number of float32 in ONNX's TensorProto.DataType. */
const FLOAT = 1;

/** Writes each activation, with its default parameters, as one or more operators with the same formula. */
const activationWriters: Readonly<Record<ActivationName, (writer: OnnxWriter, name: string) => void>> = {
  identity: () => {},
  step(writer, name) {
    writer.applyNumber("GreaterOrEqual", `${name}.from0`, 0);
    writer.apply("Cast", name, [], { to: { int: FLOAT } });
  },
  sigmoid: (writer, name) => writer.apply("Sigmoid", name),
  tanh: (writer, name) => writer.apply("Tanh", name),
  relu: (writer, name) => writer.apply("Relu", name),
  leakyRelu: (writer, name) => writer.apply("LeakyRelu", name, [], { alpha: { float: 0.01 } }),
  elu: (writer, name) => writer.apply("Elu", name, [], { alpha: { float: 1 } }),
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
};

/** x · (1 + the last value) / 2, the end of both forms of GELU. ONNX has an operator for GELU only from opset 20. */
function gateBy(writer: OnnxWriter, name: string, x: string): void {
  writer.applyNumber("Add", `${name}.sum`, 1);
  writer.applyNumber("Mul", `${name}.gate`, 0.5);
  writer.apply("Mul", name, [x]);
}

/**
 * @param name the name of the layer that applies the activation
 * @throws OptionError for a custom activation
 */
export function writeActivation(writer: OnnxWriter, activation: unknown, name: string): void {
  entryOf("ONNX", "activation", activationWriters, activation)(writer, `${name}.${activation as string}`);
}

export const onnx: OnnxForm = (writer, { name: activation }, name) => writeActivation(writer, activation, name);
