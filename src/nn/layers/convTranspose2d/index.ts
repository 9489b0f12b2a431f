import {
  convTranspose2d as convolveTransposed,
  sidesOf,
  smallestSize,
  type Pair,
  type PairOption,
  type Sides,
} from "../../../ops/convolution/index.ts";
import { add } from "../../../ops/elementwise/index.ts";
import { requireCount } from "../../checks.ts";
import { affineOf, builtFrom } from "../affine.ts";
import { convolutionOptions, requireOutputs, type Conv2dOptions } from "../conv2d/index.ts";
import { imageShape, requireGroups, requirePair, windowConfig, withChannels, type WindowConfig } from "../images.ts";
import type { Layer, LayerType } from "../layer.ts";

/** The options of `layers.convTranspose2d`. */
export interface ConvTranspose2dOptions extends Conv2dOptions {
  /**
   * Rows and columns added at the bottom and right, less than the stride, since the stride leaves the size of the
   * output ambiguous; 0 by default.
   */
  readonly outputPadding?: PairOption;
}

/**
 * A transposed convolution, which enlarges images by its stride: activation(convᵀ(x, W) + b), with W [window height,
 * window width, outputs / groups, channels] and b [outputs]. Stride, padding and dilation are those of the convolution
 * whose gradient it is: with padding "valid", `rows = (height − 1) · stride + window`; with "same", `height · stride`.
 * @param outputs number of output channels, at least 1, a multiple of `groups`
 * @param window the size of the window, for both axes or [height, width]
 * @throws OptionError for an option outside its range; GraphError, when the model is built, if its input is not an
 * image, the groups do not divide its channels, or the sizes do not fit
 */
export function convTranspose2d(outputs: number, window: PairOption, options: ConvTranspose2dOptions = {}): Layer {
  const where = "convTranspose2d";
  const { groups = 1 } = options;
  requireCount(`${where} groups`, groups);
  requireOutputs(where, outputs, groups);
  const windows = windowConfig(where, window, options);
  const dilation = requirePair(`${where} dilation`, options.dilation ?? 1);
  const outputPadding = requirePair(`${where} outputPadding`, options.outputPadding ?? 0, 0);
  const affine = affineOf(where, options, {
    stride: true,
    padding: true,
    dilation: true,
    groups: true,
    outputPadding: true,
  });
  const { stride, padding } = windows;
  return {
    config: { type: where, outputs, ...windows, dilation, groups, outputPadding, ...affine.config },
    build(context) {
      const image = imageShape(where, context.inputShape);
      const [rows, columns, channels] = image;
      requireGroups(where, groups, channels);
      const area = windows.window[0] * windows.window[1];
      // In each window, an output sees only the pixels that the stride does not skip.
      const seen = area / (stride[0] * stride[1]);
      const fans = { fanIn: Math.max(1, (seen * channels) / groups), fanOut: (area * outputs) / groups };
      const { weight, bias } = affine.parameters(
        context,
        [...windows.window, outputs / groups, channels],
        outputs,
        fans,
      );
      const size = outputSize({ ...windows, dilation, outputPadding }, [rows, columns]);
      return builtFrom(context.inputShape, (x, { precision }) => {
        const given = { stride, padding, dilation, groups, size, precision };
        const sums = convolveTransposed(withChannels(x, image), weight, given);
        return affine.activate(bias ? add(sums, bias) : sums);
      });
    },
  };
}

/** The checked options that determine the size of the output. */
export interface TransposedWindows extends WindowConfig {
  readonly dilation: Pair;
  readonly outputPadding: Pair;
}

/** The height and width of the output for an input of [rows, columns]. */
export function outputSize({ window, outputPadding, ...options }: TransposedWindows, count: Pair): Pair {
  const [height, width] = smallestSize(count, window, options);
  return [height + outputPadding[0], width + outputPadding[1]];
}

/** The sides to cut off from the area that the windows cover, and the rows and columns to add at the end. */
export function transposedSides(windows: TransposedWindows, [rows, columns]: Pair): { sides: Sides; extra: Pair } {
  const { window, stride, dilation } = windows;
  const size = outputSize(windows, [rows, columns]);
  const sides = sidesOf("convTranspose2d", size, window, windows);
  const extra = ([rows, columns] as const).map((count, axis) => {
    const reached = (count - 1) * stride[axis]! + (window[axis]! - 1) * dilation[axis]! + 1;
    return size[axis]! - (reached - sides[axis]![0] - sides[axis]![1]);
  });
  return { sides, extra: extra as unknown as Pair };
}

export const layerType: LayerType = {
  options: ["outputs", "window", "stride", "padding", "dilation", "groups", "outputPadding", "activation", "bias"],
  fromConfig: (config, resolver) =>
    convTranspose2d(config["outputs"] as number, config["window"] as unknown as Pair, {
      ...convolutionOptions(config, resolver),
      outputPadding: config["outputPadding"] as unknown as Pair,
    }),
};
