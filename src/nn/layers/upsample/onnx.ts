import type { OnnxAttributes, OnnxForm } from "../forms.ts";
import { toChannelsFirst, toChannelsLast } from "../images-onnx.ts";

const modes: Readonly<Record<string, OnnxAttributes>> = {
  nearest: {
    mode: { text: "nearest" },
    nearest_mode: { text: "floor" },
    coordinate_transformation_mode: { text: "asymmetric" },
  },
  bilinear: { mode: { text: "linear" }, coordinate_transformation_mode: { text: "half_pixel" } },
};

export const onnx: OnnxForm = (writer, { factor, mode }, name, { inputShape }) => {
  toChannelsFirst(writer, name, inputShape);
  // The second input, a region of interest, is omitted.
  const scales = writer.numbers(`${name}.scales`, [1, 1, ...(factor as readonly number[])]);
  writer.apply("Resize", `${name}.resized`, ["", scales], modes[mode as string]);
  toChannelsLast(writer, name);
};
