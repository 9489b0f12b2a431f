import type { OnnxForm } from "../forms.ts";
import { writeCentered, writeChannelFactors, writeScaledToUnit } from "../norms-onnx.ts";

export const onnx: OnnxForm = (writer, config, name) => {
  writeCentered(writer, name, [-1]);
  writeScaledToUnit(writer, name, [-1], config["epsilon"] as number);
  writeChannelFactors(writer, name, config, true);
};
