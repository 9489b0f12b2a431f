import type { OnnxForm } from "../forms.ts";
import { writeRows } from "../sequences-onnx.ts";

export const onnx: OnnxForm = (writer, _, name) => writeRows(writer, name, writer.parameter(`${name}.weight`));
