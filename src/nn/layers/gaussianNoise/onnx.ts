import type { OnnxForm } from "../forms.ts";

/** Noise has an effect only in training. */
export const onnx: OnnxForm = () => {};
