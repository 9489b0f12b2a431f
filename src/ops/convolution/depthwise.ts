import { Tensor, type ComputeOp } from "../../graph/tensor.ts";
import { backwardWindows, type Pair, type Windows } from "./windows.ts";

export interface DepthwiseAttributes {
  /** [examples, height, width, channels] */
  readonly image: readonly [number, number, number, number];
  readonly windows: Windows;
}

export interface DepthwiseConvolutionAttributes extends DepthwiseAttributes {
  /** Whether the weights are read in reverse order of their positions in a window. */
  readonly flipped: boolean;
}

const sizesOf = (images: Tensor) => images.shape as unknown as DepthwiseAttributes["image"];

/** A product and a sum for each window, position in it, and channel, of both ops. */
export const depthwiseFlops = (node: Tensor): number =>
  (2 * node.size * node.inputs[1]!.size) / (node.attributes as DepthwiseAttributes).image[3];

const depthwiseOp: ComputeOp = {
  name: "depthwise",
  kind: "compute",
  traits: { kind: "anchor", flops: depthwiseFlops },
  gradient(node, upstream) {
    const [images, weights] = node.inputs as [Tensor, Tensor];
    const { image, windows, flipped } = node.attributes as DepthwiseConvolutionAttributes;
    const back = backwardWindows(windows, [image[1], image[2]]);
    return [
      depthwise(upstream, weights, back, { flipped: !flipped }),
      // With flipped weights, the images and the result have exchanged their roles.
      flipped ? depthwiseWeights(upstream, images, back) : depthwiseWeights(images, upstream, windows),
    ];
  },
};

/**
 * Depthwise convolution: each channel has its own kernel. y[e, r, s, c] is the sum over the positions (i, j) in window
 * (r, s) of images[e, h, w, c] · weights[i, j, 0, c], where (h, w) is the element at the position. Positions in padding
 * are left out.
 * @param images float32 [examples, height, width, channels]
 * @param weights float32 [window height, window width, 1, channels]
 * @param options whether the weights are read in reverse order of their positions, as for the gradient of the images
 * @returns [examples, window rows, window columns, channels]
 */
export function depthwise(images: Tensor, weights: Tensor, windows: Windows, { flipped = false } = {}): Tensor {
  const image = sizesOf(images);
  return new Tensor<DepthwiseConvolutionAttributes>(
    depthwiseOp,
    [images, weights],
    { image, windows, flipped },
    { shape: [image[0], ...windows.count, image[3]], dtype: "float32" },
  );
}

const depthwiseWeightsOp: ComputeOp = {
  name: "depthwiseWeights",
  kind: "compute",
  traits: { kind: "anchor", flops: depthwiseFlops },
  gradient(node, upstream) {
    const [images, values] = node.inputs as [Tensor, Tensor];
    const { image, windows } = node.attributes as DepthwiseAttributes;
    const size: Pair = [image[1], image[2]];
    return [
      depthwise(values, upstream, backwardWindows(windows, size), { flipped: true }),
      depthwise(images, upstream, windows),
    ];
  },
};

/**
 * The gradient of a depthwise convolution for its weights: for each position in a window and each channel, the sum over
 * all windows of the element of `images` at the position, times the window's element of `values`.
 * @param images float32 [examples, height, width, channels]
 * @param values float32 [examples, window rows, window columns, channels]
 * @param windows windows whose spread is 1
 * @returns [window height, window width, 1, channels]
 */
export function depthwiseWeights(images: Tensor, values: Tensor, windows: Windows): Tensor {
  const image = sizesOf(images);
  return new Tensor<DepthwiseAttributes>(
    depthwiseWeightsOp,
    [images, values],
    { image, windows },
    { shape: [...windows.kernel, 1, image[3]], dtype: "float32" },
  );
}
