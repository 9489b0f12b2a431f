import { sizeOf } from "../../graph/tensor.ts";
import { operator, reshapedSizes, requireFixed, type OnnxOpForm } from "../forms.ts";
import { expandedSizes } from "./exported-sizes.ts";
import type { AxisIndexAttributes, TransposeAttributes } from "./index.ts";

export const onnx: Readonly<Record<string, OnnxOpForm>> = {
  reshape: (writer, { shape }, name, [x]) =>
    writer.applyTo("Reshape", name, [x!, writer.integers(`${name}.shape`, reshapedSizes(shape))]),
  transpose: (writer, { attributes }, name, [x]) =>
    writer.applyTo("Transpose", name, [x!], { perm: { ints: (attributes as TransposeAttributes).order } }),
  // An axis of size 1 is kept as it is.
  broadcastTo: (writer, place, name, [x]) =>
    writer.applyTo("Expand", name, [x!, writer.integers(`${name}.shape`, expandedSizes(place, 1))]),
  stopGradient: operator("Identity"),
  copy: operator("Identity"),
  axisIndex(writer, { attributes, shape }, name) {
    const { inner, count } = attributes as AxisIndexAttributes;
    const sizes = shape.map((size) => {
      requireFixed("axisIndex", size);
      return size;
    });
    const values = Array.from({ length: sizeOf(sizes) }, (_, index) => Math.floor(index / inner) % count);
    writer.continueFrom(writer.integers(name, values, sizes));
  },
};
