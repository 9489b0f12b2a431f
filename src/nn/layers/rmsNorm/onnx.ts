import type { OnnxForm } from "../forms.ts";
import { writeChannelFactors, writeScaledToUnit } from "../norms-onnx.ts";

export const onnx: OnnxForm = (writer, config, name) => {
  writeScaledToUnit(writer, name, [-1], config["epsilon"] as number);
  writeChannelFactors(writer, name, config, false);
};
