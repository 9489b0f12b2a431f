import type { OnnxForm } from "../forms.ts";
import { writeRecurrent } from "../recurrent-onnx.ts";

/** ONNX has the gates in the order i, o, f, g. */
export const onnx: OnnxForm = (writer, config, name, place) =>
  writeRecurrent(writer, config, { operator: "LSTM", name, place }, [0, 3, 1, 2]);
