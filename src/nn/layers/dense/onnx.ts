import { writeActivation } from "../activation/onnx.ts";
import type { OnnxForm } from "../forms.ts";

export const onnx: OnnxForm = (writer, { bias, activation }, name) => {
  const others = [writer.parameter(`${name}.weight`), ...(bias ? [writer.parameter(`${name}.bias`)] : [])];
  writer.apply("Gemm", `${name}.sums`, others);
  writeActivation(writer, activation, name);
};
