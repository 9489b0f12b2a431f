import { sidesOf } from "../../../ops/convolution/index.ts";
import { writeActivation } from "../activation/onnx.ts";
import type { LayerPlace, OnnxForm, OnnxWriter } from "../forms.ts";
import { toChannelsFirst, toChannelsLast, windowAttributes } from "../images-onnx.ts";
import type { LayerWindows } from "../images.ts";
import type { LayerConfig } from "../layer.ts";

/** Writes a convolution with the given number of groups. */
export function writeConvolution(
  writer: OnnxWriter,
  config: LayerConfig,
  name: string,
  { inputShape, groups }: Pick<LayerPlace, "inputShape"> & { readonly groups: number },
): void {
  const { window, stride, padding, dilation = [1, 1] } = config as unknown as LayerWindows;
  const { bias, activation } = config;
  const sides = sidesOf("conv2d", [inputShape[0]!, inputShape[1]!], window, { stride, padding, dilation });
  toChannelsFirst(writer, name, inputShape);
  writer.apply(
    "Conv",
    `${name}.sums`,
    [writer.parameter(`${name}.weight`, [3, 2, 0, 1]), ...(bias ? [writer.parameter(`${name}.bias`)] : [])],
    { ...windowAttributes(window, stride, sides), dilations: { ints: dilation }, group: { int: groups } },
  );
  writeActivation(writer, activation, name);
  toChannelsLast(writer, name);
}

export const onnx: OnnxForm = (writer, config, name, { inputShape }) =>
  writeConvolution(writer, config, name, { inputShape, groups: config["groups"] as number });
