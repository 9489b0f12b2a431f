import type { OnnxForm } from "../forms.ts";
import { writeRecurrent } from "../recurrent-onnx.ts";

/** ONNX has the gates in the order z, r, n, and by default resets the output before its product. */
export const onnx: OnnxForm = (writer, config, name, place) =>
  writeRecurrent(writer, config, { operator: "GRU", name, place }, [1, 0, 2], { linear_before_reset: { int: 1 } });
