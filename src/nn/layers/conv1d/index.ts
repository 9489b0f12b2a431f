import { excerpt, OptionError } from "../../../errors.ts";
import {
  conv1d as convolve,
  sidesOf,
  windowsAlong,
  type Pair,
  type SignalWindowOptions,
} from "../../../ops/convolution/index.ts";
import { reshape } from "../../../ops/layout/index.ts";
import { requireCount } from "../../checks.ts";
import { affineOf, builtFrom, type AffineOptions } from "../affine.ts";
import { requireOutputs } from "../conv2d/index.ts";
import { requireGroups, requirePair, signalShape } from "../images.ts";
import type { Layer, LayerConfig, LayerType } from "../layer.ts";

/** The options of `layers.conv1d`. */
export interface Conv1dOptions extends AffineOptions, SignalWindowOptions {
  /** The number of groups of channels and outputs. Each group sees only its own channels. 1 by default. */
  readonly groups?: number;
}

/**
 * A one-dimensional convolution, activation(conv(x, W) + b), with W [window, channels / groups, outputs]
 * and b [outputs]. Its input is [length, channels] per example, or [length] for one channel. Its output is
 * [windows, outputs].
 * @param outputs number of output channels, at least 1, a multiple of `groups`
 * @param window the length of the window
 * @throws OptionError for an option outside its range; GraphError, when the model is built, if its input is not a
 * signal, the groups do not divide its channels, or no window fits
 */
export function conv1d(outputs: number, window: number, options: Conv1dOptions = {}): Layer {
  const where = "conv1d";
  const { stride = 1, dilation = 1, groups = 1 } = options;
  for (const [name, value] of Object.entries({ window, stride, dilation, groups })) {
    requireCount(`${where} ${name}`, value);
  }
  requireOutputs(where, outputs, groups);
  const padding = requireEnds(`${where} padding`, options.padding ?? "valid");
  const affine = affineOf(where, options, { stride: true, padding: true, dilation: true, groups: true });
  return {
    config: { type: where, outputs, window, stride, padding, dilation, groups, ...affine.config },
    build(context) {
      const [length, channels] = signalShape(where, context.inputShape);
      requireGroups(where, groups, channels);
      const fans = { fanIn: (window * channels) / groups, fanOut: (window * outputs) / groups };
      const { weight, bias } = affine.parameters(context, [window, channels / groups, outputs], outputs, fans);
      return builtFrom(context.inputShape, (x, { precision }) => {
        const signals = reshape(x, [x.shape[0]!, length, channels]);
        const given = { stride, padding, dilation, groups, precision, bias };
        return affine.activate(convolve(signals, weight, given));
      });
    },
  };
}

/** @throws OptionError */
function requireEnds(where: string, padding: Exclude<Conv1dOptions["padding"], undefined>): "same" | "valid" | Pair {
  if (padding === "same" || padding === "valid") return padding;
  if (typeof padding !== "string") return requirePair(where, padding, 0);
  throw new OptionError({
    where,
    what: `${excerpt(padding)} is not a padding`,
    fix: 'Give "same", "valid", a number of elements, or [before, after]',
  });
}

export const layerType: LayerType = {
  options: ["outputs", "window", "stride", "padding", "dilation", "groups", "activation", "bias"],
  fromConfig: (config, resolver) => {
    const { outputs, window, stride, padding, dilation, groups, bias } = config as unknown as Conv1dConfig;
    return conv1d(outputs, window, {
      stride,
      padding,
      dilation,
      groups,
      bias,
      activation: resolver.activation(config["activation"]),
    });
  },
};

type Conv1dConfig = LayerConfig &
  Required<Omit<Conv1dOptions, keyof AffineOptions>> & {
    readonly outputs: number;
    readonly window: number;
    readonly bias: boolean;
  };

/** The padding before and after a signal. */
export function endsOf(config: LayerConfig, length: number): Pair {
  const { window, ...options } = config as unknown as Conv1dConfig;
  return sidesOf("conv1d", [1, length], [1, window], windowsAlong("conv1d", options))[1];
}
