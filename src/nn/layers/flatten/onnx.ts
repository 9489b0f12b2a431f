import type { OnnxForm } from "../forms.ts";

export const onnx: OnnxForm = (writer, _, name) => writer.apply("Flatten", `${name}.flat`, [], { axis: { int: 1 } });
