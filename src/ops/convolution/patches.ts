import { sizeOf, Tensor, type ComputeOp } from "../../graph/tensor.ts";
import type { ElementRange } from "../../graph/traits.ts";
import { reshape } from "../layout/index.ts";
import { backwardWindows, type Pair, type Windows } from "./windows.ts";

export interface PatchesAttributes {
  /** [examples, height, width, channels] */
  readonly image: readonly [number, number, number, number];
  readonly windows: Windows;
  /** The value of padding elements. */
  readonly fill: number;
  /** The number of groups that the channels are divided into. Each group has its own patches. */
  readonly groups: number;
}

const patchesOp: ComputeOp = {
  name: "patches",
  kind: "compute",
  traits: { kind: "pointwise", gathers: true, cheap: true, virtual: true, rangeRead: examplesRead },
};

/** The images of the examples whose windows are in a range of the patches. */
function examplesRead({ attributes }: Tensor, { start, end }: ElementRange): ElementRange {
  const { image, windows, groups } = attributes as PatchesAttributes;
  const [examples, , , channels] = image;
  const [imageSize, exampleSize] = [
    sizeOf(image.slice(1)),
    sizeOf([...windows.count, ...windows.kernel, channels / groups]),
  ];
  // Each group reads all examples.
  const firstOfGroup = Math.floor(start / (examples * exampleSize)) * examples;
  const [first, last] = [Math.floor(start / exampleSize) - firstOfGroup, Math.ceil(end / exampleSize) - firstOfGroup];
  return last > examples ? { start: 0, end: sizeOf(image) } : { start: first * imageSize, end: last * imageSize };
}

/**
 * The windows of images as rows of a matrix, each with the elements of an image at the positions in the window. The
 * matrix is not stored unless it is an output: its readers compute the positions.
 * @param image [examples, height, width, channels]
 * @param groups the number of groups that the channels are divided into
 * @returns [examples · windows, positions · channels], or [groups, examples · windows, positions · channels per group]
 */
export function patches(image: Tensor, windows: Windows, { fill = 0, groups = 1 } = {}): Tensor {
  const sizes = image.shape as unknown as PatchesAttributes["image"];
  const [examples, , , channels] = sizes;
  const rows = examples * windows.count[0] * windows.count[1];
  const columns = windows.kernel[0] * windows.kernel[1] * (channels / groups);
  const shape = groups === 1 ? [rows, columns] : [groups, rows, columns];
  return new Tensor<PatchesAttributes>(
    patchesOp,
    [image],
    { image: sizes, windows, fill, groups },
    { shape, dtype: image.dtype },
  );
}

/**
 * For each element of images, the values of the windows that contain it, or 0 where there is no such window.
 * @param values [examples, window rows, window columns, channels]
 * @param size the height and width of the images
 * @returns [examples · height · width, positions, channels]; entry p is for the window in which the element is at
 * position last − p
 */
export function windowsOfElements(values: Tensor, windows: Windows, size: Pair): Tensor {
  const [, , , channels = 1] = values.shape;
  const back = patches(values, backwardWindows(windows, size));
  return reshape(back, [back.shape[0]!, windows.kernel[0] * windows.kernel[1], channels]);
}
