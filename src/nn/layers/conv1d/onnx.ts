import { writeActivation } from "../activation/onnx.ts";
import type { OnnxForm } from "../forms.ts";
import { toChannelsFirst, toChannelsLast, windowAttributes } from "../images-onnx.ts";
import { endsOf } from "./index.ts";

export const onnx: OnnxForm = (writer, config, name, { inputShape }) => {
  const { window, stride, dilation, groups, bias, activation } = config;
  toChannelsFirst(writer, name, inputShape, 2);
  writer.apply(
    "Conv",
    `${name}.sums`,
    [writer.parameter(`${name}.weight`, [2, 1, 0]), ...(bias ? [writer.parameter(`${name}.bias`)] : [])],
    {
      ...windowAttributes([window as number], [stride as number], [endsOf(config, inputShape[0]!)]),
      dilations: { ints: [dilation as number] },
      group: { int: groups as number },
    },
  );
  writeActivation(writer, activation, name);
  toChannelsLast(writer, name, 2);
};
