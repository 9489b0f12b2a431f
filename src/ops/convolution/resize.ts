import { GraphError } from "../../errors.ts";
import { constant } from "../../graph/leaves.ts";
import type { Tensor } from "../../graph/tensor.ts";
import { add, clip, floor, greaterEqual, less, multiply, subtract } from "../elementwise/index.ts";
import { toIndex } from "../convert/index.ts";
import { slice, take } from "../indexing/index.ts";
import { axisIndex, broadcastTo, reshape } from "../layout/index.ts";
import { toFloat } from "../elementwise/arithmetic.ts";
import { matmul } from "../matmul/index.ts";
import { requireImages } from "./conv.ts";
import { pairOf, type Pair, type PairOption } from "./windows.ts";

/**
 * Upsamples images by repeating each element along the height and the width.
 * @param images float32 [examples, height, width, channels]
 * @param factor the number of repetitions, for both axes or [height, width]
 * @returns [examples, height · factor, width · factor, channels]
 * @throws GraphError if types or axes do not fit, or if a factor is not an integer of at least 1
 */
export function upsampleNearest2d(images: Tensor, factor: PairOption): Tensor {
  requireImages("upsampleNearest2d", images);
  const [down, across] = pairOf("upsampleNearest2d", "the factor", factor);
  const [examples, height, width, channels] = images.shape as [number, number, number, number];
  const apart = reshape(images, [examples, height, 1, width, 1, channels]);
  const repeated = broadcastTo(apart, [examples, height, down, width, across, channels]);
  return reshape(repeated, [examples, height * down, width * across, channels]);
}

/** The maximum number of interpolation weights per axis: enough to keep 4096 rows or columns. */
const MOST_SHARES = 2 ** 24;

/** The interpolation weights of the elements of an axis for each element of the resized axis, [to, from]. */
function interpolation(from: number, to: number): Tensor {
  const shares = new Float32Array(to * from);
  for (let index = 0; index < to; index++) {
    const at = Math.min(Math.max(((index + 0.5) * from) / to - 0.5, 0), from - 1);
    const low = Math.floor(at);
    shares[index * from + low]! += 1 - (at - low);
    shares[index * from + Math.min(low + 1, from - 1)]! += at - low;
  }
  return constant([...shares], [to, from]);
}

/**
 * Resizes images by bilinear interpolation between the four nearest elements. The outer edges of the corner elements
 * stay aligned, as with `align_corners=False` in PyTorch. There is no antialiasing: smaller images are sampled, not
 * averaged.
 * @param images float32 [examples, height, width, channels]
 * @param size the height and width of the result
 * @returns [examples, ...size, channels]
 * @throws GraphError if types or axes do not fit, if a size is not an integer of at least 1, or if the product of the
 * old and the new size of an axis exceeds 2²⁴
 */
export function resizeBilinear2d(images: Tensor, size: Pair): Tensor {
  requireImages("resizeBilinear2d", images);
  const [rows, columns] = pairOf("resizeBilinear2d", "the size", size);
  const [examples, height, width, channels] = images.shape as [number, number, number, number];
  if (rows * height > MOST_SHARES || columns * width > MOST_SHARES) {
    throw new GraphError({
      where: "resizeBilinear2d",
      what: `images of ${height} × ${width} to ${rows} × ${columns}`,
      fix: "Give sizes whose product with the old ones is at most 2^24",
    });
  }
  const down = matmul(interpolation(height, rows), reshape(images, [examples, height, width * channels]));
  const across = matmul(interpolation(width, columns), reshape(down, [examples * rows, width, channels]));
  return reshape(across, [examples, rows, columns, channels]);
}

/** Indices are computed in float32, which represents integers exactly up to this number. */
const MOST_PIXELS = 2 ** 24;

/**
 * Samples images at positions between their elements by bilinear interpolation between the four nearest ones. Elements
 * outside the image are 0. Gradients flow to the images and to the positions.
 * @param images float32 [examples, height, width, channels]
 * @param positions float32 [examples, …, 2]: the row and the column, where 0 is the center of the first element
 * @returns [examples, …, channels]
 * @throws GraphError if types or axes do not fit, or if the images have more than 2²⁴ pixels in total
 */
export function sampleBilinear2d(images: Tensor, positions: Tensor): Tensor {
  requireImages("sampleBilinear2d", images);
  const [examples, height, width, channels] = images.shape as [number, number, number, number];
  const pixels = examples * height * width;
  if (
    positions.shape.length < 2 ||
    positions.shape.at(-1) !== 2 ||
    positions.shape[0] !== examples ||
    pixels > MOST_PIXELS
  ) {
    throw new GraphError({
      where: "sampleBilinear2d",
      what: `images ${images} at positions ${positions}`,
      fix: "Give positions [examples, …, 2], and images of at most 2^24 pixels",
    });
  }
  const points = positions.size / 2 / examples;
  const coordinates = reshape(positions, [examples * points, 2]);
  const coordinate = (axis: number) => reshape(slice(coordinates, [undefined, { start: axis, end: axis + 1 }]), [-1]);
  const [y, x] = [coordinate(0), coordinate(1)];
  const first = reshape(multiply(toFloat(axisIndex([examples, points], 0)), height * width), [-1]);
  const rows = reshape(images, [pixels, channels]);
  const corner = (down: number, across: number): Tensor => {
    const [row, column] = [add(floor(y), down), add(floor(x), across)];
    const share = multiply(nearness(y, row, height), nearness(x, column, width));
    const inside = add(multiply(clip(row, 0, height - 1), width), clip(column, 0, width - 1));
    return multiply(take(rows, toIndex(add(first, inside))), reshape(share, [-1, 1]));
  };
  const total = add(add(corner(0, 0), corner(0, 1)), add(corner(1, 0), corner(1, 1)));
  return reshape(total, [...positions.shape.slice(0, -1), channels]);
}

/** The weight of a neighbor, 1 − |position − element|, or 0 if it is outside the image. */
function nearness(position: Tensor, element: Tensor, size: number): Tensor {
  const distance = subtract(position, element);
  const isAfter = less(distance, 0);
  const share = add(1, multiply(distance, subtract(multiply(isAfter, 2), 1)));
  return multiply(share, multiply(greaterEqual(element, 0), less(element, size)));
}
