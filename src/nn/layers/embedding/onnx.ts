import type { OnnxForm } from "../forms.ts";

/** The number of int64 in ONNX's TensorProto.DataType. */
const INT64 = 7;

export const onnx: OnnxForm = (writer, _, name) => {
  writer.apply("Cast", `${name}.indices`, [], { to: { int: INT64 } });
  writer.applyTo("Gather", `${name}.rows`, [writer.parameter(`${name}.weight`), writer.value]);
};
