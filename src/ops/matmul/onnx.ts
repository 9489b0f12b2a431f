import type { OnnxOpForm } from "../forms.ts";
import type { MatmulAttributes } from "./index.ts";

export const onnx: Readonly<Record<string, OnnxOpForm>> = {
  matmul(writer, { attributes, inputs: shapes }, name, inputs) {
    const { transposeLeft, transposeRight } = attributes as MatmulAttributes;
    const operands = [transposeLeft, transposeRight].map((transposed, position) => {
      if (!transposed) return inputs[position]!;
      const axes = shapes[position]!.map((_, axis) => axis);
      const swapped = [...axes.slice(0, -2), axes.length - 1, axes.length - 2];
      writer.applyTo("Transpose", `${name}.transposed${position}`, [inputs[position]!], { perm: { ints: swapped } });
      return writer.value;
    });
    writer.applyTo("MatMul", name, operands);
  },
};
