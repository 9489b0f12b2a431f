import type { Pair, PairOption } from "../../../ops/convolution/index.ts";
import { conv2d as convolve } from "../../../ops/convolution/index.ts";
import { requireCount, requireNumber } from "../../checks.ts";
import { affineOf, builtFrom, type AffineOptions } from "../affine.ts";
import {
  imageShape,
  requireGroups,
  requirePair,
  windowConfig,
  withChannels,
  type LayerWindowOptions,
} from "../images.ts";
import type { ConfigResolver, ConfigValue, Layer, LayerConfig, LayerType } from "../layer.ts";

/** The options of `layers.conv2d`. */
export interface Conv2dOptions extends AffineOptions, LayerWindowOptions {
  /** Pixels of the image from one pixel of a window to the next; 1 by default. */
  readonly dilation?: PairOption;
  /** The number of groups of channels and outputs. Each group sees only its own channels. 1 by default. */
  readonly groups?: number;
}

/**
 * A two-dimensional convolution, activation(conv(x, W) + b), with W [window height, window width, channels / groups,
 * outputs] and b [outputs]. Its input is [height, width, channels] per example, or [height, width] for one channel; its
 * output is [rows, columns, outputs].
 *
 * @example
 * ```ts
 * const { conv2d, maxPool2d } = layers;
 * const model = sequential(
 *   [conv2d(16, 3, { activation: "relu" }), maxPool2d(2), flatten(), dense(10)],
 *   { inputShape: [28, 28] },
 * );
 * ```
 *
 * @param outputs number of output channels, at least 1, a multiple of `groups`
 * @param window the size of the window, for both axes or [height, width]
 * @throws OptionError for an option outside its range; GraphError, when the model is built, if its input is not an
 * image, the groups do not divide its channels, or no window fits
 */
export function conv2d(outputs: number, window: PairOption, options: Conv2dOptions = {}): Layer {
  const where = "conv2d";
  const { groups = 1 } = options;
  requireCount(`${where} groups`, groups);
  requireOutputs(where, outputs, groups);
  const windows = windowConfig(where, window, options);
  const dilation = requirePair(`${where} dilation`, options.dilation ?? 1);
  const affine = affineOf(where, options, { stride: true, padding: true, dilation: true, groups: true });
  return {
    config: { type: where, outputs, ...windows, dilation, groups, ...affine.config },
    build(context) {
      const image = imageShape(where, context.inputShape);
      const channels = image[2] / groups;
      requireGroups(where, groups, image[2]);
      const area = windows.window[0] * windows.window[1];
      const fans = { fanIn: area * channels, fanOut: (area * outputs) / groups };
      const { weight, bias } = affine.parameters(context, [...windows.window, channels, outputs], outputs, fans);
      const { stride, padding } = windows;
      return builtFrom(context.inputShape, (x, { precision }) => {
        const given = { stride, padding, dilation, groups, precision, bias };
        return affine.activate(convolve(withChannels(x, image), weight, given));
      });
    },
  };
}

/** @throws OptionError if the groups do not divide the number of output channels */
export function requireOutputs(where: string, outputs: number, groups: number): void {
  requireCount(`${where} outputs`, outputs);
  requireNumber(`${where} outputs`, outputs, outputs % groups === 0, `a multiple of the ${groups} groups`);
}

/** The options of a convolution from a config, with unchecked values. */
export function convolutionOptions(config: LayerConfig, resolver: ConfigResolver): Conv2dOptions {
  const { stride, padding, dilation, groups, activation, bias } = config as unknown as Conv2dOptions & LayerConfig;
  return {
    ...({ stride, padding, dilation, groups, bias } as Conv2dOptions),
    activation: resolver.activation(activation as ConfigValue),
  };
}

export const layerType: LayerType = {
  options: ["outputs", "window", "stride", "padding", "dilation", "groups", "activation", "bias"],
  fromConfig: (config, resolver) =>
    conv2d(config["outputs"] as number, config["window"] as unknown as Pair, convolutionOptions(config, resolver)),
};
