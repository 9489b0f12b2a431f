import { conv2d as convolve, type Pair, type PairOption } from "../../../ops/convolution/index.ts";
import { requireCount } from "../../checks.ts";
import { affineOf, builtFrom } from "../affine.ts";
import { convolutionOptions, type Conv2dOptions } from "../conv2d/index.ts";
import { imageShape, requirePair, windowConfig, withChannels } from "../images.ts";
import type { Layer, LayerType } from "../layer.ts";

/** The options of `layers.depthwiseConv2d`. */
export interface DepthwiseConv2dOptions extends Omit<Conv2dOptions, "groups"> {
  /** The number of outputs per channel; 1 by default. */
  readonly multiplier?: number;
}

/**
 * A separate convolution of each channel: `conv2d` with as many groups as channels. Its weights are [window height,
 * window width, 1, channels · multiplier]. The outputs of a channel are adjacent.
 * @param window the size of the window, for both axes or [height, width]
 * @throws OptionError for an option outside its range; GraphError, when the model is built, if its input is not an
 * image or no window fits
 */
export function depthwiseConv2d(window: PairOption, options: DepthwiseConv2dOptions = {}): Layer {
  const where = "depthwiseConv2d";
  const { multiplier = 1 } = options;
  requireCount(`${where} multiplier`, multiplier);
  const windows = windowConfig(where, window, options);
  const dilation = requirePair(`${where} dilation`, options.dilation ?? 1);
  const affine = affineOf(where, options, {
    stride: true,
    padding: true,
    dilation: true,
    multiplier: true,
  });
  return {
    config: { type: where, ...windows, dilation, multiplier, ...affine.config },
    build(context) {
      const image = imageShape(where, context.inputShape);
      const groups = image[2];
      const outputs = groups * multiplier;
      const area = windows.window[0] * windows.window[1];
      const fans = { fanIn: area, fanOut: area * multiplier };
      const { weight, bias } = affine.parameters(context, [...windows.window, 1, outputs], outputs, fans);
      const { stride, padding } = windows;
      return builtFrom(context.inputShape, (x, { precision }) => {
        const given = { stride, padding, dilation, groups, precision, bias };
        return affine.activate(convolve(withChannels(x, image), weight, given));
      });
    },
  };
}

export const layerType: LayerType = {
  options: ["window", "stride", "padding", "dilation", "multiplier", "activation", "bias"],
  fromConfig: (config, resolver) =>
    depthwiseConv2d(config["window"] as unknown as Pair, {
      ...convolutionOptions(config, resolver),
      multiplier: config["multiplier"] as number,
    }),
};
