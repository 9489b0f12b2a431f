/*
 * ONNX's operators for images and signals have the channels before the other axes. In wgrad they are last.
 */
import type { Shape } from "../../graph/tensor.ts";
import { sidesOf, type Pair, type Sides } from "../../ops/convolution/index.ts";
import type { LayerPlace, OnnxAttributes, OnnxWriter } from "./forms.ts";
import { channelsFirstAxes, type LayerWindows } from "./images.ts";
import type { LayerConfig } from "./layer.ts";
import { inverseAxes } from "./permute.ts";

/**
 * Moves the channels of the last result before the other axes.
 * @param inputShape the shape of one example, whose channel axis may be missing
 * @param axes the number of axes, including the channels
 */
export function toChannelsFirst(writer: OnnxWriter, name: string, inputShape: Shape, axes = 3): void {
  if (inputShape.length === axes) writer.transpose(`${name}.channelsFirst`, channelsFirstAxes(axes));
  else writer.reshape(`${name}.channelsFirst`, [1, ...inputShape]);
}

/** Moves the channels of the last result after the other axes. */
export const toChannelsLast = (writer: OnnxWriter, name: string, axes = 3): void =>
  writer.transpose(`${name}.channelsLast`, inverseAxes(channelsFirstAxes(axes)));

/** The attributes of windows. */
export const windowAttributes = (
  window: readonly number[],
  stride: readonly number[],
  sides: Sides | readonly [Pair],
): OnnxAttributes => ({
  kernel_shape: { ints: window },
  strides: { ints: stride },
  pads: { ints: [...sides.map(([before]) => before), ...sides.map(([, after]) => after)] },
});

/** Writes an operator that pools windows. */
export function writePool(
  writer: OnnxWriter,
  operator: string,
  config: LayerConfig,
  name: string,
  { inputShape }: LayerPlace,
  attributes: OnnxAttributes = {},
): void {
  const { window, stride, padding } = config as unknown as LayerWindows;
  const sides = sidesOf(operator, [inputShape[0]!, inputShape[1]!], window, { stride, padding });
  toChannelsFirst(writer, name, inputShape);
  writer.apply(operator, `${name}.pooled`, [], { ...windowAttributes(window, stride, sides), ...attributes });
  toChannelsLast(writer, name);
}

/** Writes an operator that pools the whole image. */
export function writeGlobalPool(writer: OnnxWriter, operator: string, name: string, { inputShape }: LayerPlace): void {
  toChannelsFirst(writer, name, inputShape);
  writer.apply(operator, `${name}.pooled`);
  writer.apply("Flatten", `${name}.flat`, [], { axis: { int: 1 } });
}
