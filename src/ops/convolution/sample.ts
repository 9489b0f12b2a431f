/*
 * Reading images at computed positions.
 */
import { GraphError } from "../../errors.ts";
import { requireHeld } from "../../graph/leaves.ts";
import { sameShape, Tensor } from "../../graph/tensor.ts";
import { toIndex } from "../convert/index.ts";
import { select } from "../elementwise/arithmetic.ts";
import { add, clip, floor, greaterEqual, less, multiply, subtract, toFloat } from "../elementwise/index.ts";
import { slice, take } from "../indexing/index.ts";
import { axisIndex, reshape } from "../layout/index.ts";
import { requireImages } from "./conv.ts";

/** Indices are computed in float32, which represents integers exactly up to this number. */
const MOST_PIXELS = 2 ** 24;

/** Rows and columns of images, each [examples, …]. */
export type Coordinates = readonly [rows: Tensor, columns: Tensor];

/** Options of `sampleBilinear2d`. */
export interface SampleOptions {
  /** The value of elements outside the images; 0 by default. */
  readonly fill?: number;
}

/**
 * Samples images at positions between their elements by bilinear interpolation between the four nearest ones. Gradients
 * flow to the images and to the positions.
 * @param images float32 [examples, height, width, channels]
 * @param positions float32 [examples, …, 2]: the row and the column, where 0 is the center of the first element; or
 * the rows and the columns as two tensors [examples, …]
 * @returns [examples, …, channels]
 * @throws GraphError if types or axes do not fit, or if the images have more than 2²⁴ pixels in total
 */
export function sampleBilinear2d(
  images: Tensor,
  positions: Tensor | Coordinates,
  { fill = 0 }: SampleOptions = {},
): Tensor {
  requireHeld("sampleBilinear2d fill", fill);
  const [rows, columns] =
    positions instanceof Tensor ? coordinatesOf(images, positions) : (positions as readonly [Tensor, Tensor]);
  const read = pixelReader("sampleBilinear2d", images, rows, columns);
  const [top, left] = [floor(rows), floor(columns)];
  const corner = (down: number, across: number) => read(add(top, down), add(left, across), fill);
  const across = perPixel(subtract(columns, left));
  const down = perPixel(subtract(rows, top));
  const upper = between(corner(0, 0), corner(0, 1), across);
  const lower = between(corner(1, 0), corner(1, 1), across);
  return reshape(between(upper, lower, down), [...rows.shape, images.shape[3]!]);
}

/**
 * Reads one element of an image for each position, `fill` outside the images.
 * @param rows float32 [examples, …], whole numbers, like `columns`
 * @returns [examples, …, channels]
 * @throws GraphError as `sampleBilinear2d`
 */
export function samplePixels(
  where: string,
  images: Tensor,
  [rows, columns]: Coordinates,
  { fill = 0 }: SampleOptions = {},
): Tensor {
  requireHeld(`${where} fill`, fill);
  const read = pixelReader(where, images, rows, columns);
  return reshape(read(rows, columns, fill), [...rows.shape, images.shape[3]!]);
}

/** Values of one number for each pixel, to broadcast to its channels. */
const perPixel = (values: Tensor): Tensor => reshape(values, [values.size, 1]);

/** Linear interpolation. It is exact at a share of 0. */
const between = (from: Tensor, to: Tensor, share: Tensor): Tensor => add(from, multiply(subtract(to, from), share));

function coordinatesOf(images: Tensor, positions: Tensor): Coordinates {
  const { shape } = positions;
  if (shape.length < 2 || shape.at(-1) !== 2) throw misfit("sampleBilinear2d", images, [positions]);
  const points = reshape(positions, [-1, 2]);
  const coordinate = (axis: number) =>
    reshape(slice(points, [undefined, { start: axis, end: axis + 1 }]), shape.slice(0, -1));
  return [coordinate(0), coordinate(1)];
}

/** @returns a function that reads pixels at whole rows and columns, [pixels, channels] */
function pixelReader(where: string, images: Tensor, rows: Tensor, columns: Tensor) {
  requireImages(where, images);
  const [examples, height, width, channels] = images.shape as [number, number, number, number];
  const count = examples * height * width;
  if (rows.shape[0] !== examples || !sameShape(rows.shape, columns.shape) || count > MOST_PIXELS)
    throw misfit(where, images, [rows, columns]);
  const pixels = reshape(images, [count, channels]);
  const first = reshape(multiply(toFloat(axisIndex([examples, rows.size / examples], 0)), height * width), rows.shape);
  return (row: Tensor, column: Tensor, fill: number): Tensor => {
    const isInside = multiply(
      multiply(greaterEqual(row, 0), less(row, height)),
      multiply(greaterEqual(column, 0), less(column, width)),
    );
    const within = add(multiply(clip(row, 0, height - 1), width), clip(column, 0, width - 1));
    const index = reshape(toIndex(add(first, within)), [-1]);
    return select(perPixel(isInside), take(pixels, index), fill);
  };
}

const misfit = (where: string, images: Tensor, positions: readonly Tensor[]) =>
  new GraphError({
    where,
    what: `images ${images} at positions ${positions.join(" and ")}`,
    fix: "Give positions [examples, …, 2] or two tensors [examples, …], and images of at most 2^24 pixels",
  });
