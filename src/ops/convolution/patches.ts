import { Tensor, type ComputeOp } from "../../graph/tensor.ts";
import { reshape } from "../layout/index.ts";
import { backwardWindows, type Pair, type Windows } from "./windows.ts";

export interface PatchesAttributes {
  /** [examples, height, width, channels] */
  readonly image: readonly [number, number, number, number];
  readonly windows: Windows;
  /** The value of padding. */
  readonly fill: number;
  /** The channels are in so many groups, each of which has patches of its own. */
  readonly groups: number;
}

const patchesOp: ComputeOp = {
  name: "patches",
  kind: "compute",
  traits: { kind: "pointwise", gathers: true, cheap: true, virtual: true },
};

/**
 * The windows of images, each as a row: the elements of an image at the places of a window. It is read by position and is
 * never stored, unless it is an output.
 * @param image [examples, height, width, channels]
 * @param groups the channels are divided in so many groups
 * @returns [examples · windows, places · channels], or [groups, examples · windows, places · channels of a group]
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
 * For each element of images the windows that it is part of: a value of each of the windows, or 0 where there is none.
 * @param values [examples, window rows, window columns, channels]
 * @param size the height and width of the images
 * @returns [examples · height · width, places, channels]; place p is of the window that shows the element at the place
 * last − p
 */
export function windowsOfElements(values: Tensor, windows: Windows, size: Pair): Tensor {
  const [, , , channels = 1] = values.shape;
  const back = patches(values, backwardWindows(windows, size));
  return reshape(back, [back.shape[0]!, windows.kernel[0] * windows.kernel[1], channels]);
}
