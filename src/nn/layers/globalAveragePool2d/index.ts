import { globalAveragePool2d as pool } from "../../../ops/convolution/index.ts";
import type { Layer, LayerType } from "../layer.ts";
import { globalPoolingLayer } from "../pooling.ts";

/**
 * The mean of each channel over the whole image: [height, width, channels] to [channels].
 * @throws GraphError, when the model is built, if its input is not an image
 */
export const globalAveragePool2d = (): Layer => globalPoolingLayer("globalAveragePool2d", pool);

export const layerType: LayerType = { options: [], fromConfig: globalAveragePool2d };
