import type { OnnxForm } from "../forms.ts";

/** Dropout acts in training alone. */
export const onnx: OnnxForm = () => {};
