import { writeConvolution } from "../conv2d/onnx.ts";
import type { OnnxForm } from "../forms.ts";

export const onnx: OnnxForm = (writer, config, name, { inputShape }) =>
  writeConvolution(writer, config, name, { inputShape, groups: inputShape[2] ?? 1 });
