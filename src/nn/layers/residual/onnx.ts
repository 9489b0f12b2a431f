import type { OnnxForm } from "../forms.ts";

export const onnx: OnnxForm = (writer, { layers, projection }, name, { inputShape }) => {
  const x = writer.value;
  writer.layers(layers, name, inputShape);
  const inner = writer.value;
  writer.continueFrom(x);
  writer.layers(projection, `${name}.projection`, inputShape);
  writer.apply("Add", `${name}.sum`, [inner]);
};
