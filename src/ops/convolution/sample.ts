/*
 * Reading images at computed positions.
 */
import { GraphError } from "../../errors.ts";
import { requireHeld } from "../../graph/leaves.ts";
import { sameShape, Tensor } from "../../graph/tensor.ts";
import { toIndex } from "../convert/index.ts";
import { select } from "../elementwise/arithmetic.ts";
import {
  abs,
  add,
  clip,
  floor,
  greaterEqual,
  less,
  maximum,
  multiply,
  subtract,
  toFloat,
} from "../elementwise/index.ts";
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
  const where = "sampleBilinear2d";
  requireHeld(`${where} fill`, fill);
  const coordinates = positions instanceof Tensor ? coordinatesOf(images, positions) : positions;
  const { pixels, indexOf } = pixelsOf(where, images, coordinates);
  const [, height, width, channels] = images.shape as [number, number, number, number];
  const [rows, columns] = coordinates;
  const down = neighborsOf(rows, height);
  const across = neighborsOf(columns, width);
  const index = indexOf(down.first, across.first);
  const rowAt = (start: number) =>
    sumOf(across.shares.map((share, column) => multiply(take(from(pixels, start + column), index), perPixel(share))));
  const sampled = sumOf(down.shares.map((share, row) => multiply(rowAt(row * width), perPixel(share))));
  const inside = multiply(sumOf(down.shares), sumOf(across.shares));
  const filled = fill === 0 ? sampled : add(sampled, perPixel(multiply(subtract(1, inside), fill)));
  return reshape(filled, [...rows.shape, channels]);
}

/**
 * Reads one element of an image for each position, `fill` outside the images.
 * @param coordinates whole numbers
 * @returns [examples, …, channels]
 * @throws GraphError as `sampleBilinear2d`
 */
export function samplePixels(
  where: string,
  images: Tensor,
  coordinates: Coordinates,
  { fill = 0 }: SampleOptions = {},
): Tensor {
  requireHeld(`${where} fill`, fill);
  const { pixels, indexOf } = pixelsOf(where, images, coordinates);
  const [, height, width, channels] = images.shape as [number, number, number, number];
  const [rows, columns] = coordinates;
  const within = (position: Tensor, size: number) => multiply(greaterEqual(position, 0), less(position, size));
  const isInside = multiply(within(rows, height), within(columns, width));
  const values = take(pixels, indexOf(clip(rows, 0, height - 1), clip(columns, 0, width - 1)));
  return reshape(select(perPixel(isInside), values, fill), [...rows.shape, channels]);
}

/**
 * The elements next to positions along an axis: the first of them, and the shares of it and of the next one. Elements
 * inside the image are chosen, so that a position outside has smaller shares.
 */
function neighborsOf(positions: Tensor, size: number): { first: Tensor; shares: Tensor[] } {
  const shareAt = (element: Tensor) => maximum(subtract(1, abs(subtract(positions, element))), 0);
  const first = clip(floor(positions), 0, Math.max(size - 2, 0));
  return { first, shares: size === 1 ? [shareAt(first)] : [shareAt(first), shareAt(add(first, 1))] };
}

const sumOf = (terms: readonly Tensor[]): Tensor => terms.reduce((total, term) => add(total, term));

/** The pixels from one on. */
const from = (pixels: Tensor, start: number): Tensor => slice(pixels, [{ start }]);

/** Values of one number for each position, to broadcast to the channels. */
const perPixel = (values: Tensor): Tensor => reshape(values, [values.size, 1]);

function coordinatesOf(images: Tensor, positions: Tensor): Coordinates {
  const { shape } = positions;
  if (shape.length < 2 || shape.at(-1) !== 2) throw misfit("sampleBilinear2d", images, [positions]);
  const points = reshape(positions, [-1, 2]);
  const coordinate = (axis: number) =>
    reshape(slice(points, [undefined, { start: axis, end: axis + 1 }]), shape.slice(0, -1));
  return [coordinate(0), coordinate(1)];
}

/** The pixels of all images, [pixels, channels], and a function that finds those at whole rows and columns. */
function pixelsOf(where: string, images: Tensor, [rows, columns]: Coordinates) {
  requireImages(where, images);
  const [examples, height, width, channels] = images.shape as [number, number, number, number];
  const count = examples * height * width;
  if (rows.shape[0] !== examples || !sameShape(rows.shape, columns.shape) || count > MOST_PIXELS)
    throw misfit(where, images, [rows, columns]);
  const example = toFloat(axisIndex([examples, rows.size / examples], 0));
  const first = reshape(multiply(example, height * width), rows.shape);
  const indexOf = (row: Tensor, column: Tensor) =>
    reshape(toIndex(add(first, add(multiply(row, width), column))), [-1]);
  return { pixels: reshape(images, [count, channels]), indexOf };
}

const misfit = (where: string, images: Tensor, positions: readonly Tensor[]) =>
  new GraphError({
    where,
    what: `images ${images} at positions ${positions.join(" and ")}`,
    fix: "Give positions [examples, …, 2] or two tensors [examples, …], and images of at most 2^24 pixels",
  });
