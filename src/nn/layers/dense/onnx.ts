import { writeActivation } from "../activation/onnx.ts";
import type { OnnxForm } from "../forms.ts";
import { writeLinear } from "../sequences-onnx.ts";

export const onnx: OnnxForm = (writer, { bias, activation }, name, { inputShape }) => {
  if (inputShape.length > 1) writeLinear(writer, name, bias === true);
  else {
    const others = [writer.parameter(`${name}.weight`), ...(bias ? [writer.parameter(`${name}.bias`)] : [])];
    writer.apply("Gemm", `${name}.sums`, others);
  }
  writeActivation(writer, activation, name);
};
