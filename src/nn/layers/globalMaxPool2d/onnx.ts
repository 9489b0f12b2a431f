import type { OnnxForm } from "../forms.ts";
import { writeGlobalPool } from "../images-onnx.ts";

export const onnx: OnnxForm = (writer, _, name, place) => writeGlobalPool(writer, "GlobalMaxPool", name, place);
