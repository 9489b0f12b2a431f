import { onnxTypes, type OnnxOpForm } from "../forms.ts";
import type { ToIndexOptions } from "./index.ts";

export const onnx: Readonly<Record<string, OnnxOpForm>> = {
  toIndex(writer, { attributes }, name, [x]) {
    const { below } = attributes as ToIndexOptions;
    writer.continueFrom(x!);
    writer.applyNumber("Max", `${name}.from0`, 0);
    if (below !== undefined) writer.applyNumber("Min", `${name}.below`, below - 1);
    writer.apply("Cast", name, [], { to: { int: onnxTypes.int64 } });
  },
};
