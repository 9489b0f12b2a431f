import type { OnnxForm } from "../forms.ts";
import { writePool } from "../images-onnx.ts";

export const onnx: OnnxForm = (writer, config, name, place) =>
  writePool(writer, "AveragePool", config, name, place, { count_include_pad: { int: 1 } });
