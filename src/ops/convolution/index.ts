/*
 * Convolution and pooling of images [examples, height, width, channels]. All of them read images through windows, and
 * no matrix of windows is stored.
 */
export {
  conv1d,
  conv2d,
  convTranspose2d,
  smallestSize,
  windowsAlong,
  type ConvolutionOptions,
  type SignalConvolutionOptions,
  type SignalWindowOptions,
  type TransposedConvolutionOptions,
} from "./conv.ts";
export { averagePool2d, globalAveragePool2d, globalMaxPool2d, maxPool2d } from "./pool.ts";
export { resizeBilinear2d, upsampleNearest2d } from "./resize.ts";
export { sampleBilinear2d, type Coordinates, type SampleOptions } from "./sample.ts";
export { sidesOf, type Padding, type Pair, type PairOption, type Sides, type WindowOptions } from "./windows.ts";
