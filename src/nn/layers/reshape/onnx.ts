import type { Shape } from "../../../graph/tensor.ts";
import type { OnnxForm } from "../forms.ts";

export const onnx: OnnxForm = (writer, { shape }, name) => writer.reshape(`${name}.reshaped`, shape as Shape);
