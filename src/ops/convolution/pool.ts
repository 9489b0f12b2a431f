import { constant } from "../../graph/leaves.ts";
import { Tensor, type GivenOp } from "../../graph/tensor.ts";
import { rootOf } from "../../graph/views.ts";
import { equal, multiply, select } from "../elementwise/index.ts";
import { flip } from "../indexing/index.ts";
import { axisIndex, broadcastTo, reshape } from "../layout/index.ts";
import { argmax, max, mean, sum } from "../reduce/index.ts";
import { requireImages } from "./conv.ts";
import { patches, windowsOfElements } from "./patches.ts";
import { pairOf, windowsOf, type Pair, type PairOption, type WindowOptions, type Windows } from "./windows.ts";

interface PoolAttributes {
  readonly windows: Windows;
}

/** Whether each element of an image is in exactly one window. */
const isTiling = ({ kernel, stride, dilation, before, count }: Windows, size: Pair): boolean =>
  [0, 1].every((axis) => {
    const places = kernel[axis]!;
    const isDense = stride[axis] === places && (places === 1 || dilation[axis] === 1);
    return isDense && before[axis] === 0 && count[axis]! * places === size[axis];
  });

/**
 * Reshapes values of windows so that they broadcast to
 * [examples, rows, window height, columns, window width, channels].
 */
function perWindow(values: Tensor): Tensor {
  const [examples, rows, columns, channels] = values.shape as [number, number, number, number];
  return reshape(values, [examples, rows, 1, columns, 1, channels]);
}

/** The lowest finite float32 number. WGSL has no literal for −∞. */
const LOWEST = -3.4028234663852886e38;

/** The values at the positions in each window, [examples · windows, positions, channels]. */
function placesOf(images: Tensor, windows: Windows, fill = 0): Tensor {
  const rows = patches(images, windows, { fill });
  return reshape(rows, [rows.shape[0]!, windows.kernel[0] * windows.kernel[1], images.shape[3]!]);
}

const maxPoolOp: GivenOp = {
  name: "maxPool2d",
  kind: "view",
  hasChannels: true,
  gradient(node, upstream) {
    const [values, images] = node.inputs as [Tensor, Tensor];
    const { windows } = node.attributes as PoolAttributes;
    const size = images.shape.slice(1, 3) as unknown as Pair;
    const places = windows.kernel[0] * windows.kernel[1];
    const largest = reshape(argmax(rootOf(values).inputs[0]!, { axes: 1 }), node.shape);
    if (isTiling(windows, size)) {
      const [height, width] = windows.kernel;
      const numbers = Array.from({ length: places }, (_, place) => place);
      const isLargest = equal(perWindow(largest), constant(numbers, [height, 1, width, 1], "uint32"));
      return [undefined, reshape(select(isLargest, perWindow(upstream), 0), images.shape)];
    }
    // In the windows that contain an element, its position goes from the last to the first.
    const shape = [images.size / images.shape[3]!, places, images.shape[3]!];
    const own = flip(axisIndex(shape, 1), 1);
    const chosen = equal(windowsOfElements(largest, windows, size), own);
    const terms = select(chosen, windowsOfElements(upstream, windows, size), 0);
    return [undefined, reshape(sum(terms, { axes: 1 }), images.shape)];
  },
};

/**
 * The largest element of each window. Padding is never the largest. The gradient flows to the first of equal elements.
 * @param images float32 [examples, height, width, channels]
 * @param window the size of the windows
 * @param options the stride is the size of the window by default
 * @returns [examples, window rows, window columns, channels]
 * @throws GraphError if types or axes do not fit, an option is outside its range, or no window fits in the images
 */
export function maxPool2d(images: Tensor, window: PairOption, options: WindowOptions = {}): Tensor {
  requireImages("maxPool2d", images);
  const windows = windowsOf("maxPool2d", images.shape, pairOf("maxPool2d", "the window", window), options, window);
  return pooled(maxPoolOp, max(placesOf(images, windows, LOWEST), { axes: 1 }), images, windows);
}

function pooled(op: GivenOp, values: Tensor, images: Tensor, windows: Windows): Tensor {
  const shape = [images.shape[0]!, ...windows.count, images.shape[3]!];
  return new Tensor<PoolAttributes>(op, [values, images], { windows }, { shape, dtype: "float32" });
}

const averagePoolOp: GivenOp = {
  name: "averagePool2d",
  kind: "view",
  hasChannels: true,
  gradient(node, upstream) {
    const [, images] = node.inputs as [Tensor, Tensor];
    const { windows } = node.attributes as PoolAttributes;
    const size = images.shape.slice(1, 3) as unknown as Pair;
    if (isTiling(windows, size)) {
      const [examples, height, width, channels] = images.shape as [number, number, number, number];
      const [rows, columns] = windows.count;
      const shape = [examples, rows, height / rows, columns, width / columns, channels];
      const share = multiply(perWindow(upstream), 1 / (windows.kernel[0] * windows.kernel[1]));
      return [undefined, reshape(broadcastTo(share, shape), images.shape)];
    }
    const terms = windowsOfElements(upstream, windows, size);
    return [
      undefined,
      reshape(multiply(sum(terms, { axes: 1 }), 1 / (windows.kernel[0] * windows.kernel[1])), images.shape),
    ];
  },
};

/**
 * The mean of each window. Padding counts as zeros, as in PyTorch.
 * @param images float32 [examples, height, width, channels]
 * @param window the size of the windows
 * @param options the stride is the size of the window by default
 * @returns [examples, window rows, window columns, channels]
 * @throws GraphError if types or axes do not fit, an option is outside its range, or no window fits in the images
 */
export function averagePool2d(images: Tensor, window: PairOption, options: WindowOptions = {}): Tensor {
  requireImages("averagePool2d", images);
  const windows = windowsOf(
    "averagePool2d",
    images.shape,
    pairOf("averagePool2d", "the window", window),
    options,
    window,
  );
  return pooled(averagePoolOp, mean(placesOf(images, windows), { axes: 1 }), images, windows);
}

/**
 * The mean of each channel over the whole image.
 * @param images float32 [examples, height, width, channels]
 * @returns [examples, channels]
 */
export function globalAveragePool2d(images: Tensor): Tensor {
  requireImages("globalAveragePool2d", images);
  return mean(images, { axes: [1, 2] });
}

/**
 * The largest element of each channel over the whole image.
 * @param images float32 [examples, height, width, channels]
 * @returns [examples, channels]
 */
export function globalMaxPool2d(images: Tensor): Tensor {
  requireImages("globalMaxPool2d", images);
  return max(images, { axes: [1, 2] });
}
