/*
 * Digits of 14 × 14 pixels, which train in a quarter of the time, and panels of many images.
 */
import { makeClassificationDataset, type ClassificationDataset } from "../../src/index.ts";
import { image, points, type Panel, type Pixels, type Point } from "./picture.ts";

/** The width and the height of a small digit. */
export const SIDE = 14;

/** The first examples of a data set of 28 × 28 bytes, at half the size: means of four pixels, in 0 … 1. */
export function smallDigits(data: ClassificationDataset, most: number): ClassificationDataset {
  const count = Math.min(most, data.count);
  const features = new Float32Array(count * SIDE * SIDE);
  for (let pixel = 0; pixel < count * 4 * SIDE * SIDE; pixel++) {
    const [row, column] = [Math.floor(pixel / (2 * SIDE)), pixel % (2 * SIDE)];
    features[Math.floor(row / 2) * SIDE + Math.floor(column / 2)]! += data.features[pixel]! / (4 * 255);
  }
  const { classes } = data;
  const labels = data.labels.subarray(0, count);
  return makeClassificationDataset({ name: `${data.name}, small`, features, shape: [SIDE, SIDE], labels, classes });
}

/** The pixels of the example at a position. */
export const digitAt = ({ features, shape }: ClassificationDataset, index: number): Uint8Array | Float32Array => {
  const size = shape[0]! * shape[1]!;
  return features.subarray(index * size, (index + 1) * size);
};

export interface TileOptions extends Partial<Pick<Pixels, "range" | "colors">> {
  /** Images per row; all in one row by default. */
  readonly columns?: number;
  /** The value of the lines of one pixel between the images; the lower end of the range by default. */
  readonly gap?: number;
}

/** Fewer grays, for pictures of many images. */
const fewGrays = ["#000000", "#404040", "#808080", "#c0c0c0", "#ffffff"];

/** A panel of square images in rows, by default with pixels in 0 … 1. */
export function tiles(title: string, images: readonly ArrayLike<number>[], options: TileOptions = {}): Panel {
  const { columns = images.length, range = [0, 1], colors = fewGrays, gap = range[0] } = options;
  const side = Math.sqrt(images[0]!.length);
  const width = columns * (side + 1) - 1;
  const height = Math.ceil(images.length / columns) * (side + 1) - 1;
  const values = new Float64Array(width * height).fill(gap);
  images.forEach((pixels, index) => {
    const first = Math.floor(index / columns) * (side + 1) * width + (index % columns) * (side + 1);
    for (let pixel = 0; pixel < side * side; pixel++) {
      values[first + Math.floor(pixel / side) * width + (pixel % side)] = pixels[pixel]!;
    }
  });
  return {
    title,
    // The image begins at the top left of a square.
    x: { min: 0, max: Math.max(width, height), hidden: true },
    y: { min: Math.min(0, height - width), max: height, hidden: true },
    series: [image({ width, height, values, range, colors })],
  };
}

const digitColors = "#0072b2 #d55e00 #009e73 #aa5599 #cc9a00 #56b4e9 #222222 #999999 #8c564b #e377c2".split(" ");

/** The first 120 points of the plane, in the color of their digit. */
export function digitPoints(places: ArrayLike<number>, labels: ArrayLike<number>): Panel["series"] {
  return digitColors.map((color, digit) => {
    const data: Point[] = [];
    for (let row = 0; row < Math.min(120, labels.length); row++) {
      if (labels[row] === digit) data.push([places[2 * row]!, places[2 * row + 1]!]);
    }
    return points(String(digit), data, { color, size: 5 });
  });
}
