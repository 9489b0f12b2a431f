import type { OnnxForm } from "../forms.ts";

export const onnx: OnnxForm = (writer, { layers }, name, { inputShape }) => writer.layers(layers, name, inputShape);
