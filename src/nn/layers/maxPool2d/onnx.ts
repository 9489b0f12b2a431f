import type { OnnxForm } from "../forms.ts";
import { writePool } from "../images-onnx.ts";

export const onnx: OnnxForm = (writer, config, name, place) => writePool(writer, "MaxPool", config, name, place);
