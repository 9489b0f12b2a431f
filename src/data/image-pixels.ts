/*
 * Images of bytes, and how they are resized and converted for a model.
 */
import { optionName, OptionError } from "../errors.ts";
import { coverage, type Share } from "./resample.ts";

/** A decoded image. */
export interface DecodedImage {
  readonly width: number;
  readonly height: number;
  /** 1 for gray, 3 for red, green and blue. */
  readonly channels: 1 | 3;
  /** Row-major, [height, width, channels], from 0 (black) to 255. */
  readonly pixels: Uint8Array;
}

/** How images are converted: to one channel of luma, or to red, green and blue. */
export type ImageColor = "gray" | "rgb";

/** All of `ImageColor`. */
export const imageColors: readonly ImageColor[] = ["gray", "rgb"];

/** A size in pixels. */
export interface ImageSize {
  readonly width: number;
  readonly height: number;
}

/** How image files become the input of a model. */
export interface ImageInput extends ImageSize {
  readonly color: ImageColor;
  /** Whether images of other sizes are resized rather than refused. */
  readonly resize: boolean;
}

/** Whether a value says how image files become this number of features. */
export function isImageInput(value: unknown, features: number): value is ImageInput {
  if (typeof value !== "object" || value === null) return false;
  const { width, height, color, resize } = value as Partial<Record<keyof ImageInput, unknown>>;
  const known = imageColors.find((name) => name === color);
  if (known === undefined || typeof resize !== "boolean") return false;
  const areSizes = [width, height].every((size) => Number.isSafeInteger(size) && (size as number) >= 1);
  return areSizes && (width as number) * (height as number) * channelsOf(known) === features;
}

/** A size in words, such as "32×24"; the width comes first. */
export const sizeText = ({ width, height }: ImageSize): string => `${width}×${height}`;

export const isSameSize = (a: ImageSize, b: ImageSize): boolean => a.width === b.width && a.height === b.height;

/** Number of channels of an image that is converted to this color. */
export const channelsOf = (color: ImageColor): 1 | 3 => (color === "gray" ? 1 : 3);

/**
 * Resizes an image without keeping its aspect ratio. An axis that becomes shorter is averaged: each new pixel is the mean
 * of the area that it covers. An axis that becomes longer is interpolated linearly between the centers of the pixels.
 * @throws OptionError for a size that is not a whole number of at least 1
 */
export function resizeImage(image: DecodedImage, { width, height }: ImageSize): DecodedImage {
  if (!(Number.isSafeInteger(width) && Number.isSafeInteger(height) && width >= 1 && height >= 1)) {
    const what = `${String(width)}×${String(height)} is not a size`;
    throw new OptionError({ where: optionName("size"), what, fix: "Give whole numbers of at least 1" });
  }
  if (isSameSize(image, { width, height })) return image;
  const { channels } = image;
  const rows = alongRows(image, sharesOf(image.width, width));
  const shares = sharesOf(image.height, height);
  const rowLength = width * channels;
  const pixels = new Uint8Array(height * rowLength);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < rowLength; column++) {
      let sum = 0;
      for (const { index, share } of shares[row]!) sum += share * rows[index * rowLength + column]!;
      pixels[row * rowLength + column] = Math.round(sum);
    }
  }
  return { width, height, channels, pixels };
}

/** Resizes the rows of an image, [height, new width, channels]. */
function alongRows({ width, height, channels, pixels }: DecodedImage, shares: readonly Share[][]): Float64Array {
  const newWidth = shares.length;
  const result = new Float64Array(height * newWidth * channels);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < newWidth; column++) {
      for (const { index, share } of shares[column]!) {
        const from = (row * width + index) * channels;
        const to = (row * newWidth + column) * channels;
        for (let channel = 0; channel < channels; channel++) result[to + channel]! += share * pixels[from + channel]!;
      }
    }
  }
  return result;
}

/** For each of `count` new pixels of an axis, the old pixels that it is made of, each with its share. */
function sharesOf(length: number, count: number): Share[][] {
  if (count <= length) return coverage({ from: 0, length, end: length }, count);
  return Array.from({ length: count }, (_, pixel) => {
    const center = Math.max(0, Math.min(length - 1, ((pixel + 0.5) * length) / count - 0.5));
    const index = Math.floor(center);
    const share = center - index;
    return share === 0
      ? [{ index, share: 1 }]
      : [
          { index, share: 1 - share },
          { index: index + 1, share },
        ];
  });
}

/**
 * Converts an image to gray by its luma, 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601), or to red, green and blue by
 * repeating the gray channel.
 */
export function imageInColor(image: DecodedImage, color: ImageColor): DecodedImage {
  const { channels, pixels } = image;
  const wanted = channelsOf(color);
  if (channels === wanted) return image;
  const converted = new Uint8Array((pixels.length / channels) * wanted);
  if (wanted === 3) {
    pixels.forEach((gray, pixel) => converted.fill(gray, 3 * pixel, 3 * pixel + 3));
  } else {
    for (let pixel = 0; pixel < converted.length; pixel++) {
      const [red, green, blue] = [pixels[3 * pixel]!, pixels[3 * pixel + 1]!, pixels[3 * pixel + 2]!];
      converted[pixel] = Math.round(0.299 * red + 0.587 * green + 0.114 * blue);
    }
  }
  return { ...image, channels: wanted, pixels: converted };
}

/** Whether any pixel of an image differs from gray. */
export function hasColor({ channels, pixels }: DecodedImage): boolean {
  if (channels === 1) return false;
  for (let at = 0; at < pixels.length; at += 3) {
    if (pixels[at] !== pixels[at + 1] || pixels[at] !== pixels[at + 2]) return true;
  }
  return false;
}
