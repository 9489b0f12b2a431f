import type { OnnxForm } from "../forms.ts";
import { writeRows } from "../sequences-onnx.ts";

export const onnx: OnnxForm = (writer, { width, layers }, name, { inputShape }) => {
  const table = writer.parameter(`${name}.weight`);
  writeRows(writer, name, table);
  writer.layers(layers, name, [...inputShape, width as number]);
  const vectors = writer.value;
  writer.applyTo("Transpose", `${name}.transposed`, [table], { perm: { ints: [1, 0] } });
  writer.applyTo("MatMul", `${name}.logits`, [vectors, writer.value]);
};
