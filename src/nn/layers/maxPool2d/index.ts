import { maxPool2d as pool, type PairOption } from "../../../ops/convolution/index.ts";
import type { Layer, LayerType } from "../layer.ts";
import { poolingLayer, poolingType, type PoolOptions } from "../pooling.ts";

/**
 * The largest element of each window of an image, channel by channel. Padding is never the largest.
 * @param window the size of the windows, for both axes or [height, width]
 * @throws OptionError for an option outside its range, or padding that is not smaller than the window; GraphError, when
 * the model is built, if its input is not an image or no window fits
 */
export const maxPool2d = (window: PairOption, options: PoolOptions = {}): Layer =>
  poolingLayer("maxPool2d", pool, window, options);

export const layerType: LayerType = poolingType(maxPool2d);
