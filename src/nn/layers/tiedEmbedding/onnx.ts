import type { OnnxForm } from "../forms.ts";
import { writeRows } from "../sequences-onnx.ts";

export const onnx: OnnxForm = (writer, { width, layers, bias }, name, { inputShape }) => {
  const table = writer.parameter(`${name}.weight`);
  writeRows(writer, name, table);
  writer.layers(layers, name, [...inputShape, width as number]);
  const vectors = writer.value;
  writer.applyTo("Transpose", `${name}.transposed`, [table], { perm: { ints: [1, 0] } });
  writer.applyTo("MatMul", `${name}.logits`, [vectors, writer.value]);
  if (bias === true) writer.apply("Add", `${name}.sums`, [writer.parameter(`${name}.bias`)]);
};
