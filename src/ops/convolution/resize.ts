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
 * Each element repeated along height and width.
 * @param images float32 [examples, height, width, channels]
 * @param factor how often, along both axes or along each
 * @returns [examples, height · factor, width · factor, channels]
 * @throws GraphError where types or axes do not fit, or a factor is no whole number of at least 1
 */
export function upsampleNearest2d(images: Tensor, factor: PairOption): Tensor {
  requireImages("upsampleNearest2d", images);
  const [down, across] = pairOf("upsampleNearest2d", "the factor", factor);
  const [examples, height, width, channels] = images.shape as [number, number, number, number];
  const apart = reshape(images, [examples, height, 1, width, 1, channels]);
  const repeated = broadcastTo(apart, [examples, height, down, width, across, channels]);
  return reshape(repeated, [examples, height * down, width * across, channels]);
}

/** Shares that are worth computing: an image of 4096 rows or columns keeps its size. */
const MOST_SHARES = 2 ** 24;

/** The shares of the elements of an axis in each element of a longer or shorter one, [to, from]. */
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
 * Images of another size, whose elements are interpolated between the four nearest ones. The centers of the corner elements
 * do not move apart: `align_corners=False` in PyTorch. Smaller images are sampled, and not averaged.
 * @param images float32 [examples, height, width, channels]
 * @param size the height and width of the result
 * @returns [examples, ...size, channels]
 * @throws GraphError where types or axes do not fit, a size is no whole number of at least 1, or old and new rows or columns
 * are more than 4096 · 4096
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

/** Indices are computed in float32, which holds whole numbers up to this. */
const MOST_PIXELS = 2 ** 24;

/**
 * Values of images at positions between their elements, interpolated between the four nearest ones; 0 outside. Gradients
 * flow to the images and to the positions.
 * @param images float32 [examples, height, width, channels]
 * @param positions float32 [examples, …, 2]: the row and the column, where 0 is the center of the first element
 * @returns [examples, …, channels]
 * @throws GraphError where types or axes do not fit, or the images have more than 2²⁴ pixels in all
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

/** 1 − |position − element| of a neighbor; 0 where it is not in the image. */
function nearness(position: Tensor, element: Tensor, size: number): Tensor {
  const distance = subtract(position, element);
  const isAfter = less(distance, 0);
  const share = add(1, multiply(distance, subtract(multiply(isAfter, 2), 1)));
  return multiply(share, multiply(greaterEqual(element, 0), less(element, size)));
}
