import { sizeOf } from "../../../graph/tensor.ts";
import type { OnnxForm } from "../forms.ts";
import { writeCentered, writeChannelFactors, writeScaledToUnit } from "../norms-onnx.ts";

export const onnx: OnnxForm = (writer, config, name, { inputShape }) => {
  const groups = config["groups"] as number;
  const channels = inputShape.at(-1)!;
  writer.reshape(`${name}.groups`, [sizeOf(inputShape) / channels, groups, channels / groups]);
  writeCentered(writer, name, [1, 3]);
  writeScaledToUnit(writer, name, [1, 3], config["epsilon"] as number);
  writer.reshape(`${name}.joined`, inputShape);
  writeChannelFactors(writer, name, config, true);
};
