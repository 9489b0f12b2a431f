import { refuseOtherOptions } from "../../../option-names.ts";
import { resizeBilinear2d, upsampleNearest2d, type Pair, type PairOption } from "../../../ops/convolution/index.ts";
import { entryOf } from "../../checks.ts";
import { builtFrom } from "../affine.ts";
import { imageShape, requirePair, withChannels } from "../images.ts";
import type { Layer, LayerType } from "../layer.ts";
import type { Tensor } from "../../../graph/tensor.ts";

/** The interpolation of `layers.upsample`. */
export type UpsampleMode = "nearest" | "bilinear";

/** The options of `layers.upsample`. */
export interface UpsampleOptions {
  /**
   * "nearest", the default, repeats each pixel. "bilinear" interpolates between the four nearest pixels, as PyTorch
   * does with `align_corners=False`.
   */
  readonly mode?: UpsampleMode;
}

const modes: Readonly<Record<UpsampleMode, (images: Tensor, factor: Pair) => Tensor>> = {
  nearest: upsampleNearest2d,
  bilinear: (images, [down, across]) => resizeBilinear2d(images, [images.shape[1]! * down, images.shape[2]! * across]),
};

/**
 * Enlarges images by an integer factor: [height, width, channels] to [height · factor, width · factor, channels].
 * @param factor one for both axes, or [height, width]
 * @throws OptionError for an option outside its range; GraphError, when the model is built, if its input is not an
 * image
 */
export function upsample(factor: PairOption, options: UpsampleOptions = {}): Layer {
  const factors = requirePair("upsample factor", factor);
  refuseOtherOptions("upsample", options, { mode: true });
  const { mode = "nearest" } = options;
  const resize = entryOf("upsample", "mode", modes, mode);
  return {
    config: { type: "upsample", factor: factors, mode },
    build({ inputShape }) {
      const image = imageShape("upsample", inputShape);
      return builtFrom(inputShape, (x) => resize(withChannels(x, image), factors));
    },
  };
}

export const layerType: LayerType = {
  options: ["factor", "mode"],
  fromConfig: ({ factor, mode }) => upsample(factor as unknown as Pair, { mode: mode as UpsampleMode }),
};
