import { operator, type OnnxOpForm } from "../forms.ts";

export const onnx: Readonly<Record<string, OnnxOpForm>> = {
  softmax: operator("Softmax", { axis: { int: -1 } }),
  logSoftmax: operator("LogSoftmax", { axis: { int: -1 } }),
};
