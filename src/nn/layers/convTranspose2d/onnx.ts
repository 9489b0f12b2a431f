import type { Pair } from "../../../ops/convolution/index.ts";
import { writeActivation } from "../activation/onnx.ts";
import type { OnnxForm } from "../forms.ts";
import { toChannelsFirst, toChannelsLast, windowAttributes } from "../images-onnx.ts";
import { transposedSides, type TransposedWindows } from "./index.ts";

export const onnx: OnnxForm = (writer, config, name, { inputShape }) => {
  const windows = config as unknown as TransposedWindows;
  const { sides, extra } = transposedSides(windows, inputShape as unknown as Pair);
  const { bias, groups, activation } = config;
  toChannelsFirst(writer, name, inputShape);
  writer.apply(
    "ConvTranspose",
    `${name}.sums`,
    [writer.parameter(`${name}.weight`, [3, 2, 0, 1]), ...(bias ? [writer.parameter(`${name}.bias`)] : [])],
    {
      ...windowAttributes(windows.window, windows.stride, sides),
      dilations: { ints: windows.dilation },
      group: { int: groups as number },
      output_padding: { ints: extra },
    },
  );
  writeActivation(writer, activation, name);
  toChannelsLast(writer, name);
};
