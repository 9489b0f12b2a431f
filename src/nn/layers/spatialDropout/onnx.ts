import type { OnnxForm } from "../forms.ts";

/** Dropout has an effect only in training. */
export const onnx: OnnxForm = () => {};
