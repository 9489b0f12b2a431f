import type { OnnxOpForm } from "../forms.ts";
import type { ScanAttributes } from "./index.ts";

export const onnx: Readonly<Record<string, OnnxOpForm>> = {
  cumulativeSum: (writer, { attributes }, name, [x]) =>
    writer.applyTo("CumSum", name, [x!, writer.integers(`${name}.axis`, [(attributes as ScanAttributes).axis], [])]),
};
