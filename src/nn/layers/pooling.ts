import { OptionError } from "../../errors.ts";
import { refuseOtherOptions } from "../../option-names.ts";
import type { Tensor } from "../../graph/tensor.ts";
import { sidesOf, type Pair, type PairOption, type WindowOptions } from "../../ops/convolution/index.ts";
import { builtFrom } from "./affine.ts";
import { imageShape, windowConfig, withChannels, type LayerWindowOptions } from "./images.ts";
import { optionsOf, type Layer, type LayerType } from "./layer.ts";

/** The options of a pooling layer. */
export interface PoolOptions extends Omit<LayerWindowOptions, "stride"> {
  /** Pixels from one window to the next; the size of the window by default. */
  readonly stride?: PairOption;
}

type Pool = (images: Tensor, window: PairOption, options: WindowOptions) => Tensor;

/** A layer that pools windows of an image, channel by channel. */
export function poolingLayer(type: string, pool: Pool, window: PairOption, options: PoolOptions): Layer {
  refuseOtherOptions(type, options, { stride: true, padding: true });
  const windows = windowConfig(type, window, { stride: window, ...options });
  return {
    config: { type, ...windows },
    build({ inputShape }) {
      const image = imageShape(type, inputShape);
      requireFilledWindows(type, image, windows.window, windows);
      return builtFrom(inputShape, (x) => pool(withChannels(x, image), windows.window, windows));
    },
  };
}

/** A window that contains only padding has no largest element. PyTorch and ONNX refuse it, too. */
function requireFilledWindows(
  where: string,
  [height, width]: readonly [number, number, number],
  window: Pair,
  options: WindowOptions,
): void {
  const sides = sidesOf(where, [height, width], window, options);
  if (sides.every((side, axis) => side.every((size) => size < window[axis]!))) return;
  throw new OptionError({
    where: `${where} padding`,
    what: `${JSON.stringify(sides)} is not smaller than the window of ${window.join(" × ")}`,
    fix: "Give less padding than a window has rows and columns",
  });
}

/** A layer that reduces each channel over the whole image. */
export function globalPoolingLayer(type: string, pool: (images: Tensor) => Tensor): Layer {
  return {
    config: { type },
    build({ inputShape }) {
      const image = imageShape(type, inputShape);
      return builtFrom(inputShape, (x) => pool(withChannels(x, image)));
    },
  };
}

/** The type of a layer that pools windows of an image. */
export const poolingType = (make: (window: PairOption, options: PoolOptions) => Layer): LayerType => ({
  options: ["window", "stride", "padding"],
  fromConfig(config) {
    const { window, ...options } = optionsOf(config);
    return make(window as unknown as Pair, options as unknown as PoolOptions);
  },
});
